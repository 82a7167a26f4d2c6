//! What a task is (RULES.md section 6): action, canonical identities, `only`, `include`, `expandIds`,
//! `deleteMethod`. Only a change in these opens a task again; dates, `suspend`, `withdrawn` do not count,
//! nor does the order in which the file names things.
//!
//! The encoding covers the request's name and the block's key too: two requests about one person have
//! unrelated fingerprints, so that the ledger does not tell that they are about the same one.

use std::collections::BTreeSet;

use super::encoding::{put, put_count};
use super::keys::DeploymentKey;
use crate::model::{Action, DeleteMethod, Identity, Only, Part, Request, UserBlock};

/// The fingerprint of one task: hex HMAC-SHA256 under the deployment key. `None` where an identity is sealed and was
/// not opened: what the task is cannot be told then.
pub fn fingerprint(
    key: &DeploymentKey,
    request: &Request,
    block: &UserBlock,
    action: Action,
) -> Option<String> {
    let digest = |identity: &Identity| key.identity(&identity.namespace, &identity.canonical);
    let encoding = encoding(request, block, action, &digest)?;
    Some(key.digest("fingerprint", &[&encoding]))
}

/// The bytes that a fingerprint covers; identities as what `digest` makes of them, so that a request
/// that gives a digest in place of a value is the same task.
fn encoding(
    request: &Request,
    block: &UserBlock,
    action: Action,
    digest: &dyn Fn(&Identity) -> String,
) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    put(&mut out, request.name.as_str().as_bytes());
    put(&mut out, block.key.as_bytes());
    put(&mut out, action.as_str().as_bytes());
    put_terms(&mut out, terms(block, digest)?);
    put_only(&mut out, &block.only);
    let products = request.include.as_ref().map(|products| products.iter().map(|p| p.folded()));
    put_set(&mut out, products);
    out.push(u8::from(request.expand_ids));
    out.push(match request.delete_method {
        DeleteMethod::Anonymize => 0,
        DeleteMethod::Purge => 1,
    });
    Some(out)
}

/// Each identity as the set of the digests of its parts; a plain one has one part.
fn terms(
    block: &UserBlock,
    digest: &dyn Fn(&Identity) -> String,
) -> Option<BTreeSet<BTreeSet<String>>> {
    let known = block.identities.iter().map(|term| Some(term.parts().iter().map(digest).collect()));
    let part = |part: &Part| match part {
        Part::Known(identity) => Some(digest(identity)),
        Part::Veiled { veil, .. } => veil.digest().map(str::to_owned),
    };
    let veiled = block.veiled.iter().map(|term| term.0.iter().map(part).collect());
    known.chain(veiled).collect()
}

fn put_terms(out: &mut Vec<u8>, terms: BTreeSet<BTreeSet<String>>) {
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
