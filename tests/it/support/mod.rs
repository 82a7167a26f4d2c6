//! A workspace in a temporary directory, and the binary run in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

mod csv;
mod parquet;
mod process;

pub(crate) use csv::{csv, header};
pub(crate) use parquet::{amparo_arrow, numbers, text};
pub(crate) use process::{CI_VARIABLES, NOW, PATIENCE, Run, until};

/// A workspace.
pub(crate) struct Env {
    dir: TempDir,
}

impl Env {
    /// With the two directories and nothing in them.
    pub(crate) fn new() -> Self {
        let env = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir_all(env.path("policies")).unwrap();
        fs::create_dir_all(env.path("requests")).unwrap();
        env
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a text file.
    pub(crate) fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Writes a policy document of a dataset; `spec` is the YAML below `spec:`, indented by two.
    pub(crate) fn dataset(&self, name: &str, spec: &str) -> &Self {
        self.document("policies", "Dataset", name, spec)
    }

    /// Writes the policy of a dataset that is its own product; of each field what stands between its braces.
    pub(crate) fn table(&self, name: &str, location: &str, fields: &[&str]) -> &Self {
        let fields: String = fields.iter().map(|field| format!("\n    - {{{field}}}")).collect();
        let spec = format!(
            "  product: {name}\n  location: {location}\n  format: parquet\n  fields:{fields}"
        );
        self.dataset(name, &spec)
    }

    /// Writes a request of these blocks for one product.
    pub(crate) fn ask(&self, name: &str, product: &str, blocks: &[String]) -> &Self {
        self.request(name, &asked(product, blocks))
    }

    /// Writes a request.
    pub(crate) fn request(&self, name: &str, spec: &str) -> &Self {
        self.document("requests", "SubjectRequest", name, spec)
    }

    /// Writes a document of any kind.
    pub(crate) fn document(&self, folder: &str, kind: &str, name: &str, spec: &str) -> &Self {
        let text = format!(
            "apiVersion: amparo/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n{spec}\n"
        );
        self.write(&format!("{folder}/{}-{name}.yaml", kind.to_lowercase()), &text)
    }

    /// The entries of a package.
    pub(crate) fn package(&self, request: &str, key: &str) -> BTreeMap<String, String> {
        let path = self.path(format!("exports/{request}/{key}.zip"));
        let file = fs::File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut archive = zip::ZipArchive::new(file).unwrap();
        (0..archive.len())
            .map(|i| {
                let mut entry = archive.by_index(i).unwrap();
                let mut text = String::new();
                entry.read_to_string(&mut text).unwrap();
                (entry.name().unwrap().into_owned(), text)
            })
            .collect()
    }

    /// Every file below a directory, with its bytes.
    pub(crate) fn files(&self, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        fn walk(path: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(path).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else {
                    match fs::read(&path) {
                        Ok(bytes) => drop(found.insert(path, bytes)),
                        // A running process may have taken it away since.
                        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                        Err(error) => panic!("{}: {error}", path.display()),
                    }
                }
            }
        }
        let mut found = BTreeMap::new();
        walk(&self.path(folder), &mut found);
        found
    }
}

/// The field of a person's name that most tests search by.
pub(crate) const WHO: &str =
    "path: who, namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]";

/// The `spec` of a request of these blocks for one product.
pub(crate) fn asked(product: &str, blocks: &[String]) -> String {
    let users = blocks.join(", ");
    format!(
        "  {{regulation: gdpr, receivedAt: 2026-11-20, include: [{product}], users: [{users}]}}"
    )
}

/// A user block with one identity.
pub(crate) fn block(key: &str, actions: &str, namespace: &str, value: &str) -> String {
    format!(
        "{{key: {key}, action: [{actions}], userIDs: [{{namespace: {namespace}, value: {value}}}]}}"
    )
}

/// The task of a plan, report or status document.
#[track_caller]
pub(crate) fn task<'a>(document: &'a Value, key: &str, action: &str) -> &'a Value {
    document["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["key"] == key && t["action"] == action)
        .unwrap_or_else(|| panic!("no task {key} {action} in {document:#}"))
}
