//! `amparo completions`.

use clap_complete::Shell;

use super::error::{CliError, ExitStatus};
use super::global::Output;
use super::terminal::Terminal;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which shell
    #[arg(value_enum, env = "AMPARO_SHELL")]
    shell: Shell,
}

pub(crate) fn run(args: &Args, terminal: &Terminal) -> Result<ExitStatus, CliError> {
    terminal.output_of("completions", Output::TEXT)?;
    let mut bytes = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "amparo", &mut bytes);
    terminal.print(&String::from_utf8_lossy(&bytes))?;
    Ok(ExitStatus::Done)
}
