//! ID fields that no request can reach. Their namespace is named by no request, and nothing leads to it from
//! what requests name: usually it is misspelt, or a link that lacks `expansion: always`. Where a policy
//! defines the namespace, requests may name it one day: then it is said only of datasets that no request
//! reaches at all. Or no value of the namespace can be of the column's type.

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::manifest::codes::data as codes;
use crate::manifest::reader::did_you_mean;
use crate::model::{
    Catalog, Dataset, Environment, Expansion, Field, LeafType, NamespaceName, Request,
    well_known_id,
};
use crate::plan::{Inventory, Resolved};

use super::warning;

/// Warnings of ID fields; a `reason` on the field silences them. What requests name is looked at where there
/// are requests for the environment.
pub fn unreached(
    catalog: &Catalog,
    requests: &[Request],
    inventory: &Inventory,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for environment in [Environment::Production, Environment::Test] {
        let datasets: Vec<&Dataset> = catalog.in_environment(environment).collect();
        let reached = reached(catalog, &datasets, requests, environment);
        for dataset in &datasets {
            found.extend(unfit(catalog, dataset, inventory));
            let Some(reached) = &reached else { continue };
            let named =
                |field: &Field| field.namespace.as_ref().is_some_and(|n| reached.contains(n));
            let dark = !dataset.id_fields().any(|(_, field)| named(field));
            for (field, namespace) in ids_to_judge(dataset) {
                let defined = is_defined(catalog, namespace);
                if !named(field) && (dark || !defined) {
                    found.push(unnamed(catalog, field, namespace, defined, reached));
                }
            }
        }
    }
    found
}

fn ids_to_judge(dataset: &Dataset) -> impl Iterator<Item = (&Field, &NamespaceName)> {
    let ids = dataset.id_fields().filter(|(_, field)| field.reason.is_none());
    ids.filter_map(|(_, field)| Some((field, field.namespace.as_ref()?)))
}

fn unnamed(
    catalog: &Catalog,
    field: &Field,
    namespace: &NamespaceName,
    defined: bool,
    reached: &BTreeSet<NamespaceName>,
) -> Diagnostic {
    let known = reached.iter().chain(catalog.namespaces.keys()).map(NamespaceName::as_str);
    let near = did_you_mean(namespace.as_str(), &known.collect::<Vec<_>>()).filter(|_| !defined);
    let help = match (near, catalog.namespace(namespace).expansion) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Expansion::Cookie) => {
            "requests reach it by its name, or with `expandIds: true`; or say why not: `reason: …`".to_owned()
        }
        (None, _) => {
            "if other fields should lead to it, define it with `expansion: always`; or say why not: `reason: …`"
                .to_owned()
        }
    };
    warning(
        codes::ID_UNREACHED,
        &field.position,
        format!(
            "no request can reach {}: none names the namespace `{namespace}`, and no other field leads to it",
            field.path
        ),
        help,
    )
}

/// Fields of a hard-coded namespace whose column cannot hold a value of its form.
fn unfit(catalog: &Catalog, dataset: &Dataset, inventory: &Inventory) -> Vec<Diagnostic> {
    let Some(files) = inventory.datasets.get(&dataset.name) else { return Vec::new() };
    let resolved = Resolved::new(dataset, files);
    let unfit = |(leaf, name): (&crate::plan::ResolvedLeaf<'_>, &NamespaceName)| {
        let (_, field) = leaf.field.filter(|(_, field)| field.reason.is_none())?;
        let kind = &leaf.leaf.kind;
        // Of fixed binary only the length would not fit.
        let value = well_formed(name).filter(|_| !matches!(kind, LeafType::FixedBinary(_)))?;
        kind.key(&catalog.namespace(name), value).is_none().then(|| {
            warning(
                codes::ID_UNREACHED,
                &field.position,
                format!(
                    "no request can reach {}: no {name} fits the type {}",
                    leaf.leaf.path,
                    kind.describe()
                ),
                "give the field the namespace of what it holds, or say why not: `reason: …`"
                    .to_owned(),
            )
        })
    };
    resolved.id_leaves().filter_map(unfit).collect()
}

/// A value of the form that a hard-coded namespace demands.
fn well_formed(name: &NamespaceName) -> Option<&'static str> {
    match name.hard_coded()? {
        "AAID" => Some("2A-1B"),
        "ECID" => Some("10000000000000000000000000000000000000"),
        "visitorId" => Some("1000000000000000000-1000000000000000000"),
        _ => None,
    }
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
