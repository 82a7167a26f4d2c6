//! Expansion of one block (RULES.md section 3): links first, to their fixpoint; then step 1, custom to
//! cookie; then step 2, cookie to cookie. And the identity conflicts that links bring.
//!
//! An id that expansion adds is an identity like any other: a link or cookie field outside a list, or
//! without a party, matches the row it came from too, and then reaches all of that row. Whoever restricts
//! rows by elements or parties gives link fields a place inside, or a party.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{CookieExpansion, Expansion, IdentityOrigin, Reason};
use crate::plan::{IdentityId, RowKey};

use super::Finds;
use super::cells::Cell;
use super::known::Known;
use super::lake::{Lake, SpaceId, Table};
use super::matches::Match;
use super::subject::{Phase, Subject};

/// What the search knows: everything that a block may look at.
#[derive(Clone, Copy)]
pub(super) struct Seen<'s, 'a> {
    pub(super) lake: &'s Lake<'a>,
    pub(super) known: &'s Known,
    pub(super) finds: &'s [Finds],
}

/// What a match is followed for.
#[derive(Debug, Clone, Copy)]
struct Feeds {
    /// Link ids: only from person matches, never by a cookie that expansion found.
    links: bool,
    /// Step 1.
    first: bool,
    /// Step 2.
    second: bool,
    /// The row was reached by a link: whom else does it name?
    conflicts: bool,
}

impl Feeds {
    fn wants(self, expansion: Expansion) -> bool {
        match expansion {
            Expansion::Always => self.links,
            Expansion::Cookie => self.first || self.second,
            Expansion::Never => false,
        }
    }
}

/// Rows of which leaves are wanted: by dataset and leaf.
pub(super) type Wanted = BTreeMap<(usize, u16), Vec<RowKey>>;

/// What following the matches of a round has brought.
#[derive(Debug, Default)]
struct Gains {
    links: BTreeSet<IdentityId>,
    first: BTreeSet<IdentityId>,
    second: BTreeSet<IdentityId>,
    conflicts: BTreeSet<(usize, RowKey)>,
    conflicting: BTreeSet<SpaceId>,
}

