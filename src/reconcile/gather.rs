//! Gathers what a pass rests on: policies, requests, the ledger's view, the files.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::diagnostic::{Diagnostic, Severity, arrange, has_errors};
use crate::engine::{Engine, EngineOptions, Reserved};
use crate::manifest::codes::data::DATA_UNREADABLE;
use crate::manifest::sealed::Opener;
use crate::manifest::source::{SourceFile, SourceKind, lines};
use crate::manifest::{self, Loaded};
use crate::model::{Action, Catalog, Dataset, Name, Request, TaskId};
use crate::plan::{Hindrance, Inventory, LedgerView, check_data};
use crate::store::{DeploymentKey, Identities, OpenState, StateDir, fingerprint};

use super::coverage::{self, Found};
use super::error::LAYOUT_HELP;
use super::sources::{self, Sources};
use super::{Event, Events, PassError, Workspace};

/// What `check` found.
#[derive(Debug, Clone)]
pub struct CheckReport {
    /// Everything that is wrong, sorted.
    pub diagnostics: Vec<Diagnostic>,
    /// No error among them.
    pub valid: bool,
    /// Datasets.
    pub datasets: u64,
    /// Requests.
    pub requests: u64,
    /// User blocks of all requests.
    pub blocks: u64,
    /// The files that were read, policies first.
    pub files: Vec<String>,
}

/// How far `check` looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckScope {
    /// Also at the data of the datasets; roots imply it.
    pub data: bool,
    /// Also for data below these directories that no dataset covers.
    pub roots: Vec<PathBuf>,
}

/// Parses and cross-checks; where the scope says so, also against the Parquet schemas and a sample of the
/// values.
///
/// # Errors
/// A directory or file cannot be read; a root is no directory.
pub fn check(workspace: &Workspace, scope: &CheckScope) -> Result<CheckReport, PassError> {
    coverage::roots_are_there(&scope.roots)?;
    let texts = Texts::read(workspace)?;
    let Loaded { catalog, catalog_valid, requests, mut diagnostics, .. } =
        texts.load(workspace.clock.now());
    if (scope.data || !scope.roots.is_empty()) && catalog_valid {
        let engine = engine(workspace, &catalog)?;
        let datasets: Vec<_> = catalog.datasets.iter().collect();
        let reserved = reserved(workspace, &catalog);
        let mut inventory = engine.inventory(&datasets, &reserved);
        let found = Found { catalog: &catalog, requests: &requests, inventory: &inventory };
        let mut uncovered = coverage::lint(workspace, &engine, &found)?;
        uncovered.extend(coverage::below(workspace, &engine, &found, &scope.roots, &reserved)?);
        // Where the ledger cannot be read, an empty dataset is shown as one.
        if let Ok(state) = state_dir(workspace, &catalog)?.read() {
            accept_emptied(&mut inventory, state.view());
        }
        let mut found = check_data(&catalog, &inventory, workspace.clock.now());
        found.extend(uncovered);
        texts.show_lines(&mut found);
        diagnostics.extend(found);
        arrange(&mut diagnostics);
    }
    Ok(CheckReport {
        valid: !has_errors(&diagnostics),
        diagnostics,
        datasets: catalog.datasets.len() as u64,
        requests: requests.len() as u64,
        blocks: requests.iter().map(|request| request.users.len() as u64).sum(),
        files: texts.all().map(|file| file.path.clone()).collect(),
    })
}

/// The files of both directories, and the keys that open what is sealed in them.
pub(super) struct Texts {
    pub(super) policies: Vec<SourceFile>,
    pub(super) requests: Vec<SourceFile>,
    pub(super) keys: Option<Identities>,
    pub(super) approvals: Vec<SourceFile>,
    /// What stands among them and is no regular file.
    pub(super) special: Vec<(String, SourceKind)>,
}

impl Texts {
    pub(super) fn read(workspace: &Workspace) -> Result<Self, PassError> {
        let policies = sources::read(&workspace.policies, "policies")?;
        let requests = sources::read(&workspace.requests, "requests")?;
        let approvals = sources::read_if_there(&workspace.approvals, "approvals")?;
        let keys = workspace.identity.as_deref().map(Identities::read).transpose()?;
        Ok(Self::of(policies, requests, approvals, keys))
    }

    /// The policies alone, for what needs no requests.
    pub(super) fn policies(workspace: &Workspace) -> Result<Self, PassError> {
        let policies = sources::read(&workspace.policies, "policies")?;
        Ok(Self::of(policies, Sources::default(), Sources::default(), None))
    }

