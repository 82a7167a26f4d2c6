//! The policies held against the data: what RULES.md section 1 demands that only data can tell.
//!
//! One list of faults serves two readers: `check --data` shows them ([`check_data`]), and planning
//! fails the tasks that they hinder ([`blocking`]), so that a field that cannot be searched, shown or
//! erased is never silently skipped.

mod fields;
mod holds;
mod methods;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::diagnostic::{Code, Diagnostic, Severity, arrange};
use crate::manifest::codes::data as codes;
use crate::model::{Catalog, Name, Position};

use super::{DatasetBlocks, DatasetFiles, Hindrance, Inventory, Resolved};

/// Which tasks a fault of a dataset makes fail; `Default`: none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hinders {
    /// Every task that searches the dataset.
    pub(super) search: bool,
    /// The same, where a delete can erase in the dataset's other files first.
    pub(super) files: bool,
    /// Access tasks that find rows in it.
    pub(super) access: bool,
    /// Delete tasks that find rows in it.
    pub(super) erase: bool,
}

/// One fault.
#[derive(Debug, Clone)]
pub(super) struct DataFault {
    datasets: Vec<Name>,
    hinders: Hinders,
    diagnostic: Diagnostic,
}

impl DataFault {
    fn new(dataset: &Name, severity: Severity, code: Code, at: &Position, message: String) -> Self {
        let diagnostic = Diagnostic {
            code,
            severity,
            position: at.clone(),
            length: 0,
            source: None,
            message,
            help: None,
        };
        Self { datasets: vec![dataset.clone()], hinders: Hinders::default(), diagnostic }
    }

    fn error(dataset: &Name, code: Code, at: &Position, message: String) -> Self {
        Self::new(dataset, Severity::Error, code, at, message)
    }

    fn warning(dataset: &Name, code: Code, at: &Position, message: String) -> Self {
        Self::new(dataset, Severity::Warning, code, at, message)
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.diagnostic.help = Some(help.into());
        self
    }

    fn hinders(mut self, hinders: Hinders) -> Self {
        self.hinders = hinders;
        self
    }
}

/// Holds the policies against the data: every diagnostic, sorted. Positions are those of the policy's
/// fields; source lines are not filled in. No cell value is in any of them.
pub fn check_data(catalog: &Catalog, inventory: &Inventory, now: Timestamp) -> Vec<Diagnostic> {
    let mut diagnostics: Vec<_> =
        faults(catalog, inventory, now).into_iter().map(|fault| fault.diagnostic).collect();
    arrange(&mut diagnostics);
    diagnostics
}

/// Which datasets' faults make tasks fail; datasets without one are absent.
pub fn blocking(
    catalog: &Catalog,
    inventory: &Inventory,
    now: Timestamp,
) -> BTreeMap<Name, DatasetBlocks> {
    let mut blocks: BTreeMap<Name, DatasetBlocks> = BTreeMap::new();
    for fault in faults(catalog, inventory, now) {
        if fault.hinders == Hinders::default() {
            continue;
        }
        for dataset in &fault.datasets {
            let text = || Some(format!("dataset {dataset}: {}", fault.diagnostic.message));
            let entry = blocks.entry(dataset.clone()).or_default();
            for (hinders, slot) in [
                (fault.hinders.search, &mut entry.search),
                (fault.hinders.files, &mut entry.files),
                (fault.hinders.access, &mut entry.access),
                (fault.hinders.erase, &mut entry.erase),
            ] {
                if hinders && slot.is_none() {
                    *slot = text();
                }
            }
        }
    }
    blocks
}

fn faults(catalog: &Catalog, inventory: &Inventory, now: Timestamp) -> Vec<DataFault> {
    let mut faults = Vec::new();
    for dataset in &catalog.datasets {
        let Some(files) = inventory.datasets.get(&dataset.name) else {
            let message = "the location was not read".to_owned();
            let fault =
                DataFault::error(&dataset.name, codes::DATA_UNREADABLE, &dataset.position, message);
            faults.push(fault.hinders(Hinders { search: true, ..Hinders::default() }));
            continue;
        };
        files_faults(&mut faults, &dataset.position, files);
        // Without any readable file there is no schema to hold the policy against.
        if !files.files.is_empty() {
            let resolved = Resolved::new(dataset, files);
            fields::check(&mut faults, &resolved);
            methods::check(&mut faults, &resolved, &catalog.settings);
        }
    }
    let today = now.to_zoned(TimeZone::UTC).date();
    holds::check(&mut faults, catalog, inventory, today);
    faults
}

fn files_faults(faults: &mut Vec<DataFault>, at: &Position, files: &DatasetFiles) {
    for problem in &files.problems {
        let message = format!("{}: {}", problem.shown, problem.what);
        let fault = DataFault::error(&files.dataset, codes::DATA_UNREADABLE, at, message);
        faults.push(fault.hinders(match problem.hinders {
            Hindrance::Dataset | Hindrance::Empty => Hinders { search: true, ..Hinders::default() },
            Hindrance::File(_) => Hinders { files: true, ..Hinders::default() },
            // Which deletes touch the file, only their rows tell.
            Hindrance::Erasing(_) => Hinders::default(),
        }));
    }
}
