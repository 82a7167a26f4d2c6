//! Access: compiles the packages of a pass, and publishes them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use jiff::{Span, Timestamp};

use crate::engine::access::{self, AccessError, AccessTask, PackageReport, RowSource};
use crate::engine::fetch::FetchedBatch;
use crate::engine::{Engine, EngineError};
use crate::model::{Name, Reason};
use crate::plan::{Cause, FailureKind, Inventory, PackageRecord, RowKey, TaskIndex};
use crate::store::{Exports, FinishedPackage};

use super::erase::Failed;
use super::pass::{Outlook, Pass};
use super::{Event, Events, PassError, Stop};

/// What became of one access task.
pub(super) enum Exported {
    /// The package is there.
    Package {
        record: PackageRecord,
        /// It was read again and is what was compiled.
        verified: bool,
    },
    /// It could not be made.
    Failed(Failed),
}

/// All packages of the pass; with the seconds that compiling took.
pub(super) fn export(
    pass: &Pass<'_>,
    outlook: &Outlook,
    exports: &Exports,
    scratch: &Path,
    events: &mut dyn Events,
) -> Result<(BTreeMap<TaskIndex, Exported>, f64), PassError> {
    let started = Instant::now();
    let work = &outlook.draft.access;
    if work.is_empty() {
        return Ok((BTreeMap::new(), 0.0));
    }
    events.event(Event::Stage { name: "compiling", steps: work.len() as u64 });
    let expires_at = expiry(pass);
    let tasks: Vec<AccessTask<'_>> = work
        .iter()
        .filter_map(|work| access_task(pass, outlook, work, scratch, expires_at))
        .collect();
    if tasks.len() != work.len() {
        return Err(PassError::Bug("a package without its task".to_owned()));
    }
    let stop = &pass.workspace.stop;
    let mut rows = Rows { engine: pass.engine, inventory: &outlook.inventory, stop };
    let space =
        access::Workspace { scratch: scratch.to_owned(), memory: pass.workspace.memory / 2 };
    let results =
        access::compile(&tasks, &pass.loaded.catalog, &outlook.inventory, &mut rows, &space)
            .map_err(PassError::Access);
    // Whatever was compiled since is cut short, and must not be published.
    stop.check()?;
    let results = results?;
    let mut outcomes = BTreeMap::new();
    let mut finished = Vec::new();
    for (task, result) in tasks.iter().zip(results) {
        events.event(Event::Step { what: format!("compiled {}/{}", task.request, task.key) });
        match result {
            Ok(report) => finished.push((task, report)),
            Err(error) => {
                let (reason, cause) = reason(&error);
                let message = super::error::chain(&error);
                let failed = Failed { reason, message, cause };
                outcomes.insert(task.work.task, Exported::Failed(failed));
            }
        }
    }
    publish(exports, finished, pass.now, expires_at, &mut outcomes)?;
    Ok((outcomes, started.elapsed().as_secs_f64()))
}

/// Counted from when the package is compiled.
fn expiry(pass: &Pass<'_>) -> Timestamp {
    let days = i64::from(pass.loaded.catalog.settings.export_retention_days);
    pass.now.checked_add(Span::new().hours(days.saturating_mul(24))).unwrap_or(Timestamp::MAX)
}

fn access_task<'a>(
    pass: &Pass<'a>,
    outlook: &'a Outlook,
    work: &'a crate::plan::AccessWork,
    scratch: &Path,
    expires_at: Timestamp,
) -> Option<AccessTask<'a>> {
    let task = outlook.draft.tasks.get(work.task as usize)?;
    let block = task.block?;
    let request = pass.loaded.requests.get(block.request)?;
    let user = request.users.get(block.user)?;
    Some(AccessTask {
        work,
        request: &request.name,
        key: &user.key,
        regulation: request.regulation.as_ref(),
        received_at: task.received_at,
        compiled_at: pass.now,
        expires_at,
        identities: &user.identities,
        out: scratch.join(format!("package-{}.zip", work.task)),
    })
}

fn reason(error: &AccessError) -> (Reason, Cause) {
    let (kind, dataset, file) = match error {
        AccessError::Fetch { dataset, source } => match &**source {
            EngineError::Unreadable { shown, .. } => {
                (FailureKind::Data, dataset, Some(shown.clone()))
            }
            _ => (FailureKind::Transient, dataset, None),
        },
        AccessError::RowsMissing { dataset, .. } => (FailureKind::Transient, dataset, None),
        AccessError::Unsupported { dataset, .. } => (FailureKind::Configuration, dataset, None),
        _ => return (Reason::Storage, Cause::transient()),
    };
    (Reason::DataUnreadable, Cause { file, ..Cause::of(kind, dataset) })
}

/// Moves the finished packages in; where that fails, their tasks do, and the pass goes on.
fn publish(
    exports: &Exports,
    finished: Vec<(&AccessTask<'_>, PackageReport)>,
    compiled_at: Timestamp,
    expires_at: Timestamp,
    outcomes: &mut BTreeMap<TaskIndex, Exported>,
) -> Result<(), PassError> {
    for (task, report) in finished {
        let package = FinishedPackage {
            path: report.path.clone(),
            request: task.request.clone(),
            key: task.key.to_owned(),
            sha256: report.sha256,
            replace: true,
        };
        let outcome = match exports.publish(&[package]) {
            Err(error) => Exported::Failed(Failed {
                reason: Reason::Storage,
                message: super::error::chain(&error),
                cause: Cause::transient(),
            }),
            Ok(published) => {
                let Some(published) = published.into_iter().next() else {
                    return Err(PassError::Bug("a package that was published nowhere".to_owned()));
                };
                let again = exports.content(&published.location)?;
                let verified = again.as_ref() == Some(&published.content);
                Exported::Package {
                    record: PackageRecord {
                        location: published.location,
                        sha256: published.content.sha256,
                        bytes: published.content.bytes,
                        compiled_at,
                        expires_at,
                        expired: false,
                    },
                    verified,
                }
            }
        };
        outcomes.insert(task.work.task, outcome);
    }
    Ok(())
}

/// The rows of packages, read by the engine.
struct Rows<'a> {
    engine: &'a Engine,
    inventory: &'a Inventory,
    stop: &'a Stop,
}

impl RowSource for Rows<'_> {
    fn fetch(
        &mut self,
        dataset: &Name,
        leaves: &[u16],
        rows: &[RowKey],
        each: &mut dyn FnMut(FetchedBatch) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        let files = self
            .inventory
            .datasets
            .get(dataset)
            .ok_or(EngineError::Bug("a package of a dataset without files"))?;
        self.engine.fetch(files, rows, leaves, &mut |batch| match self.stop.asked() {
            None => each(batch),
            Some(_) => ControlFlow::Break(()),
        })
    }
}
