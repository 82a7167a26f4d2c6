//! What a task is (RULES.md section 6): action, canonical identities, `only`, `include`, `expandIds`,
//! `deleteMethod`. Only a change in these opens a task again; dates, `suspend`, `withdrawn` do not count,
//! nor does the order in which the file names things.
//!
//! The encoding covers the request's name and the block's key too: two requests about one person have
//! unrelated fingerprints, so that the ledger does not tell that they are about the same one.

use std::collections::BTreeSet;

use super::encoding::{put, put_count};
use super::keys::DeploymentKey;
use crate::model::{Action, DeleteMethod, Identity, IdentityTerm, Only, Request, UserBlock};

/// The fingerprint of one task: hex HMAC-SHA256 under the deployment key.
pub fn fingerprint(
    key: &DeploymentKey,
    request: &Request,
    block: &UserBlock,
    action: Action,
) -> String {
    let identity = |identity: &Identity| {
        let namespace = identity.namespace.folded().as_bytes();
        key.digest("identity", &[namespace, identity.canonical.expose().as_bytes()])
    };
    key.digest("fingerprint", &[&encoding(request, block, action, &identity)])
}

/// The bytes that a fingerprint covers; identities as what `digest` makes of them, so that a request
/// that gives a digest in place of a value is the same task.
fn encoding(
    request: &Request,
    block: &UserBlock,
    action: Action,
    digest: &dyn Fn(&Identity) -> String,
) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, request.name.as_str().as_bytes());
    put(&mut out, block.key.as_bytes());
    put(&mut out, action.as_str().as_bytes());
    put_terms(&mut out, &block.identities, digest);
    put_only(&mut out, &block.only);
    let products = request.include.as_ref().map(|products| products.iter().map(|p| p.folded()));
    put_set(&mut out, products);
    out.push(u8::from(request.expand_ids));
    out.push(match request.delete_method {
        DeleteMethod::Anonymize => 0,
        DeleteMethod::Purge => 1,
    });
    out
}

/// Each identity as the set of its parts (a plain one has one part), sorted.
fn put_terms(out: &mut Vec<u8>, terms: &[IdentityTerm], digest: &dyn Fn(&Identity) -> String) {
    let terms: BTreeSet<BTreeSet<String>> =
        terms.iter().map(|term| term.parts().iter().map(digest).collect()).collect();
    put_count(out, terms.len());
    for parts in terms {
        put_count(out, parts.len());
        parts.iter().for_each(|part| put(out, part.as_bytes()));
    }
}

fn put_only(out: &mut Vec<u8>, only: &Only) {
    put_set(out, only.datasets.as_ref().map(|names| names.iter().map(|name| name.as_str())));
    put_set(out, only.sources.as_ref().map(|names| names.iter().map(String::as_str)));
    put_count(out, only.r#where.len());
    for (path, value) in &only.r#where {
        put_count(out, path.parts().len());
        path.parts().iter().for_each(|part| put(out, part.as_bytes()));
        put(out, value.expose().as_bytes());
    }
}

/// A set that may be absent: an absent one and an empty one are not the same.
fn put_set<'a>(out: &mut Vec<u8>, set: Option<impl Iterator<Item = &'a str>>) {
    let Some(set) = set else { return out.push(0) };
    out.push(1);
    let set: BTreeSet<&str> = set.collect();
    put_count(out, set.len());
    set.iter().for_each(|text| put(out, text.as_bytes()));
}

#[cfg(test)]
#[path = "fingerprint_tests.rs"]
mod tests;
