//! Looks identities up that requests give by keyed digests: every value of the columns of their namespaces is
//! hashed under the deployment key, and what has the digest is the identity. Only texts and integers have one
//! spelling; for other types nobody could tell a miss from another spelling, so there a digest stays unclear, and
//! its block fails.
//!
//! Guarantees: a digest counts as held by no row only where every file that could hold it was read to its end.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::engine::Engine;
use crate::manifest::Loaded;
use crate::model::{
    Action, Catalog, Identity, IdentityTerm, LeafType, Name, NamespaceName, Part, Phase, Request,
    Sensitive, TaskId, UserBlock, Veil, VeiledTerm,
};
use crate::plan::{BlockRef, DatasetFiles, Inventory, LedgerView, Resolved, RowKey, held_requests};
use crate::store::{DeploymentKey, State, in_parallel};

use super::gather::{accept_emptied, fingerprints};
use super::pass::Pass;
use super::{Event, Events, PassError};

/// The requests of a pass with the digests looked up of those blocks that are to be worked on; `None` where there
/// is nothing to look up, or no key to do it with.
///
/// # Errors
/// The pass was interrupted.
pub(super) fn resolved(
    pass: &Pass<'_>,
    state: &State,
    inventory: &Inventory,
    events: &mut dyn Events,
) -> Result<Option<Loaded>, PassError> {
    let Some(key) = state.deployment_key() else { return Ok(None) };
    let mut blocks = open(&pass.loaded.requests, state.view(), key);
    blocks.extend(held(pass));
    if blocks.is_empty() {
        return Ok(None);
    }
    let (mut loaded, mut inventory) = (pass.loaded.clone(), inventory.clone());
    accept_emptied(&mut inventory, state.view());
    let (engine, catalog, inventory) = (pass.engine, &pass.loaded.catalog, &inventory);
    let lookup = Lookup { engine, catalog, inventory, key };
    lookup.all(&mut loaded.requests, &blocks, events);
    pass.workspace.stop.check()?;
    Ok(Some(loaded))
}

/// Blocks with digests whose rows a hold on their request keeps from the deletes of others.
fn held(pass: &Pass<'_>) -> impl Iterator<Item = BlockRef> {
    let requests = &pass.loaded.requests;
    held_requests(&pass.loaded.catalog, requests, pass.now).flat_map(|at| {
        let request = requests.get(at);
        request.map(|request| with_digests(request, at)).unwrap_or_default()
    })
}

/// Blocks with digests and something to do.
fn open(requests: &[Request], ledger: &LedgerView, key: &DeploymentKey) -> BTreeSet<BlockRef> {
    let mut open = BTreeSet::new();
    for (at, request) in requests.iter().enumerate() {
        if request.rejected.is_some() || request.suspend || request.withdrawn {
            continue;
        }
        let with_digests = with_digests(request, at);
        if with_digests.is_empty() {
            continue;
        }
        let prints = fingerprints(std::slice::from_ref(request), Some(key));
        open.extend(with_digests.into_iter().filter(|block| {
            let Some(user) = request.users.get(block.user) else { return false };
            user.actions.iter().any(|action| {
                let id = TaskId {
                    request: request.name.clone(),
                    key: Some(user.key.clone()),
                    action: Some(*action),
                };
                let done = ledger.tasks.get(&id).is_some_and(|task| {
                    matches!(task.phase, Phase::Complete | Phase::Cancelled)
                        && prints.get(&id) == Some(&task.fingerprint)
                });
                !done || *action == Action::Delete && user.standing
            })
        }));
    }
    open
}

/// The blocks of a request, the `at`-th, that give identities by digests, and no sealed one.
pub(super) fn with_digests(request: &Request, at: usize) -> BTreeSet<BlockRef> {
    let has = |block: &UserBlock| {
        let mut veils = block.veiled.iter().flat_map(VeiledTerm::veils).peekable();
        block.rejected.is_none()
            && veils.peek().is_some()
            && veils.all(|veil| matches!(veil, Veil::Digest(_)))
    };
    let users = request.users.iter().enumerate().filter(|(_, block)| has(block));
    users.map(|(user, _)| BlockRef { request: at, user }).collect()
}

/// What digests are looked up in.
pub(super) struct Lookup<'a> {
    pub(super) engine: &'a Engine,
    pub(super) catalog: &'a Catalog,
    pub(super) inventory: &'a Inventory,
    pub(super) key: &'a DeploymentKey,
}

/// The digests that are wanted, by namespace.
type Wanted = BTreeMap<NamespaceName, HashSet<String>>;
/// The identities of digests.
type Found = HashMap<(NamespaceName, String), Identity>;

/// The ID leaves of one file.
struct Unit<'a> {
    files: &'a DatasetFiles,
    file: usize,
    leaves: Vec<(u16, &'a LeafType, &'a NamespaceName)>,
}

