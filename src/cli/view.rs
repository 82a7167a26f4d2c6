//! `amparo view`.

use crate::reconcile::{self, ViewRequest};
use crate::render::{view_human, view_json, view_markdown};

use super::error::{CliError, ExitStatus};
use super::global::{Global, Output};
use super::identities;
use super::progress::Progress;
use super::terminal::Terminal;

/// Show a subject's records, with stars where the role may not look
///
/// Whoever is no member of the role gets the most restricted one. The ledger says who looked, before
/// anything is shown. File permissions are the real boundary: see docs/roles.md.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Identities; `-` reads them from standard input, one NAMESPACE=VALUE a line, so that they stay
    /// out of shell histories
    #[arg(value_name = "NAMESPACE=VALUE", required = true)]
    identities: Vec<String>,

    /// Look under this role [default: the most restricted]
    #[arg(long, value_name = "NAME", env = "AMPARO_ROLE")]
    role: Option<String>,

    /// Who looks, for the ledger [default: the operating-system user]
    #[arg(long, value_name = "WHO", env = "AMPARO_ACTOR")]
    actor: Option<String>,

    /// Records to show of each dataset
    #[arg(long, value_name = "N", default_value_t = 200, env = "AMPARO_LIMIT")]
    limit: usize,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let output = terminal.output_of("view", Output::REPORT)?;
    let request = ViewRequest {
        identities: identities::read(&args.identities)?,
        role: args.role.as_deref(),
        actor: args.actor.as_deref(),
        limit: args.limit,
    };
    let report = reconcile::view(&global.workspace(), request, &mut Progress::new(terminal))?;
    let role = report.granted.role.as_ref();
    terminal.say(&match role {
        Some(role) => format!("seen as {role}"),
        None => "seen as somebody without a role".to_owned(),
    });
    terminal.print(&match output {
        Output::Json => view_json(&report),
        Output::Markdown => view_markdown(&report),
        _ => view_human(&report),
    })?;
    Ok(report.verdict.into())
}
