//! `amparo man`.

use super::error::{CliError, ExitStatus};
use super::global::Output;
use super::terminal::Terminal;

/// Print the manual page, in roff: `amparo man | man -l -`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args, terminal: &Terminal) -> Result<ExitStatus, CliError> {
    terminal.output_of("man", Output::TEXT)?;
    let mut command = super::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page).map_err(CliError::Stdout)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        clap_mangen::Man::new(sub.clone()).render(&mut page).map_err(CliError::Stdout)?;
    }
    terminal.print(&String::from_utf8_lossy(&page))?;
    Ok(ExitStatus::Done)
}
