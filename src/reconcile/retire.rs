//! `retire`: the identities of a finished request, replaced in its file by their keyed digests.
//!
//! Guarantees: only a request of which every task is done and is what the ledger knows; before anything is written
//! it is proved that the new file means the same tasks. Crash behaviour: the old file or the new one.

use std::cell::RefCell;
use std::path::PathBuf;

use crate::diagnostic::has_errors;
use crate::manifest::edit::{Edit, replace};
use crate::manifest::request::{Context, Given, Spot, read_file};
use crate::manifest::sealed::{Opener, digest_scalar};
use crate::manifest::source::SourceFile;
use crate::model::{Catalog, Name, Phase, Request, TaskId};
use crate::store::{DeploymentKey, State, replace_file};

use super::gather::{Texts, fingerprints, state_dir};
use super::{PassError, Workspace};

/// What `retire` did.
#[derive(Debug)]
pub struct RetireReport {
    /// The request.
    pub request: Name,
    /// Its file.
    pub file: PathBuf,
    /// Values that were replaced by digests now.
    pub retired: u64,
    /// Values that were digests before.
    pub before: u64,
}

/// Replaces the identities of a finished request by digests.
///
/// # Errors
/// Invalid policies; a request that is not there, not finished, or still in force; no deployment key; sealed
/// values that no key opens; a file that cannot be edited safely or written.
pub fn retire(workspace: &Workspace, name: &Name) -> Result<RetireReport, PassError> {
    let texts = Texts::read(workspace)?;
    let loaded = texts.load(workspace.clock.now());
    if !loaded.catalog_valid {
        return Err(PassError::InvalidPolicies);
    }
    let refuse = |what: String, hint: &str| PassError::NotRetired {
        request: name.clone(),
        what,
        hint: hint.to_owned(),
    };
    let request = loaded.requests.iter().find(|request| request.name == *name);
    let request = request.ok_or_else(|| PassError::Argument {
        what: "no request of that name is there".to_owned(),
        hint: "`amparo status` lists the requests".to_owned(),
    })?;
    let state = state_dir(workspace, &loaded.catalog)?.read()?;
    if let Some(what) = unfinished(request, &state) {
        return Err(refuse(what, "`amparo status` says where its tasks stand"));
    }
    let key = state.deployment_key().ok_or_else(|| {
        refuse(
            "the state has no deployment key, or it cannot be read".to_owned(),
            "run this where `amparo apply` runs: digests are made with the deployment key",
        )
    })?;
    let file = texts.requests.iter().find(|file| file.path == request.position.file);
    let file = file.ok_or_else(|| PassError::Bug("a request without its file".to_owned()))?;
    let opener = texts.keys.as_ref().map(|keys| keys as &dyn Opener);
    let reading = Reading { catalog: &loaded.catalog, opener, key };
    let (spots, before) = reading.read(file)?;
    let mut report = RetireReport {
        request: name.clone(),
        file: PathBuf::from(&file.path),
        retired: 0,
        before: 0,
    };
    let mut edits = Vec::new();
    for spot in spots.iter().filter(|spot| spot.request == name.as_str()) {
        let identity = match &spot.given {
            Given::Digest => {
                report.before += 1;
                continue;
            }
            Given::Plain(identity) | Given::Sealed(Some(identity)) => identity,
            Given::Sealed(None) => {
                let what = "it holds sealed values that no key at hand opens".to_owned();
                return Err(refuse(what, "give the key with --identity FILE or AMPARO_IDENTITY"));
            }
        };
        let digest = key.identity(&identity.namespace, &identity.canonical);
        edits.push(Edit { at: spot.key, text: "digest".to_owned() });
        edits.push(Edit { at: spot.value, text: digest_scalar(&digest) });
        report.retired += 1;
    }
    if edits.is_empty() {
        return Ok(report);
    }
    let edit = |source| PassError::Edit { path: report.file.clone(), source };
    let new = SourceFile { path: file.path.clone(), bytes: replace(file, &edits).map_err(edit)? };
    let (_, after) = reading.read(&new)?;
    if before != after {
        return Err(PassError::Bug("a retired request that means something else".to_owned()));
    }
    replace_file(&report.file, &file.bytes, &new.bytes)?;
    Ok(report)
}

/// Why a request cannot be retired yet; `None` where every task of it is done.
fn unfinished(request: &Request, state: &State) -> Option<String> {
    if request.rejected.is_some() {
        return Some("it is not valid: `amparo check` says why".to_owned());
    }
    let prints = fingerprints(std::slice::from_ref(request), state.deployment_key());
    for block in &request.users {
        // The number stands for a key that could not be shown.
        let shown = &block.key;
        if block.rejected.is_some() {
            return Some(format!("{shown} is rejected: `amparo check` says why"));
        }
        if block.standing {
            return Some(format!("{shown} is standing: its erasure is still in force"));
        }
        for action in &block.actions {
            let id = TaskId {
                request: request.name.clone(),
                key: Some(block.key.clone()),
                action: Some(*action),
            };
            let known = state.view().tasks.get(&id);
            let done = known.is_some_and(|task| {
                matches!(task.phase, Phase::Complete | Phase::Cancelled)
                    && prints.get(&id).is_none_or(|now| *now == task.fingerprint)
            });
            if !done {
                return Some(format!("{shown} {action} is not done"));
            }
        }
    }
    None
}

/// How the file is read, before and after.
struct Reading<'a> {
    catalog: &'a Catalog,
    opener: Option<&'a dyn Opener>,
    key: &'a DeploymentKey,
}

impl Reading<'_> {
    /// Where its identities stand, and what its tasks are.
    #[allow(clippy::type_complexity)]
    fn read(
        &self,
        file: &SourceFile,
    ) -> Result<(Vec<Spot>, std::collections::BTreeMap<TaskId, String>), PassError> {
        let spots = RefCell::new(Vec::new());
        let context =
            Context { catalog: self.catalog, now: None, opener: self.opener, spots: Some(&spots) };
        let (requests, diagnostics) = read_file(file, context);
        if has_errors(&diagnostics) {
            return Err(PassError::NotValid { path: PathBuf::from(&file.path) });
        }
        Ok((spots.into_inner(), fingerprints(&requests, Some(self.key))))
    }
}
