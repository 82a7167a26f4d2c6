//! One block while the search is under way: its identities, where it stands, and what stopped it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{Expansion, IdentityOrigin, IdentityTerm, Limits, Reason};
use crate::plan::{BlockRef, IdentityId, RowKey};

use super::cells::ConditionId;
use super::composite::PartMatch;
use super::known::Known;
use super::lake::{Lake, SpaceId};
use super::scope::Scope;

/// Where a block is in the order of RULES.md section 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Links, to their fixpoint; so many rounds have added ids.
    Links(u32),
    /// The cookies that step 1 found have been probed.
    Cookies,
    /// The cookies that step 2 found have been probed.
    OtherCookies,
    /// Nothing more is looked for.
    Done,
}

/// One field of `only.where` in one dataset: its leaf, where there is one, and the condition.
pub(super) type Condition = (Option<u16>, ConditionId);

/// A composite identity of a block.
#[derive(Debug)]
pub(super) struct Composite {
    /// Sorted, each once.
    pub(super) parts: Vec<IdentityId>,
    /// Every part is a cookie id: it then expands as a cookie id does.
    pub(super) cookie_only: bool,
    /// Where it matched, by dataset.
    pub(super) found: Vec<(usize, Vec<PartMatch>)>,
}

/// A block.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) block: BlockRef,
    pub(super) scope: Arc<Scope>,
    /// `only.where`, by dataset.
    pub(super) conditions: BTreeMap<usize, Vec<Condition>>,
    /// Whether anything is looked for: not where the block was stopped before.
    pub(super) searched: bool,
    pub(super) expands: bool,
    /// Its delete has begun and is not finished: some of its cells may be erased already.
    pub(super) resumed: bool,
    pub(super) accepts_conflicts: bool,
    pub(super) limits: Limits,
    /// What the request names, parts of composite identities included; sorted.
    pub(super) given: Vec<IdentityId>,
    /// IDS of RULES.md section 3: what matches by itself; sorted.
    pub(super) alone: Vec<(IdentityId, IdentityOrigin)>,
    pub(super) composites: Vec<Composite>,
    pub(super) phase: Phase,
    /// Ids whose matches have not been followed yet.
    pub(super) fresh: Vec<(IdentityId, IdentityOrigin)>,
    /// Composite identities have not been followed yet.
    pub(super) composites_fresh: bool,
    /// What step 1 will add.
    pub(super) first: BTreeSet<IdentityId>,
    /// What step 2 will add.
    pub(super) second: BTreeSet<IdentityId>,
    /// Linked rows that name somebody else, by dataset and row.
    pub(super) conflicts: BTreeSet<(usize, RowKey)>,
    /// In which namespaces.
    pub(super) conflicting: BTreeSet<SpaceId>,
    pub(super) stop: Option<(Reason, String)>,
}

impl Subject {
    pub(super) fn conditions(&self, dataset: usize) -> &[Condition] {
        self.conditions.get(&dataset).map_or(&[], Vec::as_slice)
    }

    pub(super) fn origin(&self, id: IdentityId) -> Option<IdentityOrigin> {
        let at = self.alone.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        self.alone.get(at).map(|(_, origin)| *origin)
    }

    /// How many identities expansion has added, remembered ones included.
    pub(super) fn added(&self) -> impl Iterator<Item = IdentityId> {
        self.alone.iter().filter(|(_, origin)| *origin != IdentityOrigin::Given).map(|(id, _)| *id)
    }

    /// Reads the identities of a block: what it names, and what is remembered of an earlier expansion.
    pub(super) fn identify(
        &mut self,
        known: &Known,
        terms: &[(bool, Vec<IdentityId>)],
        remembered: &[IdentityId],
        lake: &Lake<'_>,
    ) {
        let mut alone = BTreeMap::new();
        let mut given = BTreeSet::new();
        for (composite, ids) in terms {
            given.extend(ids.iter().copied());
            if *composite {
                let parts: BTreeSet<IdentityId> = ids.iter().copied().collect();
                let is_cookie =
                    |id: &IdentityId| lake.spaces.expansion(known.space(*id)) == Expansion::Cookie;
                self.composites.push(Composite {
                    cookie_only: parts.iter().all(is_cookie),
                    parts: parts.into_iter().collect(),
                    found: Vec::new(),
                });
            } else {
                alone.extend(ids.iter().map(|id| (*id, IdentityOrigin::Given)));
            }
        }
        for id in remembered {
            let origin = match lake.spaces.expansion(known.space(*id)) {
                Expansion::Cookie => IdentityOrigin::Cookie,
                Expansion::Always | Expansion::Never => IdentityOrigin::Link,
            };
            alone.entry(*id).or_insert(origin);
        }
        self.given = given.into_iter().collect();
        self.alone = alone.into_iter().collect();
        self.fresh = self.alone.clone();
        self.composites_fresh = !self.composites.is_empty();
    }

    /// Adds `ids`, to be probed and followed next; those that are known already are only followed.
    /// Where they go beyond `maxExpandedIds` the block stops, without them.
    pub(super) fn add(&mut self, ids: Vec<IdentityId>, origin: IdentityOrigin, most: u64) {
        let new: Vec<_> =
            ids.iter().filter(|id| self.origin(**id).is_none()).map(|id| (*id, origin)).collect();
        if !self.keeps_within(most, new.len()) {
            return;
        }
        self.fresh.extend(ids.into_iter().map(|id| (id, origin)));
        self.alone.extend(new);
        self.alone.sort_unstable();
    }

    /// Whether so many more identities are within `maxExpandedIds`; stops the block where not.
    pub(super) fn keeps_within(&mut self, most: u64, more: usize) -> bool {
        let added = self.added().count() + more;
        let within = u64::try_from(added).is_ok_and(|added| added <= most);
        if !within {
            let message =
                format!("expansion adds {added} identities, more than maxExpandedIds ({most})");
            self.halt(Reason::LimitExceeded, message);
        }
        within
    }

    /// Stops the block: what is found so far stays to be shown, nothing more is looked for.
    pub(super) fn halt(&mut self, reason: Reason, message: String) {
        self.stop.get_or_insert((reason, message));
        self.phase = Phase::Done;
        self.fresh.clear();
        self.composites_fresh = false;
    }
}

/// The terms of a block as interned ids; `true` for a composite one.
pub(super) fn terms(
    lake: &mut Lake<'_>,
    known: &mut Known,
    terms: &[IdentityTerm],
) -> Vec<(bool, Vec<IdentityId>)> {
    terms
        .iter()
        .map(|term| {
            let ids = term
                .parts()
                .iter()
                .map(|identity| {
                    let space = lake.spaces.intern(lake.catalog, &identity.namespace);
                    known.intern(space, identity.clone())
                })
                .collect();
            (matches!(term, IdentityTerm::AllOf(_)), ids)
        })
        .collect()
}
