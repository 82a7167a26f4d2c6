//! Holds the disk, the ledger and the reports against the model.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;

use amparo::reconcile::{Silent, StatusTask, status, verify};
use serde_json::Value;

use super::effect::DRAWN;
use super::find::is_pseudonym;
use super::model::{FileId, Model, TaskId};
use super::pass::{Foreseen, Judged, sorted};
use super::rows::{self, Cell, Draw, Row};
use super::schema::MARK;
use super::world::World;

/// What does not hold.
pub(super) type Broken = String;

/// The replacements that runs have drawn.
#[derive(Debug, Default)]
pub(super) struct Replacements {
    drawn: BTreeMap<Draw, Cell>,
    /// And whose they are: nobody else's.
    owners: BTreeMap<Cell, Draw>,
}

macro_rules! hold {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err(format!($($text)+));
        }
    };
}
pub(super) use hold;

impl Replacements {
    /// Whether a cell is what is expected; what it is where the run has drawn it.
    fn same(&mut self, expected: &Cell, actual: &Cell) -> Result<Cell, Broken> {
        match (expected, actual) {
            (Cell::Drawn(draw), actual) => {
                let form = match actual {
                    Cell::Text(text) => is_pseudonym(text),
                    Cell::Int(number) => *number >= DRAWN,
                    _ => false,
                };
                hold!(form, "no replacement: {actual:?} for {draw:?}");
                let known = self.drawn.entry(draw.clone()).or_insert_with(|| actual.clone());
                hold!(known == actual, "two replacements, {known:?} and {actual:?}: {draw:?}");
                let owner = self.owners.entry(actual.clone()).or_insert_with(|| draw.clone());
                hold!(owner == draw, "{actual:?} is of {owner:?} and of {draw:?}");
                Ok(actual.clone())
            }
            // Which of them was drawn cannot be told: it may have been drawn again.
            (Cell::Int(old), Cell::Int(new)) if *old >= DRAWN && *new >= DRAWN => {
                Ok(actual.clone())
            }
            (Cell::List(old), Cell::List(new)) => {
                hold!(old.len() == new.len(), "{} elements became {}", old.len(), new.len());
                let elements = old.iter().zip(new).map(|(old, new)| self.same_row(old, new));
                Ok(Cell::List(elements.collect::<Result<_, _>>()?))
            }
            _ => {
                hold!(expected == actual, "{expected:?} expected, {actual:?} found");
                Ok(actual.clone())
            }
        }
    }

    fn same_row(&mut self, expected: &Row, actual: &Row) -> Result<Row, Broken> {
        let mut row = Row::new();
        for (name, cell) in expected {
            let found = match actual.get(name) {
                Some(found) => self.same(cell, found).map_err(|e| format!("{name}: {e}"))?,
                // The partition is in the path.
                None => cell.clone(),
            };
            row.insert(*name, found);
        }
        Ok(row)
    }

    fn same_rows(&mut self, expected: &[Row], actual: &[Row]) -> Result<Vec<Row>, Broken> {
        hold!(expected.len() == actual.len(), "{} rows, not {}", actual.len(), expected.len());
        let rows = expected.iter().zip(actual).enumerate();
        rows.map(|(n, (expected, actual))| {
            self.same_row(expected, actual).map_err(|e| format!("row {n}: {e}"))
        })
        .collect()
    }
}

impl World {
    /// The lake is what the model expects, cell by cell; what was drawn is known from now on.
    pub(super) fn check_lake(&mut self, after: &mut Model) -> Result<(), Broken> {
        let expected: BTreeSet<_> = after.files.keys().map(|id| self.file_path(id)).collect();
        let actual: BTreeSet<_> = self.bytes("lake").into_keys().collect();
        hold!(expected == actual, "files: {expected:?} expected, {actual:?} found");
        for (id, file) in after.files.iter_mut().filter(|(_, file)| !file.broken) {
            let path = self.file_path(id);
            let actual = rows::read(&path, &self.model.schema[id.0])?;
            file.rows = self
                .ledger
                .same_rows(&file.rows, &actual)
                .map_err(|e| format!("{}: {e}", path.display()))?;
        }
        Ok(())
    }

