//! `amparo demo`.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::engine::sample;
use crate::reconcile::{self, Approval, CheckScope, Clock, Workspace};
use crate::render::{apply_human, check_human, history_human, plan_human};

use super::error::{CliError, ExitStatus};
use super::global::{Global, Output};
use super::progress::Progress;
use super::terminal::Terminal;

/// Make a small lake with policies and requests, then check, plan and apply them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where; must be empty, or an earlier demo
    #[arg(value_name = "DIR", default_value = "demo", env = "AMPARO_DEMO_DIR")]
    directory: PathBuf,
}

/// Tells an earlier demo from somebody's own directory.
const MARKER: &str = ".amparo-demo";

/// The demo's now: its requests are due soon after it.
const NOW: &str = "2026-11-22T09:00:00Z";

macro_rules! example {
    ($path:literal) => {
        ($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path)))
    };
}

/// The examples at the top of the repository.
const FILES: [(&str, &str); 9] = [
    example!("policies/namespaces.yaml"),
    example!("policies/web-events.yaml"),
    example!("policies/customers.yaml"),
    example!("policies/orders.yaml"),
    example!("policies/qa-web-events.yaml"),
    example!("policies/settings.yaml"),
    example!("requests/2026-11-acme.yaml"),
    example!("requests/adobe-2026-11-18.json"),
    example!("requests/qa-rehearsal.yaml"),
];

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    terminal.output_of("demo", Output::TEXT)?;
    let directory = &args.directory;
    prepare(directory)?;
    for (name, text) in FILES {
        write(&directory.join(name), text)?;
    }
    let rows = sample::write(directory)?;
    terminal.say(&format!(
        "Made a lake of {rows} rows, policies and requests in {}.",
        directory.display()
    ));
    std::env::set_current_dir(directory)
        .map_err(|source| CliError::Directory { path: directory.clone(), source })?;

    let workspace = Workspace {
        clock: global
            .now
            .or_else(|| NOW.parse::<Timestamp>().ok())
            .map_or(Clock::System, Clock::Fixed),
        state: None,
        exports: None,
        scratch: None,
        identity: None,
        policies: "policies".into(),
        requests: "requests".into(),
        ..global.workspace()
    };
    let style = terminal.style();
    heading(terminal, "amparo check --data")?;
    let check = reconcile::check(&workspace, &CheckScope { data: true, ..CheckScope::default() })?;
    terminal.diagnostics(&check.diagnostics);
    terminal.print(&check_human(&check, style))?;
    if !check.valid {
        return Ok(ExitStatus::Invalid);
    }
    heading(terminal, "amparo plan")?;
    let plan = reconcile::plan(&workspace, &mut Progress::new(terminal))?;
    if let Some(plan) = &plan.plan {
        terminal.print(&plan_human(plan, style))?;
    }
    heading(terminal, "amparo apply --auto-approve")?;
    let applied = reconcile::apply(&workspace, Approval::Given, &mut Progress::new(terminal))?;
    terminal.print(&apply_human(&applied, style))?;
    heading(terminal, "amparo history")?;
    terminal.print(&history_human(&reconcile::history(&workspace)?))?;

    let shown = directory.display();
    terminal.print(&format!(
        "\nPackages: {shown}/exports/   Ledger: {shown}/state/ledger/\n\
         Look at one: unzip -p {shown}/exports/2026-11-acme/GDPR-1236.zip index.html > index.html\n\
         Go on:       amparo -C {shown} status, amparo -C {shown} verify, then edit {shown}/requests/ and apply again\n"
    ))?;
    Ok(applied.verdict.into())
}

fn heading(terminal: &Terminal, command: &str) -> Result<(), CliError> {
    terminal.print(&format!("\n{}\n\n", terminal.style().bold(&format!("$ {command}"))))
}

/// Makes the directory; an earlier demo in it is removed, anything else refused.
fn prepare(directory: &Path) -> Result<(), CliError> {
    let failed = |source| CliError::File { verb: "write", path: directory.to_owned(), source };
    if directory.join(MARKER).is_file() {
        for part in ["lake", "policies", "requests", "state", "exports"] {
            match fs::remove_dir_all(directory.join(part)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(failed(error));
                }
                _ => {}
            }
        }
    } else if directory.exists() {
        let mut entries = fs::read_dir(directory).map_err(failed)?;
        if entries.next().is_some() {
            return Err(CliError::Usage {
                what: format!("{} is not empty, and is no earlier demo", directory.display()),
                hint: "name a directory of its own: amparo demo DIR".to_owned(),
            });
        }
    }
    fs::create_dir_all(directory).map_err(failed)?;
    write(&directory.join(MARKER), "made by `amparo demo`, which may remove what it made\n")
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |source| CliError::File { verb: "write", path: path.to_owned(), source };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}
