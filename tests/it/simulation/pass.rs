//! What one pass should do: phases and reasons, packages, the lake afterwards, how the command ends.

use std::collections::{BTreeMap, BTreeSet};

use amparo::reconcile::Verdict;
use jiff::Span;
use serde_json::{Value, json};

use super::effect::slot;
use super::find::{Found, expansion, named};
use super::model::{
    FileId, Hold, HoldScope, Interrupted, Known, Model, Package, TaskId, print, scope,
};
use super::people::{Block, Request};
use super::rows::Row;

/// What a pass makes of the world.
#[derive(Debug, Clone)]
pub(super) struct Foreseen {
    /// The world after it.
    pub(super) after: Model,
    pub(super) verdict: Verdict,
    /// What `plan` says before it.
    pub(super) planned: Verdict,
    /// The rows that each delete that runs changes, by file.
    pub(super) erased: BTreeMap<TaskId, BTreeMap<FileId, BTreeSet<usize>>>,
    /// Rows that go, by file.
    pub(super) gone: BTreeMap<FileId, BTreeSet<usize>>,
    /// Deletes that reach numbers of which nobody can tell whether they were drawn.
    pub(super) unclear: BTreeSet<TaskId>,
    /// What the expansion of each delete that runs found.
    pub(super) found: BTreeMap<TaskId, BTreeSet<(String, String)>>,
    /// The work of the pass was done by several: what each of them found differs.
    pub(super) shared: bool,
    /// Tasks of which the pass says something, without it being done: the state at the intents.
    pub(super) begun: BTreeMap<TaskId, Known>,
}

impl Foreseen {
    /// Whether some block waits for somebody to look at its conflicts.
    pub(super) fn conflicts(&self) -> bool {
        self.after.known.values().any(|known| known.reason == Some("IdentityConflict"))
    }
}

/// A task on its way.
struct Task<'a> {
    id: TaskId,
    print: String,
    of: Option<(&'a Request, &'a Block)>,
    standing: (&'static str, Option<&'static str>),
    /// It is to be carried out.
    runs: bool,
    /// It is complete, and searched only because it is standing.
    in_force: bool,
    /// Something that it needs cannot be read: what this does not hinder is done, and it fails.
    hindered: bool,
    found: Found,
}

impl Model {
    /// What a pass should do now.
    pub(super) fn foresee(&self) -> Foreseen {
        let mut foreseen = Foreseen {
            after: self.clone(),
            verdict: Verdict::Invalid,
            planned: Verdict::Invalid,
            erased: BTreeMap::new(),
            gone: BTreeMap::new(),
            unclear: BTreeSet::new(),
            found: BTreeMap::new(),
            shared: false,
            begun: BTreeMap::new(),
        };
        if self.policies.broken {
            return foreseen;
        }
        let after = &mut foreseen.after;
        for name in self.requests.keys() {
            after.seen.entry(name.clone()).or_insert(self.now);
        }
        after.holds_seen.extend(self.policies.holds.keys().cloned());
        after.tenants_seen |= !self.policies.no_tenants;
        let mut tasks = self.tasks();
        for task in &tasks {
            self.submit(task, &mut foreseen);
        }
        foreseen.begun.clone_from(&foreseen.after.known);
        self.access(&mut tasks, &mut foreseen);
        self.erase(&mut tasks, &mut foreseen);
        for task in &tasks {
            self.settle(task, &mut foreseen);
        }
        for (file, gone) in &foreseen.gone {
            foreseen.after.known.values_mut().for_each(|known| known.close_up(file, gone));
        }
        let expired = |package: &Package| package.expires <= self.now;
        foreseen.after.packages.retain(|_, package| !expired(package));
        self.judge(&tasks, &mut foreseen);
        foreseen
    }

