//! The identities of a pass, each once, with its namespace.

use std::collections::HashMap;

use crate::model::{Identity, Sensitive};
use crate::plan::{Identities, IdentityId};

use super::lake::{Lake, SpaceId};

/// Interned identities.
#[derive(Default)]
pub(super) struct Known {
    identities: Identities,
    spaces: Vec<SpaceId>,
    /// Canonical values that were found in the data; `None` for placeholders.
    found: HashMap<SpaceId, HashMap<String, Option<IdentityId>>>,
}

impl Known {
    pub(super) fn intern(&mut self, space: SpaceId, identity: Identity) -> IdentityId {
        let id = self.identities.intern(identity);
        if self.spaces.len() < self.identities.len() {
            self.spaces.push(space);
        }
        id
    }

    /// The identity of a value that was found in the data; `None` where it is a placeholder. It is
    /// written as its canonical form, so that it is the same whichever of several spellings the engine
    /// hands over first.
    pub(super) fn found(
        &mut self,
        lake: &Lake<'_>,
        space: SpaceId,
        text: &str,
    ) -> Option<IdentityId> {
        let rules = lake.spaces.rules(space);
        let canonical = rules.canonical(text);
        if let Some(known) = self.found.get(&space).and_then(|values| values.get(&canonical)) {
            return *known;
        }
        let id = (!lake.is_placeholder(space, &canonical)).then(|| {
            let value = Sensitive::new(canonical.clone());
            let namespace = rules.name.clone();
            self.intern(space, Identity { namespace, given: value.clone(), canonical: value })
        });
        self.found.entry(space).or_default().insert(canonical, id);
        id
    }

    pub(super) fn get(&self, id: IdentityId) -> &Identity {
        self.identities.get(id)
    }

    pub(super) fn space(&self, id: IdentityId) -> SpaceId {
        self.spaces[id.0 as usize]
    }

    /// The value as the request or the column writes it.
    pub(super) fn given(&self, id: IdentityId) -> &str {
        self.get(id).given.expose()
    }
}
