//! ID fields that no request can reach: their namespace is named by no request, defined by no policy, and
//! nothing leads to it. Usually it is misspelt, or a link that lacks `expansion: always`.

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::manifest::codes::data as codes;
use crate::manifest::reader::did_you_mean;
use crate::model::{
    Catalog, Dataset, Environment, Expansion, NamespaceName, Request, well_known_id,
};

use super::warning;

/// Warnings of the ID fields of environments for which there are requests; a `reason` on the field
/// silences them.
pub fn unreached(catalog: &Catalog, requests: &[Request]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for environment in [Environment::Production, Environment::Test] {
        let datasets: Vec<&Dataset> = catalog.in_environment(environment).collect();
        let Some(reached) = reached(catalog, &datasets, requests, environment) else { continue };
        for dataset in &datasets {
            for (_, field) in dataset.id_fields() {
                let Some(namespace) = &field.namespace else { continue };
                let known = reached.contains(namespace) || is_defined(catalog, namespace);
                if known || field.reason.is_some() {
                    continue;
                }
                let message = format!(
                    "no request can reach {}: none names the namespace `{namespace}`, no policy defines it, and no other field leads to it",
                    field.path
                );
                let candidates: Vec<&str> = reached
                    .iter()
                    .map(NamespaceName::as_str)
                    .chain(catalog.namespaces.keys().map(NamespaceName::as_str))
                    .collect();
                let help = match did_you_mean(namespace.as_str(), &candidates) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "define it in a Namespace document (a link needs `expansion: always`), or say why \
                             not: `reason: …`"
                        .to_owned(),
                };
                found.push(warning(codes::ID_UNREACHED, &field.position, message, help));
            }
        }
    }
    found
}

/// Whether somebody has thought of the namespace: a policy defines it (or what a `qa-` one follows), or it
/// is built in or well known.
fn is_defined(catalog: &Catalog, name: &NamespaceName) -> bool {
    [Some(name.clone()), name.without_qa()].into_iter().flatten().any(|name| {
        catalog.namespaces.contains_key(&name)
            || name.hard_coded().is_some()
            || well_known_id(&name).is_some()
    })
}

/// The namespaces that requests of the environment name, and those that expansion may lead to from them;
/// `None` where there is no such request.
fn reached(
    catalog: &Catalog,
    datasets: &[&Dataset],
    requests: &[Request],
    environment: Environment,
) -> Option<BTreeSet<NamespaceName>> {
    let of_environment = |name: &&NamespaceName| name.is_qa() == (environment == Environment::Test);
    let usable = || requests.iter().filter(|request| request.rejected.is_none());
    let blocks = |request: &'_ Request| {
        let blocks = request.users.iter().filter(|block| block.rejected.is_none());
        blocks.flat_map(|block| block.namespaces().cloned().collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    let named: Vec<NamespaceName> = usable().flat_map(blocks).collect();
    let mut reached: BTreeSet<NamespaceName> =
        named.iter().filter(of_environment).cloned().collect();
    if reached.is_empty() {
        return None;
    }
    let expands = usable().any(|request| request.expand_ids);
    loop {
        let before = reached.len();
        for dataset in datasets {
            let ids = || dataset.id_fields().map(|(_, field)| field);
            let is_reached = |namespace: &NamespaceName| reached.contains(namespace);
            let matched = |person: bool| {
                ids().any(|field| {
                    field.namespace.as_ref().is_some_and(is_reached)
                        && (!person || field.is_person_id())
                })
            };
            let (any, person) = (matched(false), matched(true));
            let leads: Vec<NamespaceName> = ids()
                .filter_map(|field| field.namespace.clone())
                .filter(|name| match catalog.namespace(name).expansion {
                    Expansion::Always => person,
                    Expansion::Cookie => any && expands,
                    Expansion::Never => false,
                })
                .collect();
            reached.extend(leads);
        }
        if reached.len() == before {
            return Some(reached);
        }
    }
}
