//! `publish`: a copy of a dataset in which a role's members see what they may, and nothing else.
//!
//! Guarantees: whatever cannot be masked is refused before anything is written. The copy appears under its name
//! whole, proven and on disk, after the ledger says who made it, and never over something else.
//!
//! Crash behaviour: a killed `publish` leaves a directory beside the copy's place that starts with
//! `.amparo-publish-`; the next one for the same parent directory clears it. One that is asked to stop leaves
//! nothing. Killed between the record and the last step, the ledger says `Published` of a copy that is not there.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::engine::erase;
use crate::engine::{Reserved, place};
use crate::manifest::Loaded;
use crate::model::{Catalog, Dataset, Granted, LeafType, Name, STARS};
use crate::plan::{DataFile, DatasetFiles, FileWork, LeafWork, Mask, Resolved, ResolvedLeaf};
use crate::store::{OutDir, Record, StoreError, in_parallel};

use super::gather::{Texts, engine, inventory, reserved};
use super::roles::{Viewer, record};
use super::{Event, Events, PassError, Workspace};

/// What was published.
#[derive(Debug)]
pub struct PublishReport {
    /// The dataset.
    pub dataset: Name,
    /// Under which role.
    pub granted: Granted,
    /// Who made it, as recorded.
    pub actor: String,
    /// Where the copy lies.
    pub out: PathBuf,
    /// Files.
    pub files: u64,
    /// Rows.
    pub rows: u64,
    /// Bytes that are the original's.
    pub bytes_copied: u64,
    /// Bytes of pages that were encoded again.
    pub bytes_reencoded: u64,
    /// The masked columns, in schema order, and what stands in them.
    pub masked: Vec<(String, &'static str)>,
}

/// What is to be published, by whom, where.
#[derive(Debug, Clone, Copy)]
pub struct PublishRequest<'a> {
    /// The dataset.
    pub dataset: &'a str,
    /// The role asked for.
    pub role: &'a str,
    /// Who does it; `None`: the user of the process.
    pub actor: Option<&'a str>,
    /// The directory to make.
    pub out: &'a Path,
}

/// Publishes a masked copy.
///
/// # Errors
/// Invalid policies; a dataset or role that is not there; a place that is taken, or overlaps datasets or our own
/// places; data that cannot be read or masked; a ledger that cannot be written. Nothing is published then.
pub fn publish(
    workspace: &Workspace,
    request: PublishRequest<'_>,
    events: &mut dyn Events,
) -> Result<PublishReport, PassError> {
    let Loaded { catalog, catalog_valid, .. } =
        Texts::policies(workspace)?.load(workspace.clock.now());
    if !catalog_valid {
        return Err(PassError::InvalidPolicies);
    }
    let dataset = named(&catalog, request.dataset)?;
    let viewer = Viewer::new(&catalog, Some(request.role), request.actor, events)?;
    let out = OutDir::check(request.out).map_err(misplaced)?;
    apart(workspace, &catalog, &out)?;
    let engine = engine(workspace, &catalog)?;
    let mut places = reserved(workspace, &catalog);
    places.push(Reserved { what: "the copy", path: out.path().to_owned() });
    let inventory = inventory(&engine, &[dataset], &places)?;
    let refused = |what: String, hint: &str| PassError::NotPublished {
        dataset: dataset.name.clone(),
        what,
        hint: hint.to_owned(),
    };
    let files = inventory
        .datasets
        .get(&dataset.name)
        .ok_or_else(|| PassError::Bug("a dataset that was not looked at".to_owned()))?;
    if let Some(problem) = files.problems.first() {
        return Err(refused(
            format!("{}: {}", problem.shown, problem.what),
            "a copy is whole or not there: `amparo check --data` shows what is wrong",
        ));
    }
    let masking = Masking { resolved: Resolved::new(dataset, files), granted: &viewer.granted };
    let work = masking.work().map_err(|what| {
        refused(
            what,
            "a column that must not be seen and cannot be masked keeps the copy from being made",
        )
    })?;

    events.event(Event::Stage { name: "publishing", steps: work.len() as u64 });
    let staged = out.stage()?;
    for (_, inner) in &work {
        staged.make_parent(inner)?;
    }
    let copied = in_parallel(engine.jobs(), &work, |(work, inner)| {
        erase::publish(work, &staged.path().join(inner), &workspace.stop)
    });
    let mut report = PublishReport {
        dataset: dataset.name.clone(),
        granted: viewer.granted.clone(),
        actor: viewer.looker().actor,
        out: request.out.to_owned(),
        files: work.len() as u64,
        rows: files.rows(),
        bytes_copied: 0,
        bytes_reencoded: 0,
        masked: masking.masked(),
    };
    // What was let go because of a signal has not failed.
    workspace.stop.check()?;
    for copied in copied {
        let copied = copied?;
        report.bytes_copied = report.bytes_copied.saturating_add(copied.bytes_copied);
        report.bytes_reencoded = report.bytes_reencoded.saturating_add(copied.bytes_reencoded);
    }
    staged.sync()?;
    let (looker, name) = (viewer.looker(), dataset.name.clone());
    let (count, rows) = (report.files, report.rows);
    record(workspace, &catalog, events, |_| Record::Published {
        looker,
        dataset: name,
        files: count,
        rows,
    })?;
    staged.put_in_place()?;
    Ok(report)
}

