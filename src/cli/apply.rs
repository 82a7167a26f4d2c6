//! `amparo apply`.

use clap::builder::FalseyValueParser;
use std::io::{BufRead, Write};
use std::path::PathBuf;

use crate::plan::Plan;
use crate::reconcile::{self, Approval, SavedPlan, Workspace};
use crate::render::{apply_human, apply_json, apply_markdown, plan_human};

use super::error::{CliError, ExitStatus};
use super::global::{Global, Output};
use super::progress::Progress;
use super::signals;
use super::terminal::Terminal;

/// Do what is planned: write access packages, erase, record
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A plan that `amparo plan --out` saved: exactly that is done, or nothing
    #[arg(value_name = "PLAN", env = "AMPARO_PLAN")]
    plan: Option<PathBuf>,

    /// Do not ask
    #[arg(long, env = "AMPARO_AUTO_APPROVE", value_parser = FalseyValueParser::new())]
    auto_approve: bool,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let output = terminal.output_of("apply", Output::REPORT)?;
    if !args.auto_approve && args.plan.is_none() && !terminal.interactive() {
        return Err(CliError::Usage {
            what: "there is no terminal to ask on, and neither --auto-approve nor a saved plan".to_owned(),
            hint: "run `amparo plan --out FILE`, look at it, then `amparo apply FILE`; or pass --auto-approve"
                .to_owned(),
        });
    }
    let approval = match &args.plan {
        Some(path) => Approval::Saved(Box::new(SavedPlan::read(path)?)),
        None if args.auto_approve => Approval::Given,
        None => Approval::Ask(Box::new(|plan| ask(plan, terminal))),
    };
    // While it asks, a signal ends it at once.
    if !matches!(approval, Approval::Ask(_)) {
        signals::drain();
    }
    let workspace = Workspace { stop: signals::stop(), ..global.workspace() };
    let report = reconcile::apply(&workspace, approval, &mut Progress::new(terminal))?;
    if output != Output::Json {
        terminal.diagnostics(&report.diagnostics);
    }
    terminal.print(&match output {
        Output::Json => apply_json(&report),
        Output::Markdown => apply_markdown(&report),
        _ => apply_human(&report, terminal.style()),
    })?;
    Ok(report.verdict.into())
}

/// Shows the plan and asks, as terraform does: only `yes` counts.
fn ask(plan: &Plan, terminal: &Terminal) -> bool {
    let style = terminal.style_err();
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "{}\nDo this? Only 'yes' is accepted: ", plan_human(plan, style));
    let _ = stderr.flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    let approved = read.is_ok() && answer.trim() == "yes";
    if approved {
        signals::drain();
    }
    approved
}
