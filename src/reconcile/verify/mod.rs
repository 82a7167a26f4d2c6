//! `verify`: the ledger's chain, packages against their digests, erasures against today's data.

mod canary;
mod erasures;
mod recheck;
mod unreached;
mod whom;

use serde::Serialize;

use crate::diagnostic::Diagnostic;
use crate::model::Name;
use crate::plan::LedgerView;
use crate::store::{Exports, Head, StateDir};

use super::error::chain;
use super::gather::{settings_of, state_dir};
use super::{Events, PassError, Verdict, Workspace};

pub use canary::Canaries;
pub(super) use canary::Planter;
pub use recheck::TodayDataset;
pub(super) use recheck::{Looked, Recheck, Today, completed};

/// Whether everything still holds.
#[derive(Debug, Serialize)]
pub struct VerifyReport {
    /// The chain.
    pub ledger: LedgerState,
    /// What is wrong with the ledger, or with this look at the data, in words.
    pub problems: Vec<String>,
    /// Completed erasures; `None` where only the ledger was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasures: Option<Vec<ErasureState>>,
    /// How many of them nobody can look for any more: their requests are gone, or opened by others' keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unchecked: Option<u64>,
    /// What the search for them had to find; `None` where there was no search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canaries: Option<Canaries>,
    /// Packages; `None` where only the ledger was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packages: Option<Vec<PackageState>>,
    /// Nothing is wrong.
    pub ok: bool,
    /// What is wrong with the policies, where they are invalid.
    #[serde(skip)]
    pub diagnostics: Vec<Diagnostic>,
    /// Why a part of it could not be looked at at all; the rest was.
    #[serde(skip)]
    pub failure: Option<PassError>,
}

impl VerifyReport {
    /// How the command should end.
    pub fn verdict(&self) -> Verdict {
        let altered = self.packages.iter().flatten().any(|package| !package.intact);
        match &self.failure {
            Some(failure) if self.ledger.intact && !altered => failure.verdict(),
            None if self.ok => Verdict::Done,
            _ => Verdict::Failed,
        }
    }
}

/// The ledger.
#[derive(Debug, Serialize)]
pub struct LedgerState {
    /// Commits.
    pub entries: u64,
    /// `N:SHA256` of the newest.
    pub head: Option<String>,
    /// The chain holds.
    pub intact: bool,
}

/// One completed erasure.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErasureState {
    /// The request.
    pub request: Name,
    /// The block.
    pub key: Option<String>,
    /// Rows that match today and in which some cell is not in erased form; with a [`Self::message`], those of
    /// which it is known. `None` where it cannot be told.
    pub rows_found: Option<u64>,
    /// Why it cannot be told, or not everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where those rows are.
    pub datasets: Vec<TodayDataset>,
    /// Nobody can look for it any more, and nothing is wrong: its request is gone, or opened by others' keys.
    #[serde(skip)]
    pub apart: bool,
}

/// One package.
#[derive(Debug, Serialize)]
pub struct PackageState {
    /// Where.
    pub package: String,
    /// It is there and is what was recorded.
    pub intact: bool,
}

/// Verifies; with `ledger_only`, the chain alone. `head` is one that was kept elsewhere. What cannot be looked
/// at is said in the report, with everything else.
///
/// # Errors
/// The ledger cannot be read, it was asked to stop, or there is a bug.
pub fn verify(
    workspace: &Workspace,
    ledger_only: bool,
    head: Option<&Head>,
    events: &mut dyn Events,
) -> Result<VerifyReport, PassError> {
    let catalog = settings_of(workspace);
    let state_dir = state_dir(workspace, &catalog)?;
    let chain = state_dir.verify_ledger(head)?;
    let ledger = LedgerState {
        entries: chain.entries,
        head: chain.head.as_ref().map(ToString::to_string),
        intact: chain.intact,
    };
    let mut report = VerifyReport {
        ok: ledger.intact,
        ledger,
        problems: chain.problems,
        erasures: None,
        unchecked: None,
        canaries: None,
        packages: None,
        diagnostics: Vec::new(),
        failure: None,
    };
    if ledger_only || !report.ledger.intact {
        return Ok(report);
    }
    let exports = workspace.exports(&catalog.settings);
    match rest(workspace, &state_dir, exports, &mut report, events) {
        Err(error) if error.verdict() == Verdict::Bug => return Err(error),
        Err(error @ PassError::Interrupted(_)) => return Err(error),
        Err(error) => report.fails(error),
        Ok(()) => {}
    }
    Ok(report)
}

/// Packages and erasures.
fn rest(
    workspace: &Workspace,
    state_dir: &StateDir,
    exports: &str,
    report: &mut VerifyReport,
    events: &mut dyn Events,
) -> Result<(), PassError> {
    let state = state_dir.read()?;
    let exports = Exports::open(exports, ".".as_ref())?;
    packages(&exports, state.view(), report);
    let erasures = erasures::erasures(workspace, &state, report, events);
    if let Err(error) = &erasures {
        report.none_checked(state.view(), &chain(error));
    }
    erasures
}

/// Each package against its digest; one that cannot be read is not intact.
fn packages(exports: &Exports, view: &LedgerView, report: &mut VerifyReport) {
    let mut packages = Vec::new();
    for (location, (_, package)) in &view.packages {
        let intact = match exports.content(location) {
            Ok(content) => content.is_some_and(|content| content.sha256 == package.sha256),
            Err(error) => {
                report.problems.push(chain(&error));
                false
            }
        };
        packages.push(PackageState { package: location.clone(), intact });
    }
    report.ok &= packages.iter().all(|package| package.intact);
    report.packages = Some(packages);
}

impl VerifyReport {
    fn fails(&mut self, error: PassError) {
        self.ok = false;
        self.problems.push(chain(&error));
        self.failure = Some(error);
    }
}
