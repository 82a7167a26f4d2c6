//! Which datasets a block reaches: its environment, `only` and `include` (RULES.md section 3).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{Environment, FieldPath, Name, Product, Request, UserBlock};

use super::lake::{Lake, Table};

/// The datasets that a block reaches. Most blocks of a pass share one.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// By index in the catalog, in its order.
    pub(super) datasets: Vec<usize>,
    /// Datasets of the environment that the block leaves out, by name.
    pub(super) left_out: Vec<Name>,
}

type Narrowing<'a> = (
    bool,
    Option<&'a BTreeSet<Name>>,
    Option<&'a BTreeSet<String>>,
    Option<&'a BTreeSet<Product>>,
    Vec<&'a FieldPath>,
);

/// Makes each distinct scope once.
#[derive(Debug, Default)]
pub(super) struct Scopes<'a> {
    made: BTreeMap<Narrowing<'a>, Arc<Scope>>,
}

impl<'a> Scopes<'a> {
    pub(super) fn of(
        &mut self,
        lake: &Lake<'a>,
        request: &'a Request,
        user: &'a UserBlock,
    ) -> Arc<Scope> {
        let only = &user.only;
        let narrowing = (
            user.is_qa(),
            only.datasets.as_ref(),
            only.sources.as_ref(),
            request.include.as_ref(),
            only.r#where.keys().collect(),
        );
        let scope = self.made.entry(narrowing).or_insert_with_key(|key| Arc::new(scope(lake, key)));
        Arc::clone(scope)
    }
}

fn scope(lake: &Lake<'_>, (qa, datasets, sources, include, fields): &Narrowing<'_>) -> Scope {
    let environment = if *qa { Environment::Test } else { Environment::Production };
    let mut scope = Scope::default();
    for (index, table) in lake.in_environment(environment) {
        let policy = table.policy;
        let inside = datasets.is_none_or(|names| names.contains(&policy.name))
            && sources.is_none_or(|sources| sources.contains(&policy.source))
            && include.is_none_or(|products| products.contains(&policy.product))
            && !fields.iter().any(|path| surely_lacks(table, path));
        if inside {
            scope.datasets.push(index);
        } else {
            scope.left_out.push(policy.name.clone());
        }
    }
    scope
}

/// Whether the policy marks no such field `selectable`, or the data is there and has no such leaf. Of data
/// that could not be read the latter is not known: the dataset stays in the scope, so that the task fails
/// rather than finds nothing.
fn surely_lacks(table: &Table<'_>, path: &FieldPath) -> bool {
    let mut marked = table.policy.fields.iter().filter(|field| field.selectable);
    !marked.any(|field| field.path.covers(path))
        || table.readable
            && table.resolved.as_ref().is_some_and(|data| !data.leaves().is_empty())
            && selectable_leaf(table, path).is_none()
}

/// The leaf that `only.where` means in a dataset: of exactly that path, and marked `selectable`.
pub(super) fn selectable_leaf(table: &Table<'_>, path: &FieldPath) -> Option<u16> {
    table
        .resolved
        .as_ref()?
        .by_path(path)
        .filter(|leaf| leaf.field.is_some_and(|(_, field)| field.selectable))
        .map(|leaf| leaf.index)
}
