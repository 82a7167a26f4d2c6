//! `amparo plan`.

use clap::builder::FalseyValueParser;
use std::path::PathBuf;

use crate::diagnostic::shell_word;
use crate::reconcile::{self, Base, Verdict};

use super::ci::{CiArgs, Shown, in_checkout};
use super::error::{CliError, ExitStatus};
use super::global::Global;
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

    /// Show only what differs from the checkout at DIR: its requests and policies, on the same data
    /// and state
    #[arg(long, value_name = "DIR", env = "AMPARO_BASE")]
    base: Option<PathBuf>,

    #[command(flatten)]
    ci: CiArgs,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let workspace = global.workspace();
    let mut progress = Progress::new(terminal);
    let report = match &args.base {
        None => reconcile::plan(&workspace, &mut progress)?,
        Some(root) => {
            let base = Base {
                root: root.clone(),
                policies: root.join(in_checkout(&global.policies, "--policies")?),
                requests: root.join(in_checkout(&global.requests, "--requests")?),
                approvals: in_checkout(&global.approvals, "--approvals").ok().map(|p| root.join(p)),
            };
            reconcile::plan_against(&workspace, &base, &mut progress)?
        }
    };
    drop(progress);
    args.ci.deliver(Shown::Plan(&report), terminal)?;
    if let (Some(path), Some(plan)) = (&args.out, &report.plan) {
        reconcile::SavedPlan::new(plan, &report.files).write(path)?;
        terminal.say(&format!("Saved: amparo apply {}", shell_word(&path.display().to_string())));
        if plan.inputs.requests.is_none() {
            terminal.say(
                "note: made without the deployment key, so it cannot be applied: that key is made by the first apply",
            );
        }
    }
    if let Some(failure) = report.failure {
        return Err(failure.into());
    }
    Ok(match report.verdict {
        Verdict::Done if args.detailed_exitcode && report.has_changes() => ExitStatus::Changes,
        verdict => verdict.into(),
    })
}
