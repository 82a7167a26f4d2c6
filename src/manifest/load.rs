//! All files of both directories → catalog, requests and diagnostics: what every command starts with.
//!
//! Guarantees: any error in a policy file makes the whole catalog invalid, since a policy that cannot be read
//! must never mean "nothing to erase"; an error in a request rejects that request or block only
//! (CONTRACT.md section 2). Names of requests are unique in the result. The order of the files does not matter.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::codes::files::{DUPLICATE_NAME, NOT_REGULAR, REQUEST_ENDING};
use super::codes::request as codes;
use super::policy;
use super::reader::Report;
use super::request::{self, Context};
use super::sealed::Opener;
use super::source::{SourceFile, SourceKind};
use super::tree::Mark;
use crate::diagnostic::{Code, Diagnostic, arrange};
use crate::model::{Catalog, Name, Reason, Request, hex};

/// What the files say.
#[derive(Debug, Clone)]
#[must_use]
pub struct Loaded {
    /// The policies; of use only where [`Loaded::catalog_valid`].
    pub catalog: Catalog,
    /// Whether no policy file has an error.
    pub catalog_valid: bool,
    /// The requests by name, rejected ones too, with whatever of them could be read.
    pub requests: Vec<Request>,
    /// Everything that is wrong, arranged.
    pub diagnostics: Vec<Diagnostic>,
    /// SHA-256 over names and bytes of the policy files, in hex.
    pub policies_digest: String,
    /// How many files were read.
    pub files: FileCounts,
}

/// How many files of each directory were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileCounts {
    /// Policy files.
    pub policies: usize,
    /// Request files; those with another ending are left out.
    pub requests: usize,
}

/// Reads and cross-checks the files of both directories, without a clock.
pub fn load(policies: &[SourceFile], requests: &[SourceFile]) -> Loaded {
    read(policies, requests, None, None)
}

/// Like [`load`], and says what depends on the time: holds that have lapsed, requests from the future.
pub fn load_at(policies: &[SourceFile], requests: &[SourceFile], now: Timestamp) -> Loaded {
    read(policies, requests, Some(now), None)
}

/// Like [`load_at`], and opens sealed values.
pub fn load_opened(
    policies: &[SourceFile],
    requests: &[SourceFile],
    now: Timestamp,
    opener: Option<&dyn Opener>,
) -> Loaded {
    read(policies, requests, Some(now), opener)
}

fn read(
    policies: &[SourceFile],
    requests: &[SourceFile],
    now: Option<Timestamp>,
    opener: Option<&dyn Opener>,
) -> Loaded {
    let mut policy_files = policies.to_vec();
    policy_files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut request_files = requests.to_vec();
    request_files.sort_by(|a, b| a.path.cmp(&b.path));

    let today = now.map(|now| now.to_zoned(TimeZone::UTC).date());
    let mut policies = policy::read(&policy_files, today);
    let catalog_valid = policies.valid();
    let context = Context { catalog: &policies.catalog, now, opener, spots: None };
    let mut read = Requests::default();
    for file in &request_files {
        read.file(file, context);
    }
    let Requests { found, mut diagnostics, files, unread } = read;
    if !catalog_valid {
        // Against half a catalog these would send people looking for faults that are not there.
        diagnostics.retain(|diagnostic| !NEED_CATALOG.contains(&diagnostic.code));
    }
    let requests = unique(found, &mut diagnostics);
    if !unread {
        policies.check_holds(&requests);
    }
    if let Some(today) = today {
        policies.note_lapsed_holds(today);
    }
    let (catalog, of_policies) = policies.finish();
    diagnostics.extend(of_policies);
    arrange(&mut diagnostics);
    Loaded {
        catalog,
        catalog_valid,
        requests,
        diagnostics,
        policies_digest: digest(&policy_files),
        files: FileCounts { policies: policy_files.len(), requests: files },
    }
}

/// What is said of something in a directory of documents that is no regular file, and cannot be read.
pub fn not_regular(path: &str, kind: SourceKind) -> Vec<Diagnostic> {
    let mut report = Report::hidden(path, kind);
    report
        .error(
            NOT_REGULAR,
            Mark::default(),
            "not a regular file: pipes, sockets and devices are not read",
        )
        .help("remove it, or put a file in its place");
    report.into_diagnostics()
}

/// Problems of requests that say that something is not among the policies.
const NEED_CATALOG: [Code; 6] = [
    codes::UNKNOWN_PRODUCT,
    codes::NOTHING_INCLUDED,
    codes::NOT_CARRIED,
    codes::ONLY_UNKNOWN,
    codes::NOT_SELECTABLE,
    codes::NOTHING_REACHED,
];

#[derive(Default)]
struct Requests {
    found: Vec<Request>,
    diagnostics: Vec<Diagnostic>,
    files: usize,
    /// Whether some file gave a request that could not be read.
    unread: bool,
}

impl Requests {
    fn file(&mut self, file: &SourceFile, context: Context<'_>) {
        if !matches!(file.ending().as_str(), "yaml" | "yml" | "json") {
            let mut report = Report::hidden(&file.path, SourceKind::Request);
            report
                .note(REQUEST_ENDING, Mark::default(), "a file that is not read as a request")
                .help("requests are *.yaml, *.yml or *.json");
            self.diagnostics.extend(report.into_diagnostics());
            return;
        }
        self.files = self.files.saturating_add(1);
        let (requests, diagnostics) = request::read_file(file, context);
        self.unread |= requests.iter().any(|request| request.rejected.is_some());
        self.found.extend(requests);
        self.diagnostics.extend(diagnostics);
    }
}

/// Requests by name. Of several that are valid and share a name none may run: which of them is meant is nothing to
/// guess. A rejected one never stands in the way of a valid one.
fn unique(found: Vec<Request>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Request> {
    let mut groups: BTreeMap<Name, Vec<Request>> = BTreeMap::new();
    for request in found {
        groups.entry(request.name.clone()).or_default().push(request);
    }
    let mut requests = Vec::new();
    for (name, mut group) in groups {
        group.sort_by_key(|request| request.rejected.is_some());
        let valid = group.iter().filter(|request| request.rejected.is_none()).count();
        let mut group = group.into_iter();
        let Some(mut first) = group.next() else { continue };
        for other in group.take(valid.saturating_sub(1)) {
            let mut report = Report::hidden(&other.position.file, SourceKind::Request);
            let at = Mark { line: other.position.line, column: other.position.column, length: 0 };
            report.error(DUPLICATE_NAME, at, format!("there are two requests {name}")).help(
                format!(
                    "rename one; the first is at {}:{}",
                    first.position.file, first.position.line
                ),
            );
            diagnostics.extend(report.into_diagnostics());
            first.rejected = Some(Reason::Invalid);
        }
        requests.push(first);
    }
    requests
}

/// SHA-256 over the files' names and bytes, each with its length in front.
fn digest(files: &[SourceFile]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        for part in [file.path.as_bytes(), file.bytes.as_slice()] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part);
        }
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests;