    /// Every task, decided as far as it can be before the others' work is known.
    fn tasks(&self) -> Vec<Task<'_>> {
        let mut tasks = Vec::new();
        for (name, request) in &self.requests {
            if request.broken {
                tasks.push(Task {
                    id: (name.clone(), None, None),
                    print: String::new(),
                    of: None,
                    standing: ("Rejected", Some("Invalid")),
                    runs: false,
                    in_force: false,
                    hindered: false,
                    found: Found::default(),
                });
                continue;
            }
            for block in &request.blocks {
                let mut access = None;
                if block.access {
                    let task = self.decide(name, request, block, "access", None);
                    access = Some((task.standing, task.runs));
                    tasks.push(task);
                }
                if block.delete {
                    tasks.push(self.decide(name, request, block, "delete", access));
                }
            }
        }
        for (id, known) in &self.known {
            if !known.is_final() && !tasks.iter().any(|task| task.id == *id) {
                tasks.push(Task {
                    id: id.clone(),
                    print: known.print.clone(),
                    of: None,
                    standing: ("Blocked", Some("Orphaned")),
                    runs: false,
                    in_force: false,
                    hindered: false,
                    found: Found::default(),
                });
            }
        }
        tasks
    }

    fn decide<'a>(
        &'a self,
        name: &str,
        request: &'a Request,
        block: &'a Block,
        action: &'static str,
        access: Option<((&'static str, Option<&'static str>), bool)>,
    ) -> Task<'a> {
        let id = (name.to_owned(), Some(block.key.clone()), Some(action));
        let mut task = Task {
            print: print(request, block),
            of: Some((request, block)),
            standing: ("Submitted", None),
            runs: false,
            in_force: false,
            hindered: false,
            found: Found::default(),
            id,
        };
        let delete = action == "delete";
        let known = self.known.get(&task.id).filter(|known| known.print == task.print);
        if let Some(reason) = self.rejected(request, block) {
            task.standing = ("Rejected", Some(reason));
            return task;
        }
        match known.map(|known| known.phase) {
            Some("Complete" | "Cancelled") => {
                let known = known.unwrap();
                task.standing = (known.phase, known.reason);
                let stopped = request.withdrawn || request.suspend || self.policies_gone();
                task.in_force = delete && known.phase == "Complete" && block.standing && !stopped;
                if !task.in_force {
                    return task;
                }
            }
            _ if request.withdrawn => task.standing = ("Cancelled", Some("Withdrawn")),
            _ if request.suspend => task.standing = ("Blocked", Some("Suspended")),
            _ if delete && self.policies_gone() => {
                task.standing = ("Blocked", Some("NeedsApproval"))
            }
            _ => {}
        }
        if !task.in_force && task.standing.0 != "Submitted" {
            return task;
        }
        task.found = self.look(name, request, block);
        if task.found.conflict {
            task.standing = ("Blocked", Some("IdentityConflict"));
        } else if let Some((standing, false)) = access.filter(|(s, _)| !is_final(s.0)) {
            task.standing = standing;
        } else if task.found.unreadable && !delete {
            task.standing = ("Failed", Some("DataUnreadable"));
        } else {
            task.hindered = task.found.unreadable;
            task.runs = true;
        }
        task
    }

    /// The rows of a block today.
    fn look(&self, name: &str, request: &Request, block: &Block) -> Found {
        let empty = BTreeSet::new();
        // What an unfinished delete remembers is its block's, for access too.
        let deletes = (name.to_owned(), Some(block.key.clone()), Some("delete"));
        let own = self
            .known
            .get(&deletes)
            .filter(|known| known.print == print(request, block) && !known.is_final())
            .map_or(&empty, |known| &known.remembered);
        let now = named(block);
        let earlier = self.interrupted.get(&deletes).into_iter().flat_map(BTreeMap::values);
        let earlier = earlier.map(|Interrupted { given, remembered, .. }| (given, remembered));
        let open = self.known.get(&deletes).filter(|known| !known.is_final() && known.began);
        let open = open.map(|Known { given, remembered, .. }| (given, remembered));
        let earlier = earlier
            .chain(open)
            .filter(|(given, _)| given.is_subset(&now))
            .flat_map(|(_, remembered)| remembered)
            .filter(|(namespace, _)| request.expand || expansion(namespace) != "cookie");
        let remembered = own.iter().chain(earlier).cloned().collect();
        self.find(request, block, &remembered)
    }

    /// What an unfinished delete remembers outlives an edit or a rejection of its request.
    fn interrupt(&mut self, id: &TaskId) {
        let begun = |known: &&Known| !known.is_final() && known.began;
        let Some(known) = self.known.get(id).filter(begun) else { return };
        if id.2 == Some("delete") {
            let Known { print, given, scope, remembered, began, life, .. } = known.clone();
            let earlier = Interrupted { given, scope, remembered, began, life };
            self.interrupted.entry(id.clone()).or_default().insert(print, earlier);
        }
    }

    /// Whether a hold on a request keeps rows that nobody can tell: nothing is erased then.
    fn hold_is_unclear(&self) -> bool {
        self.holds().iter().any(|hold| {
            let HoldScope::Request(name) = &hold.scope else { return false };
            let Some(request) = self.requests.get(name) else {
                return self.seen.contains_key(name);
            };
            let unclear = |block: &Block| {
                self.rejected(request, block).is_some()
                    || block.delete && self.look(name, request, block).unreadable
            };
            request.broken || request.blocks.iter().any(unclear)
        })
    }

    /// The rows that holds on requests keep from everybody, whatever has become of those requests.
    fn held_rows(&self) -> BTreeSet<(FileId, usize)> {
        let holds = self.holds();
        self.requests
            .iter()
            .filter(|(name, request)| {
                let held = |hold: &&Hold| hold.scope == HoldScope::Request((*name).clone());
                !request.broken && holds.iter().copied().any(|hold| held(&hold))
            })
            .flat_map(|(name, request)| {
                request.blocks.iter().map(move |block| (name, request, block))
            })
            .filter(|(_, request, block)| block.delete && self.rejected(request, block).is_none())
            .flat_map(|(name, request, block)| self.look(name, request, block).rows.into_keys())
            .collect()
    }

    /// The ledger learns of the task.
    fn submit(&self, task: &Task<'_>, foreseen: &mut Foreseen) {
        let after = &mut foreseen.after;
        let (received, due) = match self.requests.get(&task.id.0) {
            Some(request) => after.dates(&task.id.0, request),
            None => return,
        };
        if task.of.is_none() && task.standing.0 != "Rejected" {
            return;
        }
        if task.id.1.is_some() {
            // The file as a whole is valid again.
            let whole = (task.id.0.clone(), None, None);
            after.known.remove(&whole);
        }
        let (mut resumed, mut began) = (BTreeSet::new(), false);
        let fresh = match after.known.get_mut(&task.id) {
            None => true,
            Some(known) => {
                let reopened = matches!(known.phase, "Rejected" | "Cancelled")
                    && known.phase != task.standing.0;
                let fresh = known.print != task.print || reopened;
                if !fresh && !known.is_final() {
                    (known.received, known.due) = (received, due);
                }
                fresh
            }
        };
        if fresh {
            after.interrupt(&task.id);
            after.lives += 1;
            let mut life = after.lives;
            let earlier = after.interrupted.get(&task.id);
            if let Some(same) = earlier.and_then(|earlier| earlier.get(&task.print)) {
                life = same.life;
                (resumed, began) = (same.remembered.clone(), same.began);
            }
            let known = Known {
                print: task.print.clone(),
                given: task.of.map(|(_, block)| named(block)).unwrap_or_default(),
                phase: "Submitted",
                reason: None,
                received,
                due,
                finished: None,
                life,
                scope: task.of.map(|(r, block)| scope(r, block)).unwrap_or_default(),
                remembered: resumed,
                began,
                rows: None,
                erased: None,
                miscounted: false,
                counted: BTreeMap::new(),
            };
            after.known.insert(task.id.clone(), known);
        }
    }

    fn access(&self, tasks: &mut [Task<'_>], foreseen: &mut Foreseen) {
        for task in tasks.iter_mut().filter(|t| t.runs && t.id.2 == Some("access")) {
            let (request, key) = (task.id.0.clone(), task.id.1.clone().unwrap());
            if task.found.rows.is_empty() {
                task.standing = ("Complete", Some("NoMatch"));
                continue;
            }
            task.standing = ("Complete", Some("Exported"));
            let package = Package {
                task: task.id.clone(),
                expires: self.now + Span::new().hours(14 * 24),
                datasets: self.profile(&task.found),
            };
            foreseen.after.packages.insert((request, key), package);
        }
    }

    /// `datasets` of a `profile.json`, rows sorted by their text.
    fn profile(&self, found: &Found) -> Value {
        let mut datasets = Vec::new();
        for (index, dataset) in self.schema.iter().enumerate() {
            let mut kinds = [Vec::new(), Vec::new()];
            for (((_, path), n), hits) in found.rows.iter().filter(|(((d, _), _), _)| *d == index) {
                let row = &self.files[&(index, path.clone())].rows[*n];
                let person = hits.iter().any(|hit| hit.person);
                kinds[usize::from(!person)].push(self.shown(dataset, row, hits, person));
            }
            if kinds.iter().all(Vec::is_empty) {
                continue;
            }
            let [person, device] = kinds;
            datasets.push(json!({
                "dataset": dataset.name, "product": dataset.product, "source": dataset.name,
                "person": person, "device": device,
            }));
        }
        sorted(datasets.into())
    }

    fn erase(&self, tasks: &mut [Task<'_>], foreseen: &mut Foreseen) {
        let (held, unclear) = (self.held_rows(), self.hold_is_unclear());
        let mut gone: BTreeMap<FileId, BTreeSet<usize>> = BTreeMap::new();
        let mut taken = BTreeSet::new();
        let mut changes = Vec::new();
        // Rows go whichever task comes first: their cells are nobody's any more.
        for go in [true, false] {
            for task in tasks.iter_mut().filter(|t| t.runs && t.id.2 == Some("delete")) {
                let Some((request, _)) = task.of else { continue };
                let life = foreseen.after.known[&task.id].life;
                let (mut is_held, mut rows) = (false, BTreeSet::new());
                if unclear && !task.found.rows.is_empty() {
                    if !go {
                        foreseen.erased.entry(task.id.clone()).or_default();
                        self.outcome(task, false, true, &mut foreseen.found);
                        task.runs = false;
                    }
                    continue;
                }
                for (at, hits) in &task.found.rows {
                    let (file, n) = at;
                    let row = &self.files[file].rows[*n];
                    let fate = self.fate(file.0, row, hits, request.purge, held.contains(at), life);
                    is_held |= fate.held;
                    if fate.unclear {
                        foreseen.unclear.insert(task.id.clone());
                    }
                    if go {
                        if fate.goes && gone.entry(file.clone()).or_default().insert(*n) {
                            rows.insert(at.clone());
                        }
                        continue;
                    }
                    if gone.get(file).is_some_and(|rows| rows.contains(n)) {
                        continue;
                    }
                    for (field, element, new) in fate.cells {
                        if taken.insert((at.clone(), field, element)) {
                            rows.insert(at.clone());
                            changes.push((at.clone(), field, element, new));
                        }
                    }
                }
                let erased = foreseen.erased.entry(task.id.clone()).or_default();
                for (file, row) in rows {
                    erased.entry(file).or_default().insert(row);
                }
                if !go {
                    let changed = !erased.is_empty();
                    self.outcome(task, changed, is_held, &mut foreseen.found);
                }
            }
        }
        for ((file, n), field, element, new) in changes {
            let row: &mut Row = &mut foreseen.after.files.get_mut(&file).unwrap().rows[n];
            *slot(row, field, element) = new;
        }
        for (file, rows) in &gone {
            let mut n = 0;
            foreseen.after.files.get_mut(file).unwrap().rows.retain(|_| {
                n += 1;
                !rows.contains(&(n - 1))
            });
            let emptied = foreseen.after.files[file].rows.is_empty();
            if emptied && self.schema[file.0].names_people() {
                foreseen.after.files.remove(file);
            }
        }
        foreseen.gone = gone;
    }

    /// How a delete that runs ends.
    fn outcome(
        &self,
        task: &mut Task<'_>,
        changed: bool,
        held: bool,
        found: &mut BTreeMap<TaskId, BTreeSet<(String, String)>>,
    ) {
        if task.in_force && !changed && !task.hindered {
            // Nothing new: it stays as it is.
            task.runs = false;
            return;
        }
        if changed {
            found.insert(task.id.clone(), task.found.added.clone());
        }
        let earlier = self.interrupted.get(&task.id).and_then(|all| all.get(&task.print));
        let began = self.known.get(&task.id).is_some_and(|k| k.print == task.print && k.began)
            || earlier.is_some_and(|earlier| earlier.began);
        task.standing = if task.hindered && (changed || began) {
            ("Failed", Some("PartiallyCompleted"))
        } else if task.hindered {
            ("Failed", Some("DataUnreadable"))
        } else if held {
            ("Blocked", Some("Held"))
        } else if task.found.rows.is_empty() && !began {
            ("Complete", Some("NoMatch"))
        } else if task.found.narrowed {
            ("Complete", Some("ErasedNarrowed"))
        } else {
            ("Complete", Some("Erased"))
        };
    }

    /// What the ledger says of the task in the end.
    fn settle(&self, task: &Task<'_>, foreseen: &mut Foreseen) {
        let erased = foreseen.erased.get(&task.id).cloned().unwrap_or_default();
        let after = &mut foreseen.after;
        let dates = self.requests.get(&task.id.0).map(|request| after.dates(&task.id.0, request));
        let whole = Known {
            print: task.print.clone(),
            given: BTreeSet::new(),
            scope: String::new(),
            phase: "Submitted",
            reason: None,
            received: self.now,
            due: self.now,
            finished: None,
            life: 0,
            remembered: BTreeSet::new(),
            began: false,
            rows: None,
            erased: None,
            miscounted: false,
            counted: BTreeMap::new(),
        };
        if task.standing.0 == "Rejected" {
            after.interrupt(&task.id);
        }
        if let ("Complete" | "Cancelled", Some(earlier)) =
            (task.standing.0, after.interrupted.get_mut(&task.id))
        {
            let of = task.of.map(|(r, block)| (named(block), scope(r, block), r.expand));
            let finishes = |print: &String, earlier: &Interrupted| {
                let Some((given, scope, expand)) = &of else { return false };
                let cookie = |(namespace, _): &(String, String)| expansion(namespace) == "cookie";
                let takes_all = *expand || !earlier.remembered.iter().any(cookie);
                let wide = !task.found.narrowed || earlier.scope == *scope;
                *print == task.print || earlier.given.is_subset(given) && takes_all && wide
            };
            match task.standing.0 {
                "Cancelled" => earlier.clear(),
                _ if task.runs => earlier.retain(|print, earlier| !finishes(print, earlier)),
                _ => {}
            }
        }
        let lives = &mut after.lives;
        let known = after.known.entry(task.id.clone()).or_insert(whole);
        if let Some((received, due)) = dates.filter(|_| task.in_force) {
            // What acts again, or no longer rests, is due as its request says now.
            if task.runs || !is_final(task.standing.0) {
                (known.received, known.due) = (received, due);
            }
        }
        let moved = (known.phase, known.reason) != task.standing;
        (known.phase, known.reason) = task.standing;
        if task.runs {
            // A standing erasure that acts again counts anew.
            let anew = task.in_force && !erased.is_empty();
            let before = known.erased.filter(|_| !anew).unwrap_or(0);
            let comes_back = !known.is_final();
            let new: u64 =
                erased.iter().map(|(file, rows)| known.count(file, rows, comes_back)).sum();
            known.erased = Some(before + new);
            known.began |= !erased.is_empty();
            known.remembered.extend(foreseen.found.get(&task.id).into_iter().flatten().cloned());
            let person = task.found.rows.values().filter(|hits| hits.iter().any(|h| h.person));
            let person = person.count() as u64;
            known.rows = Some((person, task.found.rows.len() as u64 - person));
        }
        if known.is_final() && (moved || task.runs) {
            known.finished = Some(self.now);
            // Its key is destroyed with all that it remembered.
            known.remembered.clear();
            known.counted.clear();
            *lives += 1;
            known.life = *lives;
        } else if !known.is_final() {
            known.finished = None;
        }
    }

    fn judge(&self, tasks: &[Task<'_>], foreseen: &mut Foreseen) {
        let any_valid = tasks.iter().any(|task| task.standing.0 != "Rejected");
        let rejected = tasks.iter().any(|task| task.standing.0 == "Rejected");
        let (mut verdict, mut late) = (Verdict::Done, false);
        for task in tasks {
            let due = match foreseen.after.known.get(&task.id) {
                Some(known) => known.due,
                None => continue,
            };
            let blocked = matches!(
                task.standing,
                (
                    "Blocked",
                    Some("IdentityConflict" | "NeedsApproval" | "Orphaned" | "LimitExceeded")
                )
            );
            let overdue = due < self.now && !is_final(task.standing.0);
            // What a plan means to do is not done yet.
            late |= due < self.now && task.runs;
            if blocked || overdue {
                verdict = verdict.and(Verdict::Blocked);
            }
            if task.standing.0 == "Failed" {
                verdict = verdict.and(Verdict::Partial);
            }
        }
        let of = |verdict: Verdict, invalid| if rejected { verdict.and(invalid) } else { verdict };
        let planned = if late { verdict.and(Verdict::Blocked) } else { verdict };
        foreseen.planned = of(planned, Verdict::Invalid);
        foreseen.verdict = of(verdict, if any_valid { Verdict::Partial } else { Verdict::Invalid });
    }

    /// What `verify` should say of each completed erasure, as long as all data can be read.
    pub(super) fn judged(&self) -> BTreeMap<TaskId, Judged> {
        // What keeps data from erasure does not keep it from being seen.
        let mut bare = self.clone();
        bare.policies.holds.clear();
        let completed = self.known.iter();
        completed
            .filter(|(id, known)| id.2 == Some("delete") && known.phase == "Complete")
            .map(|(id, known)| (id.clone(), bare.judgement(id, known)))
            .collect()
    }

    fn judgement(&self, id: &TaskId, known: &Known) -> Judged {
        let Some(request) = self.requests.get(&id.0) else { return Judged::Apart };
        if request.broken {
            return Judged::Unclear;
        }
        let block = request.blocks.iter().find(|block| Some(&block.key) == id.1.as_ref());
        let Some(block) = block else { return Judged::Apart };
        if self.rejected(request, block).is_some() || known.print != print(request, block) {
            return Judged::Unclear;
        }
        let found = self.find(request, block, &BTreeSet::new());
        let judged = |at: &(FileId, usize)| {
            let row = &self.files[&at.0].rows[at.1];
            let hits = &found.rows[at];
            let fate = self.fate(at.0.0, row, hits, request.purge, false, 0);
            let judged = fate.cells.iter().any(|(field, _, _)| *field != "phone");
            fate.goes || judged
        };
        Judged::Rows(found.rows.keys().filter(|at| judged(at)).count() as u64)
    }
}

/// What `verify` should say of a completed erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    /// So many rows match today in which some cell is not in erased form.
    Rows(u64),
    /// Its request is gone: nobody can look, and nothing is wrong.
    Apart,
    /// Its request is there and does not say whom it was about.
    Unclear,
}

fn is_final(phase: &str) -> bool {
    matches!(phase, "Complete" | "Rejected" | "Cancelled")
}

/// Rows in the order of their text: packages are compared as sets that may repeat.
pub(super) fn sorted(mut datasets: Value) -> Value {
    for dataset in datasets.as_array_mut().unwrap() {
        for kind in ["person", "device"] {
            let rows = dataset[kind].as_array_mut().unwrap();
            rows.sort_by_key(ToString::to_string);
        }
    }
    datasets.as_array_mut().unwrap().sort_by_key(|d| d["dataset"].to_string());
    datasets
}
