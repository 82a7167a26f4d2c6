//! What failed attempts rest on: while none of it changes, another attempt can only wait for its time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{Name, TaskId};
use crate::plan::{
    Cause, DatasetFiles, Failure, FailureKind, Inventory, LedgerView, TaskState, erasure_rules,
};
use crate::store::{DeploymentKey, hmac_key};

use super::pass::Pass;

/// The grounds of a pass, from its files as they were listed: what reading them brought to light is not
/// in it, so that the next pass, which has not read them yet, can compare.
pub(super) struct Grounds {
    key: Option<DeploymentKey>,
    now: Timestamp,
    policies: String,
    /// Digest of what the policies say about erasing.
    rules: String,
    /// Keys of Settings that cannot be had.
    keyless: String,
    datasets: BTreeMap<Name, DatasetGrounds>,
}

struct DatasetGrounds {
    /// Faults of the listing, and the columns.
    listing: Vec<u8>,
    /// Size, time, inode and footer of each file, by the path that is shown: several may share one.
    stamps: BTreeMap<String, Vec<u8>>,
}

impl Grounds {
    pub(super) fn new(pass: &Pass<'_>, key: Option<&DeploymentKey>, inventory: &Inventory) -> Self {
        let settings = &pass.loaded.catalog.settings;
        let keyless: Vec<&str> = settings
            .keys
            .iter()
            .filter(|(_, source)| hmac_key(source, ".".as_ref()).is_err())
            .map(|(name, _)| name.as_str())
            .collect();
        Self {
            key: key.cloned(),
            now: pass.now,
            policies: pass.loaded.policies_digest.clone(),
            rules: erasure_rules(&pass.loaded.catalog),
            keyless: keyless.join(","),
            datasets: inventory
                .datasets
                .iter()
                .map(|(name, files)| (name.clone(), DatasetGrounds::new(files)))
                .collect(),
        }
    }

    /// Digest of what the policies say about erasing.
    pub(super) fn rules(&self) -> &str {
        &self.rules
    }

    /// The failed tasks that need not be tried in this pass.
    pub(super) fn waiting(&self, ledger: &LedgerView) -> BTreeSet<TaskId> {
        ledger.waiting(self.now, |failure| self.evidence(&failure.cause()))
    }

    /// The failure of a task, after what the ledger knows of it.
    pub(super) fn failure(
        &self,
        id: &TaskId,
        cause: &Cause,
        known: Option<&TaskState>,
        fingerprint: Option<&String>,
    ) -> Failure {
        let same = known.filter(|known| Some(&known.fingerprint) == fingerprint);
        let earlier = same.and_then(|known| known.failure.as_ref());
        Failure::after(earlier, id, cause, self.evidence(cause), self.now)
    }

    /// Whether a failure says more than the ledger does: it is another one, or its time had come.
    pub(super) fn is_news(&self, failure: &Failure, known: Option<&TaskState>) -> bool {
        known.and_then(|known| known.failure.as_ref()).is_none_or(|known| {
            known.is_due(self.now)
                || (known.kind, &known.evidence) != (failure.kind, &failure.evidence)
        })
    }

    /// Keyed digest of what such a failure rests on.
    fn evidence(&self, cause: &Cause) -> String {
        let mut parts: Vec<&[u8]> = vec![self.policies.as_bytes()];
        // Conflicts are files that change: what only time cures rests on no file.
        if cause.kind != FailureKind::Transient {
            parts.push(self.keyless.as_bytes());
            let dataset = cause.dataset.as_ref().and_then(|name| self.datasets.get(name));
            if let Some(dataset) = dataset {
                parts.push(&dataset.listing);
                let stamps = cause.file.as_ref().and_then(|file| dataset.stamps.get(file));
                parts.extend(stamps.map(Vec::as_slice));
            }
        }
        self.key.as_ref().map(|key| key.digest("grounds", &parts)).unwrap_or_default()
    }
}

impl DatasetGrounds {
    fn new(files: &DatasetFiles) -> Self {
        let mut listing = Vec::new();
        let mut say = |text: &str| {
            listing.extend((text.len() as u64).to_le_bytes());
            listing.extend(text.as_bytes());
        };
        for problem in &files.problems {
            say(&problem.shown);
            say(&problem.what);
        }
        for leaf in &files.leaves {
            say(&leaf.path.to_string());
            say(&leaf.kind.describe());
            say(if leaf.nullable { "nullable" } else { "required" });
        }
        let mut stamps: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for file in &files.files {
            let stamp = stamps.entry(file.shown.clone()).or_default();
            stamp.extend(file.stamp.size.to_le_bytes());
            stamp.extend(file.stamp.modified.to_le_bytes());
            stamp.extend(file.stamp.inode.to_le_bytes());
            stamp.extend(file.stamp.footer.as_bytes());
        }
        Self { listing, stamps }
    }
}
