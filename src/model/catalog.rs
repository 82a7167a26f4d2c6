//! Everything that the policies say.

use std::collections::BTreeMap;

use super::{Approval, Dataset, Environment, Hold, Name, Namespace, NamespaceName, Role, Settings};

/// The policies, read and cross-checked.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// By name, in order.
    pub datasets: Vec<Dataset>,
    /// The namespaces that a policy defines.
    pub namespaces: BTreeMap<NamespaceName, Namespace>,
    /// By name, in order.
    pub holds: Vec<Hold>,
    /// By name, in order: what people have approved.
    pub approvals: Vec<Approval>,
    /// By name, in order.
    pub roles: Vec<Role>,
    /// The Settings document, or the defaults.
    pub settings: Settings,
}

impl Catalog {
    /// The rules of a namespace: its own document; else, for `qa-x`, those of `x`; else the built-in.
    pub fn namespace(&self, name: &NamespaceName) -> Namespace {
        if let Some(defined) = self.namespaces.get(name) {
            return defined.clone();
        }
        let base = name.without_qa();
        match base.as_ref().and_then(|base| self.namespaces.get(base)) {
            Some(defined) => Namespace { name: name.clone(), ..defined.clone() },
            None => Namespace::built_in(name),
        }
    }

    /// The dataset of that name.
    pub fn dataset(&self, name: &Name) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.name == *name)
    }

    /// The datasets of an environment, by name.
    pub fn in_environment(&self, environment: Environment) -> impl Iterator<Item = &Dataset> {
        self.datasets.iter().filter(move |dataset| dataset.environment == environment)
    }
}