    /// After a pass that was cut off: each file is whole, the old or the new. The files that are new.
    pub(super) fn adopt_lake(&mut self, foreseen: &Foreseen) -> Result<BTreeSet<FileId>, Broken> {
        let mut new = BTreeSet::new();
        let ids: Vec<FileId> = self.model.files.keys().cloned().collect();
        for id in ids {
            if self.model.files[&id].broken {
                continue;
            }
            let (path, wanted) = (self.file_path(&id), foreseen.after.files.get(&id));
            if wanted.is_none() && !path.exists() {
                self.model.files.remove(&id);
                new.insert(id);
                continue;
            }
            let actual = rows::read(&path, &self.model.schema[id.0])?;
            let old = &self.model.files[&id].rows;
            let wanted = wanted.map_or(&[][..], |file| &file.rows);
            let rows = match self.ledger.same_rows(old, &actual) {
                Ok(rows) => rows,
                Err(_) => {
                    new.insert(id.clone());
                    self.ledger
                        .same_rows(wanted, &actual)
                        .map_err(|e| format!("{id:?} is neither old nor new: {e}"))?
                }
            };
            self.model.files.get_mut(&id).unwrap().rows = rows;
        }
        Ok(new)
    }

    /// The tasks that the ledger knows.
    pub(super) fn status(&self) -> Result<BTreeMap<TaskId, StatusTask>, Broken> {
        let report = status(&self.workspace(), None).map_err(|e| e.to_string())?;
        let tasks = report.tasks.into_iter().map(|task| {
            let action = task.task.action.map(amparo::model::Action::as_str);
            let id = (task.task.request.to_string(), task.task.key.clone(), action);
            (id, task)
        });
        Ok(tasks.collect())
    }

    /// Phases, reasons, dates, counts.
    pub(super) fn check_status(&self, foreseen: &mut Foreseen) -> Result<(), Broken> {
        let actual = self.status()?;
        let known: BTreeSet<_> = actual.keys().cloned().collect();
        let expected: BTreeSet<_> = foreseen.after.known.keys().cloned().collect();
        hold!(known == expected, "tasks: {expected:?} expected, {known:?} found");
        for (id, known) in &mut foreseen.after.known {
            let task = &actual[id];
            let (phase, reason) = (task.phase.to_string(), task.reason.map(|r| r.to_string()));
            hold!(
                (phase.as_str(), reason.as_deref()) == (known.phase, known.reason),
                "{id:?}: {:?} {:?} expected, {phase} {reason:?} found: {:?}",
                known.phase,
                known.reason,
                task.message
            );
            if phase == "Rejected" {
                continue;
            }
            if foreseen.unclear.contains(id) && task.finished_at == Some(self.model.now) {
                // A standing erasure may draw numbers again that nobody can judge.
                known.finished = task.finished_at;
            }
            hold!(
                (task.received_at, task.due) == (known.received, Some(known.due)),
                "{id:?}: received {}, due {} expected; {}, {:?} found",
                known.received,
                known.due,
                task.received_at,
                task.due
            );
            let overdue = !known.is_final() && known.due < self.model.now;
            hold!(task.overdue == overdue, "{id:?}: overdue is {}", task.overdue);
            hold!(
                task.finished_at == known.finished,
                "{id:?}: finished {:?} expected, {:?} found",
                known.finished,
                task.finished_at
            );
            if task.finished_at == Some(self.model.now) && known.phase == "Complete" {
                let rows = task.counts.person_rows.zip(task.counts.device_rows);
                if foreseen.shared && id.2 == Some("delete") {
                    // What was erased by the one was not found by the other.
                    known.rows = rows;
                }
                hold!(
                    foreseen.unclear.contains(id) || rows == known.rows,
                    "{id:?}: rows {:?} expected, {rows:?} found",
                    known.rows
                );
                if id.2 == Some("delete") && !foreseen.unclear.contains(id) {
                    let erased = task.counts.rows_erased;
                    hold!(
                        known.miscounted || erased == known.erased,
                        "{id:?}: {:?} rows erased expected, {erased:?} found",
                        known.erased
                    );
                }
            }
        }
        Ok(())
    }

