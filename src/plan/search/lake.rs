//! What the search needs to know of the lake: per dataset the leaves that can be searched, what a
//! match on one of them reaches of the others, and which namespaces lie where.

use std::collections::HashMap;

use crate::model::{
    Catalog, Dataset, Environment, Expansion, Field, Leaf, LeafType, Namespace, NamespaceName,
};
use crate::plan::{DatasetFiles, Inventory, Mask, Resolved, ResolvedLeaf, mask_in, same_party};

/// Index of a namespace in [`Spaces`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SpaceId(pub(super) u32);

/// The namespaces of a pass with their rules.
#[derive(Debug, Default)]
pub(super) struct Spaces {
    rules: Vec<Namespace>,
    index: HashMap<NamespaceName, SpaceId>,
}

impl Spaces {
    pub(super) fn intern(&mut self, catalog: &Catalog, name: &NamespaceName) -> SpaceId {
        if let Some(known) = self.index.get(name) {
            return *known;
        }
        let id = SpaceId(u32::try_from(self.rules.len()).unwrap_or(u32::MAX));
        self.rules.push(catalog.namespace(name));
        self.index.insert(name.clone(), id);
        id
    }

    /// The rules of a namespace that [`Spaces::intern`] knows.
    pub(super) fn rules(&self, id: SpaceId) -> &Namespace {
        &self.rules[id.0 as usize]
    }

    pub(super) fn expansion(&self, id: SpaceId) -> Expansion {
        self.rules(id).expansion
    }
}

/// A leaf that can be searched.
#[derive(Debug)]
pub(super) struct IdLeaf<'a> {
    /// Index into the files' leaves.
    pub(super) leaf: u16,
    pub(super) shape: &'a Leaf,
    pub(super) space: SpaceId,
    /// `ID-PERSON`, else `ID-DEVICE`.
    pub(super) person: bool,
    pub(super) party: Option<&'a str>,
    all_elements: bool,
    /// A delete may have left something there that cannot be told from a value.
    pub(super) disguised: bool,
}

/// One dataset: its policy and what the search can look into.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) policy: &'a Dataset,
    /// The policy held against the data; `None` where the inventory does not know the dataset.
    pub(super) resolved: Option<Resolved<'a>>,
    /// Every file could be read: only then do absent columns say anything.
    pub(super) readable: bool,
    /// The ID leaves; a *slot* is an index into them.
    pub(super) ids: Vec<IdLeaf<'a>>,
    slots: Vec<Option<u16>>,
    /// For (slot, slot): how many outer indices must agree, where a match reaches the other at all.
    reaches: Vec<Option<usize>>,
}

impl<'a> Table<'a> {
    fn new(
        catalog: &Catalog,
        spaces: &mut Spaces,
        policy: &'a Dataset,
        inventory: &'a Inventory,
    ) -> Self {
        let files = inventory.datasets.get(&policy.name);
        let resolved = files.map(|files| Resolved::new(policy, files));
        let mut ids = Vec::new();
        let mut slots = Vec::new();
        for (leaf, name) in resolved.iter().flat_map(Resolved::id_leaves) {
            slots.resize(usize::from(leaf.index) + 1, None);
            slots[usize::from(leaf.index)] = u16::try_from(ids.len()).ok();
            ids.push(IdLeaf {
                leaf: leaf.index,
                shape: leaf.leaf,
                space: spaces.intern(catalog, name),
                person: leaf.field.is_some_and(|(_, field)| field.is_person_id()),
                party: leaf.party(),
                all_elements: leaf.all_elements(),
                disguised: leaf.field.is_some_and(|(_, field)| {
                    field.is_erasable()
                        && files
                            .is_some_and(|files| disguises(catalog, policy, field, (leaf, files)))
                }),
            });
        }
        let reaches = ids
            .iter()
            .flat_map(|from| ids.iter().map(|to| levels_to_agree(from, to)))
            .collect::<Vec<_>>();
        let readable = files.is_some_and(|files| files.problems.is_empty());
        Self { policy, resolved, readable, ids, slots, reaches }
    }