impl<'a> Seen<'_, 'a> {
    fn table(&self, dataset: usize) -> &Table<'a> {
        &self.lake.tables[dataset]
    }

    fn fixpoint(&self) -> bool {
        self.lake.catalog.settings.cookie_expansion == CookieExpansion::Fixpoint
    }

    /// Every match that a block has not followed yet.
    fn visit(&self, subject: &Subject, mut visit: impl FnMut(usize, &Match, Feeds)) {
        for (id, origin) in &subject.fresh {
            let cookie = self.lake.spaces.expansion(self.known.space(*id)) == Expansion::Cookie;
            for dataset in &subject.scope.datasets {
                for hit in self.finds[*dataset].matches.of(*id) {
                    let person = self.table(*dataset).id(hit.slot).person;
                    visit(*dataset, hit, self.feeds(subject, *origin, cookie, person));
                }
            }
        }
        for composite in subject.composites.iter().filter(|_| subject.composites_fresh) {
            for (dataset, parts) in &composite.found {
                for part in parts {
                    let origin = IdentityOrigin::Given;
                    let feeds = self.feeds(subject, origin, composite.cookie_only, part.person);
                    visit(*dataset, &part.hit, feeds);
                }
            }
        }
    }

    fn feeds(
        &self,
        subject: &Subject,
        origin: IdentityOrigin,
        cookie: bool,
        person: bool,
    ) -> Feeds {
        let linking = matches!(subject.phase, Phase::Links(_));
        let by_found_cookie = origin == IdentityOrigin::Cookie;
        let of_step_1 = subject.phase == Phase::Cookies;
        Feeds {
            links: linking && person && !by_found_cookie,
            first: linking && subject.expands && !cookie && !by_found_cookie,
            second: subject.expands && cookie && (!by_found_cookie || of_step_1 || self.fixpoint()),
            conflicts: origin == IdentityOrigin::Link,
        }
    }

    /// Adds the values that have to be known before [`Seen::advance`] can follow the block's matches.
    pub(super) fn want(&self, subject: &Subject, wanted: &mut Wanted) {
        let spaces = self.given_spaces(subject);
        self.visit(subject, |dataset, hit, feeds| {
            let table = self.table(dataset);
            for (leaf, _) in subject.conditions(dataset) {
                if let Some(leaf) = leaf {
                    wanted.entry((dataset, *leaf)).or_default().push(hit.at);
                }
            }
            for (slot, id) in table.slotted() {
                let wants = feeds.wants(self.lake.spaces.expansion(id.space))
                    || feeds.conflicts && spaces.contains(&id.space);
                if wants && table.levels_to_agree(hit.slot, slot).is_some() {
                    wanted.entry((dataset, id.leaf)).or_default().push(hit.at);
                }
            }
        });
    }

    fn given_spaces(&self, subject: &Subject) -> BTreeSet<SpaceId> {
        subject.given.iter().map(|id| self.known.space(*id)).collect()
    }

    /// Follows the matches of the last round and moves the block on, until it has new ids to probe or
    /// is done.
    pub(super) fn advance(&self, subject: &mut Subject) {
        let limits = subject.limits.clone();
        let gains = self.follow(subject);
        subject.fresh.clear();
        subject.composites_fresh = false;
        subject.first.extend(gains.first);
        subject.second.extend(gains.second);
        subject.conflicts.extend(gains.conflicts);
        subject.conflicting.extend(gains.conflicting);
        if let Phase::Links(rounds) = subject.phase {
            let new: Vec<_> =
                gains.links.into_iter().filter(|id| subject.origin(*id).is_none()).collect();
            if !new.is_empty() {
                if rounds < limits.max_hops {
                    subject.phase = Phase::Links(rounds + 1);
                    subject.add(new, IdentityOrigin::Link, limits.max_expanded_ids);
                } else {
                    let message = format!(
                        "links still lead to new identities after {rounds} rounds (maxHops)"
                    );
                    subject.halt(Reason::LimitExceeded, message);
                }
                return;
            }
            self.judge_conflicts(subject);
            subject.phase = Phase::Cookies;
            let given = IdentityOrigin::Given;
            let found = std::mem::take(&mut subject.first);
            let seeds = found.into_iter().filter(|id| subject.origin(*id) != Some(given)).collect();
            subject.add(seeds, IdentityOrigin::Cookie, limits.max_expanded_ids);
            if !subject.fresh.is_empty() {
                return;
            }
        }
        if subject.phase != Phase::Done {
            let found = std::mem::take(&mut subject.second);
            let new = found.into_iter().filter(|id| subject.origin(*id).is_none()).collect();
            subject.phase = Phase::OtherCookies;
            subject.add(new, IdentityOrigin::Cookie, limits.max_expanded_ids);
            if subject.fresh.is_empty() {
                subject.phase = Phase::Done;
            }
        }
    }

    fn follow(&self, subject: &Subject) -> Gains {
        let mut gains = Gains::default();
        self.visit(subject, |dataset, hit, feeds| {
            let finds = &self.finds[dataset];
            let conditions = subject.conditions(dataset);
            if !finds.cells.meets(conditions, hit.at) {
                return;
            }
            let table = self.table(dataset);
            let reached = |cell: &&Cell| {
                table
                    .levels_to_agree(hit.slot, cell.slot)
                    .is_some_and(|levels| finds.elements.agree(hit.element, cell.element, levels))
            };
            let row = finds.cells.of_row(hit.at);
            for cell in row.iter().filter(reached) {
                let space = table.id(cell.slot).space;
                match self.lake.spaces.expansion(space) {
                    Expansion::Always if feeds.links => {
                        gains.links.insert(cell.identity);
                    }
                    Expansion::Cookie => {
                        if feeds.first {
                            gains.first.insert(cell.identity);
                        }
                        if feeds.second {
                            gains.second.insert(cell.identity);
                        }
                    }
                    _ => {}
                }
                if feeds.conflicts && self.names_another(subject, table, cell) {
                    let same_subject = table.policy.same_subject
                        && row.iter().filter(reached).any(|other| {
                            table.id(other.slot).space == space
                                && self.is_given(subject, table, other)
                        });
                    if !same_subject {
                        gains.conflicts.insert((dataset, hit.at));
                        gains.conflicting.insert(space);
                    }
                }
            }
        });
        gains
    }

    /// Whether the block gives identities of the cell's namespace, and none of them is the cell's. Where
    /// an unfinished delete may have left something that looks like a value, nobody is named.
    fn names_another(&self, subject: &Subject, table: &Table<'_>, cell: &Cell) -> bool {
        let space = table.id(cell.slot).space;
        subject.given.iter().any(|id| self.known.space(*id) == space)
            && !(subject.resumed && table.id(cell.slot).disguised)
            && !self.is_given(subject, table, cell)
    }

    /// Whether the cell's value is one that the block gives, compared in the column's own type.
    fn is_given(&self, subject: &Subject, table: &Table<'_>, cell: &Cell) -> bool {
        let id = table.id(cell.slot);
        let key =
            |value| id.shape.kind.key(self.lake.spaces.rules(id.space), self.known.given(value));
        subject.given.contains(&cell.identity)
            || subject.given.iter().any(|given| {
                self.known.space(*given) == id.space
                    && key(*given).is_some_and(|wanted| Some(wanted) == key(cell.identity))
            })
    }

    /// Too many linked rows that name somebody else stop the block, unless a person has looked. What
    /// expansion finds is still looked for, so that the plan shows it.
    fn judge_conflicts(&self, subject: &mut Subject) {
        let most = subject.limits.max_conflicts;
        let count = subject.conflicts.len();
        if subject.accepts_conflicts || u64::try_from(count).is_ok_and(|count| count <= most) {
            return;
        }
        let names: Vec<String> = subject
            .conflicting
            .iter()
            .map(|space| self.lake.spaces.rules(*space).name.to_string())
            .collect();
        let message = format!(
            "{count} linked row(s) carry another value of {} than the request names, more than \
             maxConflicts ({most}); look at them, then set `acceptConflicts: true` on the block",
            names.join(", "),
        );
        subject.stop.get_or_insert((Reason::IdentityConflict, message));
    }
}
