//! `amparo publish`.

use std::path::PathBuf;

use crate::reconcile::{self, PublishRequest, Workspace};
use crate::render::{publish_human, publish_json, publish_markdown};

use super::error::{CliError, ExitStatus};
use super::global::{Global, Output};
use super::progress::Progress;
use super::signals;
use super::terminal::Terminal;

/// Write a copy of a dataset in which everything that a role may not see is masked
///
/// Strings become stars, other values null; all other columns are copied byte for byte. Columns that
/// the policy does not mention are masked, unless the role says `unlabelled: show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The dataset
    #[arg(value_name = "DATASET")]
    dataset: String,

    /// For the eyes of this role
    #[arg(long, value_name = "NAME", env = "AMPARO_ROLE")]
    role: String,

    /// The directory to make; it must not be there, or be empty
    #[arg(long, value_name = "DIR", env = "AMPARO_PUBLISH_OUT")]
    out: PathBuf,

    /// Who does it, for the ledger [default: the operating-system user]
    #[arg(long, value_name = "WHO", env = "AMPARO_ACTOR")]
    actor: Option<String>,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let output = terminal.output_of("publish", Output::REPORT)?;
    let request = PublishRequest {
        dataset: &args.dataset,
        role: &args.role,
        actor: args.actor.as_deref(),
        out: &args.out,
    };
    signals::drain();
    let workspace = Workspace { stop: signals::stop(), ..global.workspace() };
    let report = reconcile::publish(&workspace, request, &mut Progress::new(terminal))?;
    terminal.print(&match output {
        Output::Json => publish_json(&report),
        Output::Markdown => publish_markdown(&report),
        _ => publish_human(&report),
    })?;
    Ok(ExitStatus::Done)
}
