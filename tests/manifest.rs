//! Sample folders, one file per diagnostic code, rendered as users would read them.
//!
//! A file in `manifest_invalid/policies` is loaded alone; one in `manifest_invalid/requests` together with
//! the policies of `manifest_valid`. Where the file's name starts with a code, it must bring that one about.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use amparo::diagnostic::{Diagnostic, Severity};
use amparo::manifest::source::SourceFile;
use amparo::manifest::{Loaded, approvals, codes, load_at, load_opened};
use amparo::store::Identities;

fn samples(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder)
}

/// The files below a folder, named relative to `tests/`.
fn files(folder: &Path, shown: &str) -> Vec<SourceFile> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let shown = format!("{shown}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            found.extend(files(&path, &shown));
        } else {
            found.push(SourceFile { path: shown, bytes: std::fs::read(&path).unwrap() });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

const NOW: &str = "2026-12-01T00:00:00Z";

fn read(policies: &[SourceFile], requests: &[SourceFile]) -> Loaded {
    load_at(policies, requests, NOW.parse().unwrap())
}

/// The policies, and sealing required, to the key of the samples below `sealed/`.
fn with_sealing(mut policies: Vec<SourceFile>) -> Vec<SourceFile> {
    let key = std::fs::read_to_string(samples("manifest_invalid/identity.txt")).unwrap();
    let recipient = key.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
    let sealing = format!("  sealing: {{recipients: [{recipient}], required: true}}\n");
    let settings = policies.iter_mut().find(|file| file.path.ends_with("settings.yaml"));
    settings.unwrap().bytes.extend(sealing.into_bytes());
    policies
}

fn valid_policies() -> Vec<SourceFile> {
    files(&samples("manifest_valid/policies"), "policies")
}

fn render(diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for d in diagnostics {
        let severity = match d.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let (file, line, column) = (&d.position.file, d.position.line, d.position.column);
        writeln!(
            text,
            "{} {severity} {file}:{line}:{column}+{}: {}",
            d.code.id, d.length, d.message
        )
        .unwrap();
        if let Some(source) = &d.source {
            let cut: String = source.chars().take(120).collect();
            writeln!(text, "  | {cut}").unwrap();
        }
        if let Some(help) = &d.help {
            writeln!(text, "  = {help}").unwrap();
        }
    }
    text
}

/// Holds every sample of a folder against its snapshot; gives the codes seen.
fn hold_against_snapshots(
    kind: &str,
    load: impl Fn(&SourceFile) -> Loaded,
) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    for file in files(&samples(&format!("manifest_invalid/{kind}")), kind) {
        let loaded = load(&file);
        let name = Path::new(&file.path).file_name().unwrap().to_str().unwrap().to_owned();
        let codes: BTreeSet<&str> = loaded.diagnostics.iter().map(|d| d.code.id).collect();
        let promised = name.get(..7).filter(|code| code.starts_with("AMP"));
        assert!(promised.is_none_or(|code| codes.contains(code)), "{name} brings about {codes:?}");
        insta::assert_snapshot!(format!("{kind}-{name}"), render(&loaded.diagnostics));
        seen.extend(codes);
    }
    seen
}

#[test]
fn invalid_policies() {
    let seen = hold_against_snapshots("policies", |file| {
        let loaded = read(std::slice::from_ref(file), &[]);
        let errors = amparo::diagnostic::has_errors(&loaded.diagnostics);
        assert_eq!(loaded.catalog_valid, !errors, "{}", file.path);
        loaded
    });
    let groups = [
        codes::files::ALL,
        codes::dataset::ALL,
        codes::namespace::ALL,
        codes::hold::ALL,
        codes::role::ALL,
    ]
    .concat();
    // About request files, a sample of more than 2,000 problems (a unit test has it), and what no sample
    // can be (tests/it/pipes.rs makes some).
    let elsewhere =
        [codes::files::REQUEST_ENDING, codes::files::TOO_MANY, codes::files::NOT_REGULAR];
    for code in groups.into_iter().filter(|code| !elsewhere.contains(code)) {
        assert!(seen.contains(code.id), "no sample brings about {} ({})", code.id, code.title);
    }
}

#[test]
fn invalid_requests() {
    let policies = valid_policies();
    let sealing = with_sealing(valid_policies());
    let keys = Identities::read(&samples("manifest_invalid/identity.txt")).unwrap();
    let seen = hold_against_snapshots("requests", |file| {
        let file = std::slice::from_ref(file);
        let loaded = if file[0].path.starts_with("requests/sealed/") {
            load_opened(&sealing, file, NOW.parse().unwrap(), Some(&keys))
        } else {
            read(&policies, file)
        };
        assert!(loaded.catalog_valid);
        loaded
    });
    for code in codes::request::ALL {
        assert!(seen.contains(code.id), "no sample brings about {} ({})", code.id, code.title);
    }
}

#[test]
fn invalid_approvals() {
    let seen = hold_against_snapshots("approvals", |file| {
        let mut loaded = read(&[], &[]);
        (loaded.catalog.approvals, loaded.diagnostics) =
            approvals(std::slice::from_ref(file), &loaded.requests);
        loaded
    });
    for code in codes::approval::ALL {
        assert!(seen.contains(code.id), "no sample brings about {} ({})", code.id, code.title);
    }
}

#[test]
fn valid_samples_are_valid() {
    let requests = files(&samples("manifest_valid/requests"), "requests");
    let alone = read(&valid_policies(), &files(&samples("manifest_valid/requests"), "r")[..1]);
    assert_eq!(render(&alone.diagnostics), "");
    let loaded = read(&valid_policies(), &requests);
    assert!(
        !amparo::diagnostic::has_errors(&loaded.diagnostics),
        "{}",
        render(&loaded.diagnostics)
    );
    assert!(loaded.catalog_valid);
    assert_eq!(loaded.catalog.datasets.len(), 4);
    assert!(!loaded.requests.is_empty());
    assert!(loaded.requests.iter().all(|request| request.rejected.is_none()));
    assert_eq!((loaded.files.policies, loaded.files.requests), (5, requests.len()));
}