/// A place where nothing can be published.
fn misplaced(error: StoreError) -> PassError {
    let what = match &error {
        StoreError::Exists { .. } => "--out is taken: nothing is ever overwritten",
        StoreError::Io { source, .. } if source.kind() == ErrorKind::InvalidInput => {
            "--out is no name for a directory"
        }
        StoreError::Io { source, .. }
            if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
        {
            "--out lies in a directory that is not there"
        }
        StoreError::Io { source, .. } if source.kind() == ErrorKind::CrossesDevices => {
            "--out is a file system of its own, and a copy is moved into its place"
        }
        _ => return error.into(),
    };
    PassError::Argument {
        what: what.to_owned(),
        hint: "name a directory that is not there, or is empty, in one that is there".to_owned(),
    }
}

fn named<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a Dataset, PassError> {
    let found = catalog.datasets.iter().find(|dataset| dataset.name.as_str() == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = catalog.datasets.iter().map(|d| d.name.as_str()).collect();
        PassError::Argument {
            what: "there is no such dataset".to_owned(),
            hint: format!("the datasets are: {}", names.join(", ")),
        }
    })
}

/// A copy lies outside all datasets and our own places, and they outside of it: a dataset that held its own
/// copy would be searched twice, and be erased from twice.
fn apart(workspace: &Workspace, catalog: &Catalog, out: &OutDir) -> Result<(), PassError> {
    let here = std::env::current_dir().map_err(|source| PassError::Sources {
        what: "directory",
        path: ".".into(),
        source,
    })?;
    let datasets = catalog.datasets.iter().filter_map(|dataset| {
        Some((format!("the dataset {}", dataset.name), place(&here, dataset)?))
    });
    let ours = reserved(workspace, catalog)
        .into_iter()
        .map(|reserved| (reserved.what.to_owned(), here.join(reserved.path)));
    for (what, path) in datasets.chain(ours) {
        if out.overlaps(&path) {
            return Err(PassError::Argument {
                what: format!("--out and {what} overlap"),
                hint:
                    "name a directory outside all datasets, state, exports, policies and requests"
                        .to_owned(),
            });
        }
    }
    Ok(())
}

/// What a role may not see of a dataset.
struct Masking<'a> {
    resolved: Resolved<'a>,
    granted: &'a Granted,
}

impl<'a> Masking<'a> {
    fn hidden(&self) -> impl Iterator<Item = &ResolvedLeaf<'a>> {
        let sight = self.granted.sight;
        let dataset = self.resolved.dataset;
        self.resolved.leaves().iter().filter(move |leaf| {
            !sight.sees(dataset, &leaf.leaf.path, leaf.field.map(|(_, field)| field))
        })
    }

    fn masked(&self) -> Vec<(String, &'static str)> {
        let with = |kind: &LeafType| if *kind == LeafType::Text { "stars" } else { "null" };
        self.hidden().map(|leaf| (leaf.leaf.path.to_string(), with(&leaf.leaf.kind))).collect()
    }

    /// The work of each file, and where in the copy it goes. `Err` says what cannot be masked.
    fn work(&self) -> Result<Vec<(FileWork, PathBuf)>, String> {
        let files = self.resolved.files;
        if let Some(leaf) = self.hidden().find(|leaf| leaf.leaf.partition) {
            return Err(format!(
                "the role may not see the partition column `{}`, and its values stand in the names of \
                 directories",
                leaf.leaf.path
            ));
        }
        files.files.iter().map(|file| Ok((self.file(file)?, inner(files, file)?))).collect()
    }

    fn file(&self, file: &DataFile) -> Result<FileWork, String> {
        let mut leaves = Vec::new();
        for leaf in self.hidden() {
            let Some(own) = self.resolved.files.leaf_in(file, leaf.index) else { continue };
            let mask = match own.kind {
                LeafType::Text => Mask::Constant(STARS.to_owned()),
                _ if own.nullable => Mask::Null,
                _ => {
                    return Err(format!(
                        "{}: the role may not see `{}`, which is a required {} column and has no value \
                         that says nothing",
                        file.shown,
                        own.path,
                        own.kind.describe()
                    ));
                }
            };
            leaves.push(LeafWork { path: own.path.clone(), mask, cells: Vec::new() });
        }
        Ok(FileWork {
            dataset: self.resolved.dataset.name.clone(),
            path: file.path.clone(),
            shown: file.shown.clone(),
            stamp: file.stamp.clone(),
            removed: Vec::new(),
            leaves,
        })
    }
}

/// The path of a file below its dataset.
fn inner(files: &DatasetFiles, file: &DataFile) -> Result<PathBuf, String> {
    let roots = files.roots.iter().chain(&files.base);
    let below = roots.filter_map(|root| file.path.strip_prefix(root).ok()).next();
    match below.map(Path::to_owned).or_else(|| file.path.file_name().map(PathBuf::from)) {
        Some(inner) if !inner.as_os_str().is_empty() => Ok(inner),
        Some(_) | None => file
            .path
            .file_name()
            .map(PathBuf::from)
            .ok_or_else(|| format!("{} has no name", file.shown)),
    }
}