    /// The packages are those that should be there, with the rows that should be in them.
    pub(super) fn check_packages(&self, after: &Model) -> Result<(), Broken> {
        let exports = self.path("exports");
        let expected: BTreeSet<_> = after
            .packages
            .keys()
            .map(|(request, key)| exports.join(request).join(format!("{key}.zip")))
            .collect();
        let actual: BTreeSet<_> = self.bytes("exports").into_keys().collect();
        hold!(expected == actual, "packages: {expected:?} expected, {actual:?} found");
        for ((request, key), package) in &after.packages {
            let path = exports.join(request).join(format!("{key}.zip"));
            let file = fs::File::open(&path).map_err(|e| e.to_string())?;
            let mut archive = zip::ZipArchive::new(file).map_err(|e| e.to_string())?;
            let mut text = String::new();
            let mut entry = archive.by_name("profile.json").map_err(|e| e.to_string())?;
            entry.read_to_string(&mut text).map_err(|e| e.to_string())?;
            let profile: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
            let datasets = sorted(profile["datasets"].clone());
            hold!(
                datasets == package.datasets,
                "{request}/{key}: {:#} expected, {datasets:#} found",
                package.datasets
            );
        }
        Ok(())
    }

    /// `verify` finds what the model says it should, and nothing else; what it cannot tell never passes.
    pub(super) fn check_verify(&self) -> Result<(), Broken> {
        let model = &self.model;
        let expected = model.judged();
        let report = verify(&self.workspace(), false, None, &mut Silent);
        let report = report.map_err(|error| format!("verify: {error}"))?;
        hold!(report.ledger.intact, "the ledger is damaged: {:?}", report.problems);
        let packages = report.packages.unwrap_or_default();
        hold!(packages.len() == model.packages.len(), "verify: {} packages", packages.len());
        let intact = packages.iter().all(|package| package.intact);
        hold!(intact, "verify: packages are not what was recorded: {packages:?}");
        let erasures = report.erasures.unwrap_or_default();
        let found: BTreeMap<TaskId, Option<u64>> = erasures
            .iter()
            .map(|e| ((e.request.to_string(), e.key.clone(), Some("delete")), e.rows_found))
            .collect();
        hold!(found.keys().eq(expected.keys()), "verify: {expected:?} expected, {found:?} found");
        if model.policies.broken {
            hold!(report.failure.is_some() && !report.ok, "verify judged without policies");
            hold!(found.values().all(Option::is_none), "verify found {found:?} without policies");
            return Ok(());
        }
        let looks = expected.values().any(|judged| matches!(judged, Judged::Rows(_)));
        let blind = looks && (!model.unreadable().is_empty() || model.policies.no_tenants);
        for (id, judged) in &expected {
            let fits = match (judged, found[id]) {
                (Judged::Rows(rows), Some(found)) => found == *rows || blind && found < *rows,
                (Judged::Rows(_), None) => blind,
                (Judged::Apart | Judged::Unclear, found) => found.is_none(),
            };
            hold!(fits, "verify: {id:?}: {judged:?} expected, {:?} found", found[id]);
        }
        let holds = |judged: &Judged| matches!(judged, Judged::Rows(0) | Judged::Apart);
        let ok = expected.values().all(holds);
        hold!(report.ok == ok || blind && !report.ok, "verify: ok is {}", report.ok);
        let unreadable = looks && !model.unreadable().is_empty();
        hold!(!(unreadable && report.ok), "verify passed where it could not look");
        Ok(())
    }

    /// Nothing personal in the state, or in what was said.
    pub(super) fn check_secrets(&self, said: &str) -> Result<(), Broken> {
        let personal = |bytes: &[u8]| {
            bytes.windows(MARK.len()).any(|window| window.eq_ignore_ascii_case(MARK.as_bytes()))
        };
        for (path, bytes) in self.bytes("state") {
            let fine = !personal(&bytes) && !personal(path.to_string_lossy().as_bytes());
            hold!(fine, "{} holds a personal value", path.display());
        }
        if let Some(at) = said.to_ascii_lowercase().find(MARK) {
            let around = said.get(at.saturating_sub(80)..(at + 80).min(said.len()));
            return Err(format!("a personal value was said: {around:?}"));
        }
        Ok(())
    }

    /// The keys of finished erasures are destroyed.
    pub(super) fn check_keys(&self) -> Result<(), Broken> {
        let begun = self.model.interrupted.values().any(|earlier| !earlier.is_empty());
        let unfinished = begun || self.model.known.values().any(|known| !known.is_final());
        let keys = self.bytes("state/keys").len();
        hold!(unfinished || keys <= 1, "{} keys, and nothing is unfinished", keys - 1);
        Ok(())
    }
}
