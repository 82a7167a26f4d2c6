//! The coverage lint of `check --data`: what of the data the policies have not seen.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::diagnostic::Diagnostic;
use crate::engine::{Covered, Engine, Reserved};
use crate::model::{Catalog, Name, Request};
use crate::plan::coverage::{Survey, personal, to_survey, uncovered, unreached};
use crate::plan::{Inventory, Resolved};

use super::{PassError, Workspace};

/// What was read before the lint looks.
pub(super) struct Found<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) requests: &'a [Request],
    pub(super) inventory: &'a Inventory,
}

/// Every root must be a directory that can be listed.
pub(super) fn roots_are_there(roots: &[PathBuf]) -> Result<(), PassError> {
    for root in roots {
        std::fs::read_dir(root).map_err(|source| PassError::Sources {
            what: "root",
            path: root.clone(),
            source,
        })?;
    }
    Ok(())
}

/// Columns that look personal and carry no label, and ID fields that no request can reach.
pub(super) fn lint(
    workspace: &Workspace,
    engine: &Engine,
    found: &Found<'_>,
) -> Result<Vec<Diagnostic>, PassError> {
    let mut surveys: BTreeMap<Name, Survey> = BTreeMap::new();
    for dataset in &found.catalog.datasets {
        workspace.stop.check()?;
        let Some(files) = found.inventory.datasets.get(&dataset.name) else { continue };
        let leaves = to_survey(&Resolved::new(dataset, files));
        surveys.insert(dataset.name.clone(), engine.survey(files, &leaves));
    }
    let mut diagnostics = personal(found.catalog, found.inventory, &surveys);
    diagnostics.extend(unreached(found.catalog, found.requests, found.inventory));
    Ok(diagnostics)
}

/// Data below the roots that no dataset covers.
pub(super) fn below(
    workspace: &Workspace,
    engine: &Engine,
    found: &Found<'_>,
    roots: &[PathBuf],
    reserved: &[Reserved],
) -> Result<Vec<Diagnostic>, PassError> {
    let datasets: Vec<_> = found.catalog.datasets.iter().collect();
    let ignored = &found.catalog.settings.coverage_ignored;
    let covered = Covered { datasets: &datasets, inventory: found.inventory, reserved, ignored };
    let mut diagnostics = Vec::new();
    for root in roots {
        let look = engine.uncovered(root, covered, &|| workspace.stop.asked().is_none());
        workspace.stop.check()?;
        diagnostics.extend(uncovered(&look, ignored));
    }
    Ok(diagnostics)
}
