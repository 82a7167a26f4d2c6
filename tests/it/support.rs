//! A workspace in a temporary directory, and the binary run in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use amparo_arrow::*;
use serde_json::Value;
use tempfile::TempDir;

/// The arrays that tests write.
pub(crate) mod amparo_arrow {
    pub(crate) use arrow::array::{Array, ArrayRef, BinaryArray, Int64Array, StringArray};
    pub(crate) use arrow::record_batch::RecordBatch;
    pub(crate) use parquet::arrow::ArrowWriter;
    pub(crate) use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
}

/// A workspace.
pub(crate) struct Env {
    dir: TempDir,
}

/// What a run printed and how it ended.
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Run {
    /// The JSON document on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| {
            panic!("no JSON: {e}\nexit {}\n{}\n{}", self.code, self.stdout, self.stderr)
        })
    }

    /// Asserts the exit code, showing everything where it differs.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output, standard error and status together, for snapshots.
    pub(crate) fn transcript(&self) -> String {
        format!("--- stdout\n{}--- stderr\n{}--- exit {}\n", self.stdout, self.stderr, self.code)
    }
}

/// The time in every test.
pub(crate) const NOW: &str = "2026-11-22T09:00:00Z";

/// By which CI systems make themselves known: these tests are told by flags and variables of their own.
pub(crate) const CI_VARIABLES: [&str; 5] =
    ["GITHUB_ACTIONS", "GITHUB_WORKSPACE", "GITHUB_STEP_SUMMARY", "GITLAB_CI", "CI_PROJECT_DIR"];

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

    /// Writes a Parquet file of these columns.
    pub(crate) fn parquet(&self, name: &str, columns: Vec<(&str, ArrayRef)>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, true)),
        )
        .unwrap();
        let mut writer =
            ArrowWriter::try_new(fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        self
    }

    /// A Parquet file's string columns, row by row; null is `None`.
    pub(crate) fn rows(&self, name: &str) -> Vec<Vec<Option<String>>> {
        let file = fs::File::open(self.path(name)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        let mut rows = Vec::new();
        for batch in reader {
            let batch = batch.unwrap();
            for row in 0..batch.num_rows() {
                let cell = |column: &ArrayRef| {
                    let text = column.as_any().downcast_ref::<StringArray>().unwrap();
                    (!text.is_null(row)).then(|| text.value(row).to_owned())
                };
                rows.push(batch.columns().iter().map(cell).collect());
            }
        }
        rows
    }

    /// A column of strings of a Parquet file; null is empty.
    pub(crate) fn rows_of_text(&self, name: &str, column: &str) -> Vec<String> {
        let file = fs::File::open(self.path(name)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        let mut cells = Vec::new();
        for batch in reader {
            let batch = batch.unwrap();
            let text = batch.column_by_name(column).unwrap().as_any();
            let text = text.downcast_ref::<StringArray>().unwrap().clone();
            cells.extend(text.iter().map(|cell| cell.unwrap_or_default().to_owned()));
        }
        cells
    }

    /// Writes a Parquet file of one column of bytes.
    pub(crate) fn binary(&self, name: &str, column: &str, values: &[&[u8]]) -> &Self {
        self.parquet(name, vec![(column, Arc::new(BinaryArray::from(values.to_vec())))])
    }

    /// Runs the binary; `-C` is set, and the clock where the arguments do not.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, &[], "")
    }

    /// Runs the binary with environment variables and standard input.
    pub(crate) fn run_with(&self, args: &[&str], env: &[(&str, &str)], stdin: &str) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_amparo"));
        command.arg("-C").arg(self.root()).args(args);
        if !args.contains(&"--now") {
            command.args(["--now", NOW]);
        }
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AMPARO_")) {
            command.env_remove(name);
        }
        for name in CI_VARIABLES {
            command.env_remove(name);
        }
        command.env("NO_COLOR", "1").envs(env.iter().copied());
        let output: Output =
            assert_cmd::Command::from_std(command).write_stdin(stdin).output().unwrap();
        Run {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code().unwrap_or(-1),
        }
    }

    /// Applies without asking.
    pub(crate) fn apply(&self) -> Run {
        self.run(&["apply", "--auto-approve", "-o", "json"])
    }

    /// The plan as JSON.
    pub(crate) fn plan(&self) -> Run {
        self.run(&["plan", "-o", "json"])
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

/// A column of strings; `""` is null.
pub(crate) fn text(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from_iter(values.iter().map(|v| (!v.is_empty()).then_some(*v))))
}

/// A column of integers.
pub(crate) fn numbers(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

/// The rows of a CSV by column name. Quoted cells of these tests hold no line breaks.
pub(crate) fn csv(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = text.lines();
    let header = cells(lines.next().unwrap_or_default());
    lines.map(|line| header.iter().cloned().zip(cells(line)).collect()).collect()
}

/// The header of a CSV.
pub(crate) fn header(text: &str) -> Vec<String> {
    cells(text.lines().next().unwrap_or_default())
}

fn cells(line: &str) -> Vec<String> {
    let (mut all, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    all.push(cell);
    all
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