    pub(super) fn of(
        policies: Sources,
        requests: Sources,
        approvals: Sources,
        keys: Option<Identities>,
    ) -> Self {
        let special = [
            (policies.special, SourceKind::Policy),
            (requests.special, SourceKind::Request),
            (approvals.special, SourceKind::Approval),
        ];
        let of_kind = |(paths, kind): (Vec<String>, SourceKind)| {
            paths.into_iter().map(move |path| (path, kind))
        };
        Self {
            policies: policies.files,
            requests: requests.files,
            approvals: approvals.files,
            special: special.into_iter().flat_map(of_kind).collect(),
            keys,
        }
    }

    /// The policies, requests and approvals in them.
    pub(super) fn load(&self, now: Timestamp) -> Loaded {
        let opener = self.keys.as_ref().map(|keys| keys as &dyn Opener);
        let mut loaded = manifest::load_opened(&self.policies, &self.requests, now, opener);
        let (approvals, diagnostics) = manifest::approvals(&self.approvals, &loaded.requests);
        loaded.catalog.approvals = approvals;
        loaded.diagnostics.extend(diagnostics);
        for (path, kind) in &self.special {
            loaded.diagnostics.extend(manifest::not_regular(path, *kind));
            loaded.catalog_valid &= *kind != SourceKind::Policy;
        }
        arrange(&mut loaded.diagnostics);
        loaded
    }

    /// Every file, policies first.
    fn all(&self) -> impl Iterator<Item = &SourceFile> {
        self.policies.iter().chain(&self.requests).chain(&self.approvals)
    }

    /// The files that say what may be done: policies and approvals.
    pub(super) fn guarded(&self) -> Vec<SourceFile> {
        self.policies.iter().chain(&self.approvals).cloned().collect()
    }

    /// Fills in the source lines of diagnostics about policy files, which hold no personal data.
    pub(super) fn show_lines(&self, diagnostics: &mut [Diagnostic]) {
        for diagnostic in
            diagnostics.iter_mut().filter(|d| d.source.is_none() && d.position.line > 0)
        {
            let file = self.policies.iter().find(|file| file.path == diagnostic.position.file);
            let text = file.map(|file| String::from_utf8_lossy(&file.bytes));
            diagnostic.source = text.and_then(|text| {
                lines(&text)
                    .get(diagnostic.position.line.saturating_sub(1))
                    .map(|line| (*line).to_owned())
            });
        }
    }

    /// Keyed digest over all request files.
    pub(super) fn requests_digest(&self, key: Option<&DeploymentKey>) -> Option<String> {
        let parts: Vec<&[u8]> = self
            .requests
            .iter()
            .flat_map(|file| [file.path.as_bytes(), file.bytes.as_slice()])
            .collect();
        key.map(|key| key.digest("requests", &parts))
    }

    /// Keyed digest of the file that holds a request.
    pub(super) fn request_digest(&self, request: &Request, key: &DeploymentKey) -> String {
        let file = self.requests.iter().find(|file| file.path == request.position.file);
        let bytes = file.map_or(&[][..], |file| file.bytes.as_slice());
        key.digest("request", &[request.name.as_str().as_bytes(), bytes])
    }
}

/// What each task is, under the deployment key; empty without it. A task whose identities are sealed, and not
/// opened, has none.
pub(super) fn fingerprints(
    requests: &[Request],
    key: Option<&DeploymentKey>,
) -> BTreeMap<TaskId, String> {
    let Some(key) = key else { return BTreeMap::new() };
    let mut all = BTreeMap::new();
    for request in requests {
        for block in &request.users {
            for action in [Action::Access, Action::Delete] {
                if block.actions.contains(&action) {
                    let id = TaskId {
                        request: request.name.clone(),
                        key: Some(block.key.clone()),
                        action: Some(action),
                    };
                    if let Some(print) = fingerprint(key, request, block, action) {
                        all.insert(id, print);
                    }
                }
            }
        }
    }
    all
}

/// The ledger's view, read without a lock and without writing. Where the policies cannot be read, the
/// default state directory counts.
///
/// # Errors
/// The state cannot be read, or the ledger is damaged.
pub(super) fn read_ledger(workspace: &Workspace) -> Result<LedgerView, PassError> {
    Ok(state_dir(workspace, &settings_of(workspace))?.read()?.view().clone())
}

/// The catalog as far as it can be read: commands that only look at the state need no valid policies.
pub(super) fn settings_of(workspace: &Workspace) -> Catalog {
    let policies = sources::read(&workspace.policies, "policies").unwrap_or_default();
    manifest::load(&policies.files, &[]).catalog
}

/// Where the state lies.
pub(super) fn state_dir(workspace: &Workspace, catalog: &Catalog) -> Result<StateDir, PassError> {
    Ok(StateDir::locate(workspace.state(&catalog.settings), Path::new("."))?)
}

