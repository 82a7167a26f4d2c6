//! Compiled keys: made when a file first needs them, for all its leaves at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{Leaf, LeafType};
use crate::plan::{IdentityId, ProbeLeaf};

use super::keys::{Keys, Stored, rescaled};

/// More keys than this are compiled by a thread a leaf.
const MANY: usize = 20_000;

/// The keys of each leaf of a probe, for each way in which files store it.
#[derive(Debug, Default)]
pub(super) struct KeyCache {
    known: Mutex<HashMap<(usize, Stored), Arc<Keys>>>,
}

/// A leaf of a file whose keys are needed.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// Its number in the probe.
    pub(super) number: usize,
    pub(super) probe: &'a ProbeLeaf,
    /// What it is over the dataset.
    pub(super) leaf: &'a Leaf,
    /// How the file stores it.
    pub(super) stored: Stored,
}

impl KeyCache {
    /// The keys of these leaves, in their order.
    pub(super) fn get(
        &self,
        wanted: Vec<Wanted<'_>>,
        counts_alone: &(dyn Fn(IdentityId) -> bool + Sync),
    ) -> Vec<Arc<Keys>> {
        // What panics while it holds the lock leaves the map as it was.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let missing: Vec<&Wanted<'_>> = wanted
            .iter()
            .filter(|leaf| !known.contains_key(&(leaf.number, leaf.stored.clone())))
            .collect();
        let keys: usize = missing.iter().map(|leaf| leaf.probe.keys.len()).sum();
        let compiled: Vec<Keys> = if keys > MANY {
            std::thread::scope(|scope| {
                let threads: Vec<_> =
                    missing.iter().map(|leaf| scope.spawn(|| leaf.compile(counts_alone))).collect();
                let joined = threads.into_iter().zip(&missing).map(|(thread, leaf)| {
                    thread.join().unwrap_or_else(|_| leaf.compile(counts_alone))
                });
                joined.collect()
            })
        } else {
            missing.iter().map(|leaf| leaf.compile(counts_alone)).collect()
        };
        let places: Vec<(usize, Stored)> =
            missing.iter().map(|leaf| (leaf.number, leaf.stored.clone())).collect();
        known.extend(places.into_iter().zip(compiled.into_iter().map(Arc::new)));
        wanted
            .into_iter()
            .filter_map(|leaf| known.get(&(leaf.number, leaf.stored)).map(Arc::clone))
            .collect()
    }
}

impl Wanted<'_> {
    fn compile(&self, counts_alone: &(dyn Fn(IdentityId) -> bool + Sync)) -> Keys {
        match (&self.leaf.kind, &self.stored.kind) {
            (LeafType::Decimal { scale, .. }, LeafType::Decimal { scale: own, .. })
                if scale != own =>
            {
                Keys::new(&rescaled(self.probe, *scale, *own), &self.stored, counts_alone)
            }
            (LeafType::Decimal { scale, .. }, LeafType::Int { .. }) => {
                Keys::new(&rescaled(self.probe, *scale, 0), &self.stored, counts_alone)
            }
            _ => Keys::new(self.probe, &self.stored, counts_alone),
        }
    }
}
