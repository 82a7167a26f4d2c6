//! The command line: one file a command, with its arguments and one function.

mod apply;
mod check;
mod ci;
mod completions;
mod demo;
mod desk;
pub mod error;
mod explain;
mod find;
mod global;
mod history;
mod identities;
mod init;
mod keygen;
mod link;
mod logging;
mod man;
mod open;
mod plan;
mod progress;
mod publish;
mod retire;
mod schema;
mod seal;
mod signals;
mod status;
mod systemd;
mod terminal;
mod verify;
mod view;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use error::{CliError, ExitStatus};
use global::Global;
use terminal::Terminal;

/// Reconcile data-subject requests (access and erasure) over Parquet
///
/// Policies say which columns identify whom, what may be shown and what must go; request files say whose
/// data is wanted or must be forgotten. amparo plans, writes access packages, rewrites the Parquet files
/// that hold erased subjects, and keeps a ledger.
#[derive(Debug, Parser)]
#[command(name = "amparo", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    global: Global,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done                     5   partial: run again
  1  failed                   6   stale plan, or another writer won
  2  plan has changes (only   64  usage
     with --detailed-exitcode) 70  a bug
  3  invalid policies or requests
  4  blocked: a person is needed

Start with `amparo demo`, or with `amparo init` in a directory of your own.";

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Args),
    Plan(plan::Args),
    Apply(apply::Args),
    Watch(watch::Args),
    Status(status::Args),
    History(history::Args),
    Verify(verify::Args),
    Find(find::Args),
    View(view::Args),
    Publish(publish::Args),
    Link(link::Args),
    Keygen(keygen::Args),
    Seal(seal::Args),
    Retire(retire::Args),
    Open(open::Args),
    Demo(demo::Args),
    Init(init::Args),
    Schema(schema::Args),
    Explain(explain::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            let usage = error.use_stderr();
            return if usage { ExitStatus::Usage.into() } else { ExitStatus::Done.into() };
        }
    };
    let terminal = Terminal::new(&cli.global);
    signals::listen();
    logging::start(&cli.global, terminal.style_err());
    match enter(&cli.global).and_then(|()| run(&cli, &terminal)) {
        Ok(status) => status.into(),
        Err(error) => {
            terminal.error(&error);
            error.status().into()
        }
    }
}

/// `-C`.
fn enter(global: &Global) -> Result<(), CliError> {
    match &global.chdir {
        Some(directory) => std::env::set_current_dir(directory)
            .map_err(|source| CliError::Directory { path: directory.clone(), source }),
        None => Ok(()),
    }
}

fn run(cli: &Cli, terminal: &Terminal) -> Result<ExitStatus, CliError> {
    let global = &cli.global;
    match &cli.command {
        Command::Check(args) => check::run(args, global, terminal),
        Command::Plan(args) => plan::run(args, global, terminal),
        Command::Apply(args) => apply::run(args, global, terminal),
        Command::Watch(args) => watch::run(args, global, terminal),
        Command::Status(args) => status::run(args, global, terminal),
        Command::History(args) => history::run(args, global, terminal),
        Command::Verify(args) => verify::run(args, global, terminal),
        Command::Find(args) => find::run(args, global, terminal),
        Command::View(args) => view::run(args, global, terminal),
        Command::Publish(args) => publish::run(args, global, terminal),
        Command::Link(args) => link::run(args, global, terminal),
        Command::Keygen(args) => keygen::run(args, global, terminal),
        Command::Seal(args) => seal::run(args, global, terminal),
        Command::Retire(args) => retire::run(args, global, terminal),
        Command::Open(args) => open::run(args, global, terminal),
        Command::Demo(args) => demo::run(args, global, terminal),
        Command::Init(args) => init::run(args, terminal),
        Command::Schema(args) => schema::run(args, terminal),
        Command::Explain(args) => explain::run(args, terminal),
        Command::Completions(args) => completions::run(args, terminal),
        Command::Man(args) => man::run(args, terminal),
    }
}

/// The whole command line, for completions, the manual and the test of the help.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}
