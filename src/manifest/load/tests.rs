#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::diagnostic::Severity;

const DATASET: &str = "apiVersion: amparo/v1\nkind: Dataset\nmetadata: {name: web}\nspec:\n  product: analytics\n  \
    location: lake\n  fields:\n    - {path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-PERSON]}\n";

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
}

fn request(name: &str, namespace: &str) -> String {
    format!(
        "apiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {{name: {name}}}\nspec:\n  regulation: gdpr\n  \
         include: [analytics]\n  users:\n    - key: K-1\n      action: [access]\n      userIDs:\n        \
         - {{namespace: {namespace}, value: jane@mail.com}}\n"
    )
}

fn ids(loaded: &Loaded) -> Vec<(&'static str, Severity)> {
    loaded.diagnostics.iter().map(|d| (d.code.id, d.severity)).collect()
}

#[test]
fn valid_files_load_without_a_word() {
    let loaded = load(&[file("p/web.yaml", DATASET)], &[file("r/a.yaml", &request("a", "email"))]);
    assert_eq!(ids(&loaded), []);
    assert!(loaded.catalog_valid && loaded.requests[0].rejected.is_none());
    assert_eq!(loaded.files, FileCounts { policies: 1, requests: 1 });
}

#[test]
fn requests_come_by_name_whatever_the_order_of_files() {
    let requests: Vec<SourceFile> = ["c", "a", "b"]
        .map(|name| file(&format!("r/{name}{name}.yaml"), &request(name, "email")))
        .to_vec();
    let policies = [file("p/web.yaml", DATASET)];
    let mut turned = requests.clone();
    turned.reverse();
    let (one, other) = (load(&policies, &requests), load(&policies, &turned));
    let names = |loaded: &Loaded| {
        loaded.requests.iter().map(|request| request.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        (names(&one), names(&other)),
        (vec!["a".into(), "b".into(), "c".into()], names(&one))
    );
    assert_eq!(one.policies_digest, other.policies_digest);
}

#[test]
fn the_digest_covers_names_and_bytes() {
    let digest = |files: &[(&str, &str)]| {
        let files: Vec<SourceFile> = files.iter().map(|(path, text)| file(path, text)).collect();
        load(&files, &[]).policies_digest
    };
    let base = digest(&[("a.yaml", "x"), ("b.yaml", "y")]);
    assert_eq!(base.len(), 64);
    assert_eq!(base, digest(&[("b.yaml", "y"), ("a.yaml", "x")]));
    assert_ne!(base, digest(&[("a.yaml", "x"), ("b.yaml", "z")]));
    assert_ne!(base, digest(&[("a.yaml", "x"), ("c.yaml", "y")]));
    assert_ne!(digest(&[("a", "bc")]), digest(&[("ab", "c")]));
}

#[test]
fn two_requests_of_one_name_run_neither() {
    let policies = [file("p/web.yaml", DATASET)];
    let requests =
        [file("r/1.yaml", &request("same", "email")), file("r/2.yaml", &request("same", "email"))];
    let loaded = load(&policies, &requests);
    assert_eq!(ids(&loaded), [("AMP0015", Severity::Error)]);
    assert_eq!(loaded.diagnostics[0].position.file, "r/2.yaml");
    assert_eq!(loaded.requests.len(), 1);
    assert_eq!(loaded.requests[0].rejected, Some(Reason::Invalid));
    assert!(loaded.catalog_valid);
}

#[test]
fn a_broken_file_does_not_stand_in_the_way_of_a_valid_request_of_its_name() {
    let policies = [file("p/web.yaml", DATASET)];
    let requests =
        [file("r/good.yaml", &request("acme", "email")), file("r/acme.yaml", "users: [")];
    let loaded = load(&policies, &requests);
    assert_eq!(loaded.requests.len(), 1);
    assert!(loaded.requests[0].rejected.is_none());
    assert_eq!(ids(&loaded), [("AMP0004", Severity::Error)]);
}

#[test]
fn a_broken_policy_does_not_make_requests_look_wrong() {
    let requests = [file("r/a.yaml", &request("a", "email"))];
    let loaded = load(&[file("p/web.yaml", "kind: [")], &requests);
    assert!(!loaded.catalog_valid);
    assert_eq!(ids(&loaded), [("AMP0004", Severity::Error)]);
    assert_eq!(loaded.requests.len(), 1);
}

#[test]
fn other_endings_are_an_error_here_and_a_note_there() {
    let policies = [file("p/web.yaml", DATASET), file("p/hold.yaml.bak", "kind: Hold")];
    let loaded = load(&policies, &[file("r/README.md", "# how to")]);
    assert_eq!(ids(&loaded), [("AMP0006", Severity::Error), ("AMP0007", Severity::Note)]);
    assert!(!loaded.catalog_valid);
    assert_eq!((loaded.requests.len(), loaded.files.requests), (0, 0));
}

#[test]
fn holds_on_requests_are_held_against_them() {
    let hold = "apiVersion: amparo/v1\nkind: Hold\nmetadata: {name: keep}\n\
                spec: {requests: [a], keys: [K-1, K-2], reason: tax}\n";
    let policies = [file("p/web.yaml", DATASET), file("p/keep.yaml", hold)];
    let loaded = load(&policies, &[file("r/a.yaml", &request("a", "email"))]);
    assert_eq!(ids(&loaded), [("AMP0504", Severity::Warning)], "K-2 is not there");
    let loaded = load(&policies, &[file("r/b.yaml", &request("b", "email"))]);
    assert_eq!(ids(&loaded), [("AMP0504", Severity::Warning)], "a is not there");
    // Which requests there are is not known where one cannot be read.
    let loaded = load(&policies, &[file("r/b.yaml", "users: [")]);
    assert_eq!(ids(&loaded), [("AMP0004", Severity::Error)]);
}

#[test]
fn a_hold_lapses_on_its_day() {
    let hold = "apiVersion: amparo/v1\nkind: Hold\nmetadata: {name: keep}\n\
                spec: {datasets: [web], until: 2027-07-01, reason: tax}\n";
    let policies = [file("p/web.yaml", DATASET), file("p/keep.yaml", hold)];
    let on = |now: &str| ids(&load_at(&policies, &[], now.parse().unwrap()));
    assert_eq!(on("2027-06-30T23:59:59Z"), []);
    assert_eq!(on("2027-07-01T00:00:00Z"), [("AMP0506", Severity::Note)]);
    assert_eq!(ids(&load(&policies, &[])), []);
}