    /// The slot of a leaf, where it is an ID leaf.
    pub(super) fn slot(&self, leaf: u16) -> Option<u16> {
        self.slots.get(usize::from(leaf)).copied().flatten()
    }

    /// The type of a leaf.
    pub(super) fn kind(&self, leaf: u16) -> Option<&'a LeafType> {
        self.resolved.as_ref()?.leaf(leaf).map(|leaf| &leaf.leaf.kind)
    }

    pub(super) fn id(&self, slot: u16) -> &IdLeaf<'a> {
        &self.ids[usize::from(slot)]
    }

    /// The slots with their leaves.
    pub(super) fn slotted(&self) -> impl Iterator<Item = (u16, &IdLeaf<'a>)> {
        (0..=u16::MAX).zip(&self.ids)
    }

    pub(super) fn carries(&self, space: SpaceId) -> bool {
        self.ids.iter().any(|id| id.space == space)
    }

    /// What a match in slot `from` reaches of slot `to`: the elements whose first so many indices are
    /// the match's; `None`: nothing, since they are two people's. The same rule as
    /// [`crate::plan::reach`], for one match.
    pub(super) fn levels_to_agree(&self, from: u16, to: u16) -> Option<usize> {
        self.reaches[usize::from(from) * self.ids.len() + usize::from(to)]
    }
}

fn levels_to_agree(from: &IdLeaf<'_>, to: &IdLeaf<'_>) -> Option<usize> {
    same_party(from.party, to.party)
        .then(|| if to.all_elements { 0 } else { to.shape.shared_lists(from.shape) })
}

/// Whether what erasing leaves in a leaf cannot be told from a value: pseudonyms of strings, nulls, empty
/// strings and zeros can.
fn disguises(
    catalog: &Catalog,
    policy: &Dataset,
    field: &Field,
    (leaf, files): (&ResolvedLeaf<'_>, &DatasetFiles),
) -> bool {
    let by = |own: &Leaf| match mask_in(policy, field, leaf.leaf, own, &catalog.settings) {
        Ok(Mask::Pseudonym { .. }) => Some(own.kind != LeafType::Text),
        Ok(Mask::Null | Mask::Empty | Mask::RemoveElement | Mask::Retain { .. }) => Some(false),
        Ok(_) => Some(true),
        Err(_) => None,
    };
    by(leaf.leaf).unwrap_or_else(|| {
        // Some files may take what the dataset's type cannot.
        let own = files.files.iter().filter_map(|file| files.leaf_in(file, leaf.index));
        own.filter_map(|own| by(&own)).any(|disguised| disguised)
    })
}

/// The datasets of the catalog, by their index there, and all namespaces.
#[derive(Debug)]
pub(super) struct Lake<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) spaces: Spaces,
    pub(super) tables: Vec<Table<'a>>,
}

impl<'a> Lake<'a> {
    pub(super) fn new(catalog: &'a Catalog, inventory: &'a Inventory) -> Self {
        let mut spaces = Spaces::default();
        let tables = catalog
            .datasets
            .iter()
            .map(|policy| Table::new(catalog, &mut spaces, policy, inventory))
            .collect();
        Self { catalog, spaces, tables }
    }

    /// The datasets of an environment, with their index in the catalog.
    pub(super) fn in_environment(
        &self,
        environment: Environment,
    ) -> impl Iterator<Item = (usize, &Table<'a>)> {
        self.tables
            .iter()
            .enumerate()
            .filter(move |(_, table)| table.policy.environment == environment)
    }

    /// Whether a canonical value is nobody in that namespace (RULES.md section 2).
    pub(super) fn is_placeholder(&self, space: SpaceId, canonical: &str) -> bool {
        let prefixes = self.catalog.settings.erased_prefixes();
        self.spaces.rules(space).is_placeholder(canonical, &prefixes)
    }
}