impl Lookup<'_> {
    /// Looks up the digests of these blocks, and puts what was found in their place.
    pub(super) fn all(
        &self,
        requests: &mut [Request],
        blocks: &BTreeSet<BlockRef>,
        events: &mut dyn Events,
    ) {
        let mut wanted = Wanted::new();
        for block in blocks {
            let user = requests.get(block.request).and_then(|r| r.users.get(block.user));
            let parts = user.into_iter().flat_map(|user| &user.veiled).flat_map(|term| &term.0);
            for part in parts {
                if let Part::Veiled { namespace, veil: Veil::Digest(digest) } = part {
                    wanted.entry(namespace.clone()).or_default().insert(digest.clone());
                }
            }
        }
        let (units, mut unclear) = self.units(&wanted);
        events.event(Event::Stage { name: "looking digests up", steps: units.len() as u64 });
        let mut found = Found::new();
        for (unit, read) in units
            .iter()
            .zip(in_parallel(self.engine.jobs(), &units, |unit| self.read(unit, &wanted)))
        {
            match read {
                Some(some) => found.extend(some),
                None => {
                    for (_, _, namespace) in &unit.leaves {
                        let why = unreadable(namespace, &unit.files.dataset);
                        unclear.entry((*namespace).clone()).or_insert(why);
                    }
                }
            }
        }
        for block in blocks {
            let user = requests.get_mut(block.request).and_then(|r| r.users.get_mut(block.user));
            if let Some(user) = user {
                settle(user, &found, &unclear);
            }
        }
    }

    /// The files to read, and the namespaces in which a miss would tell nothing.
    fn units(&self, wanted: &Wanted) -> (Vec<Unit<'_>>, BTreeMap<NamespaceName, String>) {
        let (mut units, mut unclear) = (Vec::new(), BTreeMap::new());
        for dataset in &self.catalog.datasets {
            let mut carried = dataset.id_fields().filter_map(|(_, field)| field.namespace.as_ref());
            let Some(first) = carried.find(|name| wanted.contains_key(*name)) else { continue };
            let carried: Vec<_> = carried.filter(|name| wanted.contains_key(*name)).collect();
            let files = self.inventory.datasets.get(&dataset.name);
            let Some(files) = files.filter(|files| files.problems.is_empty()) else {
                for namespace in carried.into_iter().chain([first]) {
                    let why = unreadable(namespace, &dataset.name);
                    unclear.entry(namespace.clone()).or_insert(why);
                }
                continue;
            };
            let mut leaves = Vec::new();
            for (leaf, namespace) in Resolved::new(dataset, files).id_leaves() {
                let kind = match files.leaves.get(usize::from(leaf.index)) {
                    Some(known) if wanted.contains_key(namespace) => &known.kind,
                    _ => continue,
                };
                if !matches!(kind, LeafType::Text | LeafType::Int { .. }) {
                    let why = format!(
                        "an identity of {namespace} is given by its digest, and {} in {} is a {}: digests can \
                         be looked up in texts and integers only",
                        leaf.leaf.path,
                        dataset.name,
                        kind.describe(),
                    );
                    unclear.insert(namespace.clone(), why);
                }
                leaves.push((leaf.index, kind, namespace));
            }
            if !leaves.is_empty() {
                let of = |file| Unit { files, file, leaves: leaves.clone() };
                units.extend((0..files.files.len()).map(of));
            }
        }
        (units, unclear)
    }

    /// The identities of a file that have a wanted digest; `None` where it cannot be read.
    fn read(&self, unit: &Unit<'_>, wanted: &Wanted) -> Option<Found> {
        let mut found = Found::new();
        let file = unit.files.files.get(unit.file)?;
        let number = u32::try_from(unit.file).ok()?;
        let mut start: u64 = 0;
        for group in &file.row_groups {
            let end = start.checked_add(group.rows)?;
            let rows: Vec<RowKey> = (start..end).map(|row| RowKey { file: number, row }).collect();
            start = end;
            for (leaf, kind, namespace) in &unit.leaves {
                let rules = self.catalog.namespace(namespace);
                let digests = wanted.get(*namespace)?;
                let mut last = String::new();
                for value in self.engine.values(unit.files, &rows, &[*leaf]).ok()? {
                    let given = kind.identity_text(value.value.expose());
                    if given == last {
                        continue;
                    }
                    let canonical = Sensitive::new(rules.canonical(&given));
                    let digest = self.key.identity(namespace, &canonical);
                    if digests.contains(&digest) {
                        let identity = Identity {
                            namespace: (*namespace).clone(),
                            given: Sensitive::new(given.clone()),
                            canonical,
                        };
                        found.insert(((*namespace).clone(), digest), identity);
                    }
                    last = given;
                }
            }
        }
        Some(found)
    }
}

fn unreadable(namespace: &NamespaceName, dataset: &Name) -> String {
    format!(
        "an identity of {namespace} is given by its digest, and dataset {dataset}, which may hold it, cannot be \
         read as a whole"
    )
}

/// Puts what was found in place of a block's digests.
fn settle(user: &mut UserBlock, found: &Found, unclear: &BTreeMap<NamespaceName, String>) {
    for term in std::mem::take(&mut user.veiled) {
        let part = |part: Part| {
            let Part::Veiled { namespace, veil: Veil::Digest(digest) } = part else { return part };
            let place = (namespace, digest);
            if let Some(why) = unclear.get(&place.0) {
                let veil = Veil::Unclear(place.1, why.clone());
                return Part::Veiled { namespace: place.0, veil };
            }
            match found.get(&place) {
                Some(identity) => Part::Known(identity.clone()),
                None => Part::Veiled { namespace: place.0, veil: Veil::Absent(place.1) },
            }
        };
        let parts: Vec<Part> = term.0.into_iter().map(part).collect();
        let known: Option<Vec<Identity>> = parts.iter().map(|part| part.known().cloned()).collect();
        match known {
            None => user.veiled.push(VeiledTerm(parts)),
            Some(known) if known.len() > 1 => user.identities.push(IdentityTerm::AllOf(known)),
            Some(known) => user.identities.extend(known.into_iter().map(IdentityTerm::One)),
        }
    }
}
