//! `amparo init`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::render::document;
use crate::{manifest, store};

use super::error::{CliError, ExitStatus};
use super::global::Output;
use super::terminal::Terminal;

/// Start a project: a commented policy, settings, an example request, and schemas for editors
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where
    #[arg(value_name = "DIR", default_value = ".", env = "AMPARO_INIT_DIR")]
    directory: PathBuf,
}

const DATASET: &str = "\
# One dataset: which columns identify whom, what may be shown, what must go.
# Labels and methods: amparo schema Dataset; a wrong one is explained by: amparo check
apiVersion: amparo/v1
kind: Dataset
metadata: {name: events}
spec:
  product: analytics                # the directory in a package
  location: lake/events/            # a file, a directory, or a glob; relative to where amparo runs
  format: parquet
  timestamp: ts
  mayBeEmpty: true                  # remove this once there are files: missing data is an error then
  fields:
    - {path: ts, labels: [ACC-ALL]}
    - {path: email, namespace: email address, labels: [I1, ID-PERSON, DEL-PERSON, ACC-PERSON]}
    - {path: visitor_id, namespace: AAID, labels: [I2, ID-DEVICE, DEL-DEVICE, ACC-ALL]}
    - {path: ip, labels: [I2, DEL-DEVICE, DEL-PERSON, ACC-PERSON], erase: {method: empty}}
";

const NAMESPACES: &str = "\
apiVersion: amparo/v1
kind: Namespace
metadata: {name: email-address}
spec:
  namespace: email address
  normalize: [trim, lowercase]
  format: '^[^@\\s]+@[^@\\s]+$'
";

const SETTINGS: &str = "\
apiVersion: amparo/v1
kind: Settings
metadata: {name: default}
spec:
  state: state                      # ledger and keys: keep it, and back it up
  exports: exports                  # packages: personal data, mode 0600
  exportRetention: 14d
";

const REQUEST: &str = "\
# Rename to a file that does not start with a dot, put the subject's identities in, commit.
apiVersion: amparo/v1
kind: SubjectRequest
metadata: {name: first}
spec:
  regulation: gdpr
  receivedAt: 2026-11-22
  include: [analytics]
  users:
    - key: CASE-1                   # your own reference, never an e-mail address
      action: [access]              # access, delete, or both
      userIDs:
        - {namespace: email address, value: somebody@example.com}
";

/// Where the schemas lie that editors use: committed with the rest, so that they work offline.
const SCHEMAS: &str = ".amparo/schemas";

pub(crate) fn run(args: &Args, terminal: &Terminal) -> Result<ExitStatus, CliError> {
    let output = terminal.output_of("init", Output::DATA)?;
    let files = [
        ("policies/events.yaml", modeline("Policy") + DATASET),
        ("policies/namespaces.yaml", modeline("Policy") + NAMESPACES),
        ("policies/settings.yaml", modeline("Policy") + SETTINGS),
        ("requests/.example.yaml", modeline("SubjectRequest") + REQUEST),
        (".gitignore", "/state\n/exports\n".to_owned()),
    ];
    let mut told: Vec<Value> = Vec::new();
    let mut tell = |path: &Path, wrote: bool| {
        told.push(json!({ "path": path.display().to_string(), "written": wrote }));
    };
    for (name, text) in &files {
        let path = args.directory.join(name);
        let made = create(&path, text)?;
        tell(&path, made);
        terminal.say(&format!("{} {}", if made { "wrote" } else { "kept " }, path.display()));
    }
    let schemas = args.directory.join(SCHEMAS);
    let mut news = 0;
    for kind in manifest::schema::KINDS {
        let path = schemas.join(format!("{kind}.json"));
        let renewed = renew(&path, &schema(kind))?;
        tell(&path, renewed);
        news += usize::from(renewed);
    }
    let verb = if news == 0 { "kept " } else { "wrote" };
    terminal.say(&format!("{verb} {}/*.json, for editors", schemas.display()));
    if output == Output::Json {
        terminal.print(&document("init", &json!({ "files": told })))?;
    }
    terminal.say("Next: describe your data in policies/, then run `amparo check --data`.");
    Ok(ExitStatus::Done)
}

/// The line by which the YAML language server finds the schema: relative to the file, one directory below the
/// project's.
fn modeline(kind: &str) -> String {
    format!("# yaml-language-server: $schema=../{SCHEMAS}/{kind}.json\n")
}

/// What `amparo schema` prints.
fn schema(kind: &str) -> String {
    let schema = manifest::schema::schema(kind).unwrap_or_default();
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

/// Writes a file of amparo's own, in place of what an earlier version wrote; whether it differed.
fn renew(path: &Path, text: &str) -> Result<bool, CliError> {
    if create(path, text)? {
        return Ok(true);
    }
    let failed = |source| CliError::File { verb: "read", path: path.to_owned(), source };
    let old = fs::read(path).map_err(failed)?;
    let differs = old != text.as_bytes();
    if differs {
        store::replace_file(path, &old, text.as_bytes())?;
    }
    Ok(differs)
}

/// Writes a file that is not there yet; what is there is kept.
fn create(path: &Path, text: &str) -> Result<bool, CliError> {
    let failed = |source| CliError::File { verb: "write", path: path.to_owned(), source };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    match fs::OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true).map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}
