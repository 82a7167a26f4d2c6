//! `amparo plan`.

use clap::builder::FalseyValueParser;
use std::path::PathBuf;

use crate::reconcile::{self, Verdict};
use crate::render::{plan_human, plan_json, plan_markdown};

use super::error::{CliError, ExitStatus};
use super::global::{Global, Output};
use super::progress::Progress;
use super::terminal::Terminal;

/// Show exactly what `apply` would do: read-only, with counts per task, dataset, field and file
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Save the plan, for `amparo apply FILE`
    #[arg(long, value_name = "FILE", env = "AMPARO_OUT")]
    out: Option<PathBuf>,

    /// Exit with 2 where the plan has changes
    #[arg(long, env = "AMPARO_DETAILED_EXITCODE", value_parser = FalseyValueParser::new())]
    detailed_exitcode: bool,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let report = reconcile::plan(&global.workspace(), &mut Progress::new(terminal))?;
    match terminal.output() {
        Output::Human => {
            terminal.diagnostics(&report.diagnostics);
            if let Some(plan) = &report.plan {
                terminal.print(&plan_human(plan, terminal.style()))?;
            }
        }
        Output::Json => terminal.print(&plan_json(&report))?,
        Output::Markdown => terminal.print(&plan_markdown(&report))?,
    }
    if let (Some(path), Some(plan)) = (&args.out, &report.plan) {
        reconcile::SavedPlan::new(plan).write(path)?;
        terminal.say(&format!("Saved: amparo apply {}", path.display()));
        if plan.inputs.requests.is_none() {
            terminal.say(
                "note: made without the deployment key, so it cannot be applied: that key is made by the first apply",
            );
        }
    }
    Ok(match report.verdict {
        Verdict::Done if args.detailed_exitcode && report.has_changes() => ExitStatus::Changes,
        verdict => verdict.into(),
    })
}
