//! A look below a root for data that no dataset covers.
//!
//! Guarantees: nothing is opened but to see whether it starts as Parquet does; links are not followed, except to
//! see what they lead to; what cannot be listed is said. Every Parquet file below the root is covered, ignored,
//! reserved, or counted.

mod fold;
mod ignored;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::model::{self, Dataset};
use crate::plan::coverage::RootLook;
use crate::plan::{Hindrance, Inventory};

use super::inventory::{self, Reserved};
use ignored::Ignored;

/// What need not be found below a root.
#[derive(Debug, Clone, Copy)]
pub struct Covered<'a> {
    /// The datasets.
    pub datasets: &'a [&'a Dataset],
    /// Their files.
    pub inventory: &'a Inventory,
    /// Places of our own.
    pub reserved: &'a [Reserved],
    /// Locations, as of a dataset, that are left out with everything below them.
    pub ignored: &'a [model::Ignored],
}

/// See [`super::Engine::uncovered`].
pub(super) fn look(
    working_dir: &Path,
    root: &Path,
    covered: Covered<'_>,
    go_on: &dyn Fn() -> bool,
) -> RootLook {
    let known = Known::new(working_dir, covered);
    walk::walk(working_dir, root, &known, go_on)
}

/// The same, links resolved.
struct Known {
    /// Files of datasets, unusable ones included.
    files: HashSet<PathBuf>,
    /// Locations of datasets that name a directory or file: everything visible below is theirs, or is named by
    /// the inventory as a problem of theirs.
    places: Vec<PathBuf>,
    reserved: Vec<PathBuf>,
    /// With their numbers.
    ignored: Vec<(usize, Ignored)>,
}

impl Known {
    fn new(working_dir: &Path, covered: Covered<'_>) -> Self {
        let mut known = Self {
            files: HashSet::new(),
            places: Vec::new(),
            reserved: Vec::new(),
            ignored: covered
                .ignored
                .iter()
                .enumerate()
                .filter_map(|(n, at)| Some((n, Ignored::new(working_dir, &at.location)?)))
                .collect(),
        };
        for dataset in covered.datasets {
            let Some(files) = covered.inventory.datasets.get(&dataset.name) else { continue };
            known.files.extend(files.files.iter().map(|file| file.path.clone()));
            for problem in &files.problems {
                if let Hindrance::File(path) | Hindrance::Erasing(path) = &problem.hinders {
                    known.files.extend(fs::canonicalize(path));
                }
            }
            known.places.extend(files.roots.iter().cloned());
            // Of a glob it is only where the wildcards begin.
            if files.base.is_none() {
                let place = inventory::place(working_dir, dataset);
                known.places.extend(place.and_then(|place| fs::canonicalize(place).ok()));
            }
        }
        let places = covered.reserved.iter();
        known
            .reserved
            .extend(places.map(|place| inventory::resolve(&working_dir.join(&place.path))));
        known
    }

    /// Whether a dataset covers a file or directory, links resolved.
    fn covers(&self, path: &Path) -> bool {
        let visible_below = |place: &PathBuf| {
            let inner = path.strip_prefix(place);
            inner
                .is_ok_and(|inner| !inner.components().any(|p| inventory::is_hidden(p.as_os_str())))
        };
        self.files.contains(path) || self.places.iter().any(visible_below)
    }

    /// Whether nothing in it is to be looked for.
    fn leaves_out(&self, real: &Path, named: &Path) -> bool {
        self.reserved.iter().any(|place| real.starts_with(place))
            || self.ignored.iter().any(|(_, at)| at.names(real) || at.names(named))
    }

    /// The numbers of ignored locations below a root, links resolved, that named nothing.
    fn idle(&self, root: &Path) -> Vec<usize> {
        let idle = self.ignored.iter().filter(|(_, ignored)| ignored.is_idle_below(root));
        idle.map(|(number, _)| *number).collect()
    }
}