/// The engine; it touches its scratch directory only where it must spill.
pub(super) fn engine(workspace: &Workspace, catalog: &Catalog) -> Result<Engine, PassError> {
    let scratch = scratch(workspace, catalog)?;
    Ok(Engine::new(EngineOptions {
        scratch,
        memory: workspace.memory,
        jobs: workspace.jobs,
        working_dir: std::env::current_dir().map_err(|source| PassError::Sources {
            what: "directory",
            path: ".".into(),
            source,
        })?,
    })?)
}

/// Lets the engine believe what earlier passes read in footers.
pub(super) fn recall(
    workspace: &Workspace,
    catalog: &Catalog,
    engine: &Engine,
) -> Result<(), PassError> {
    engine.recall(state_dir(workspace, catalog)?.footers());
    Ok(())
}

/// Opens the state to write, and says for whom it waits.
pub(super) fn open_state(
    workspace: &Workspace,
    catalog: &Catalog,
    events: &mut dyn Events,
) -> Result<OpenState, PassError> {
    let mut told = false;
    let state = state_dir(workspace, catalog)?.write_after(workspace.lock_wait, &mut |holder| {
        if let Some(holder) = holder.filter(|_| !told) {
            told = true;
            let seconds = workspace.lock_wait.as_secs();
            let text =
                format!("another pass holds the state ({holder}): waiting up to {seconds} s");
            events.event(Event::Notice { text });
        }
        match workspace.stop.asked() {
            None => ControlFlow::Continue(()),
            Some(_) => ControlFlow::Break(()),
        }
    });
    workspace.stop.check()?;
    Ok(state?)
}

/// Where spills go.
pub(super) fn scratch(workspace: &Workspace, catalog: &Catalog) -> Result<PathBuf, PassError> {
    match &workspace.scratch {
        Some(path) => Ok(path.clone()),
        None => Ok(state_dir(workspace, catalog)?.path().join("scratch")),
    }
}

/// The places of our own, which must lie outside all datasets.
pub(super) fn reserved(workspace: &Workspace, catalog: &Catalog) -> Vec<Reserved> {
    let settings = &catalog.settings;
    let local = |text: &str| crate::store::directory(text, Path::new(".")).ok();
    let mut places = vec![
        Reserved { what: "the policies directory", path: workspace.policies.clone() },
        Reserved { what: "the requests directory", path: workspace.requests.clone() },
        Reserved { what: "the approvals directory", path: workspace.approvals.clone() },
    ];
    places.extend(
        local(workspace.state(settings)).map(|path| Reserved { what: "the state directory", path }),
    );
    places.extend(
        local(workspace.exports(settings))
            .map(|path| Reserved { what: "the exports directory", path }),
    );
    places.extend(
        workspace.scratch.clone().map(|path| Reserved { what: "the scratch directory", path }),
    );
    places
}

/// A dataset whose last file we ourselves deleted may be empty.
pub(super) fn accept_emptied(inventory: &mut Inventory, view: &LedgerView) {
    for name in &view.emptied {
        if let Some(files) = inventory.datasets.get_mut(name) {
            files.problems.retain(|problem| problem.hinders != Hindrance::Empty);
        }
    }
}

/// The files of these datasets, none of which may hold one of the `places`.
///
/// # Errors
/// [`PassError::Layout`] where datasets overlap each other or one of the places (CONTRACT.md section 1).
pub(super) fn inventory(
    engine: &Engine,
    datasets: &[&Dataset],
    places: &[Reserved],
) -> Result<Inventory, PassError> {
    let inventory = engine.inventory(datasets, places);
    let faults = layout_faults(&inventory);
    if faults.is_empty() { Ok(inventory) } else { Err(PassError::Layout { faults }) }
}

/// What is wrong with the layout, each where the policy of its dataset stands.
pub(super) fn layout_diagnostics(
    texts: &Texts,
    catalog: &Catalog,
    faults: &[(Name, String)],
) -> Vec<Diagnostic> {
    let diagnostic = |(name, fault): &(Name, String)| {
        Some(Diagnostic {
            code: DATA_UNREADABLE,
            severity: Severity::Error,
            position: catalog.dataset(name)?.position.clone(),
            length: 0,
            source: None,
            message: fault.clone(),
            help: Some(LAYOUT_HELP.to_owned()),
        })
    };
    let mut diagnostics = faults.iter().filter_map(diagnostic).collect::<Vec<_>>();
    texts.show_lines(&mut diagnostics);
    diagnostics
}

/// Faults of the layout that stop a pass before anything is written.
fn layout_faults(inventory: &Inventory) -> Vec<(Name, String)> {
    inventory
        .datasets
        .values()
        .flat_map(|files| {
            files.problems.iter().filter(|problem| problem.stops_pass).map(|problem| {
                (files.dataset.clone(), format!("{}: {}", problem.shown, problem.what))
            })
        })
        .collect()
}
