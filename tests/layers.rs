//! Holds the layers of the architecture: each may use only those to its left.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

/// Left to right; `diagnostic` is open to all.
const LAYERS: [&str; 8] =
    ["model", "manifest", "plan", "store", "engine", "reconcile", "render", "cli"];

/// Crates that only some layers may know.
const CRATES: [(&str, &[&str]); 14] = [
    ("uzers", &["store"]),
    ("datafusion", &["engine"]),
    ("arrow", &["engine"]),
    ("parquet", &["engine"]),
    ("serde_yaml", &["manifest"]),
    ("clap", &["cli"]),
    ("notify", &["reconcile"]),
    ("notify_debouncer_full", &["reconcile"]),
    ("sd_notify", &["cli"]),
    ("zip", &["engine"]),
    ("age", &["manifest", "store"]),
    ("axum", &["reconcile"]),
    ("hyper", &["reconcile"]),
    ("metrics", &["reconcile"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file without comments and without its test module.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    lines.filter(|line| !line.trim_start().starts_with("//")).fold(
        String::new(),
        |mut all, line| {
            all.push_str(line);
            all.push('\n');
            all
        },
    )
}

/// Whether `code` names `what` followed by `::`, not as the tail of a longer word or path.
fn names(code: &str, what: &str) -> bool {
    let needle = format!("{what}::");
    code.match_indices(&needle)
        .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'))
}

#[test]
fn every_layer_uses_only_those_to_its_left() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (rank, layer) in LAYERS.iter().enumerate() {
        let mut files = Vec::new();
        sources(&root.join(layer), &mut files);
        for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
            seen += 1;
            let code = code(file);
            for right in &LAYERS[rank + 1..] {
                if code.contains(&format!("crate::{right}::"))
                    || code.contains(&format!("crate::{right};"))
                {
                    wrong.push(format!("{} uses {right}", file.display()));
                }
            }
            for (name, allowed) in CRATES {
                if !allowed.contains(layer) && names(&code, name) {
                    wrong.push(format!("{} knows the crate {name}", file.display()));
                }
            }
        }
    }
    assert!(seen > 40, "the scan found only {seen} files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_one_module_knows_the_yaml_crate() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let knowing: Vec<_> = files.iter().filter(|f| names(&code(f), "serde_yaml")).collect();
    assert!(!knowing.is_empty());
    let module = root.join("manifest/yaml");
    assert!(knowing.iter().all(|f| f.starts_with(&module)), "{knowing:?}");
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let long: Vec<_> = files
        .iter()
        .map(|f| (fs::read_to_string(f).unwrap().lines().count(), f))
        .filter(|(lines, _)| *lines > 600)
        .collect();
    assert!(long.is_empty(), "{long:?}");
}
