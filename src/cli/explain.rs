//! `amparo explain`.

use crate::manifest::codes;

use super::error::{CliError, ExitStatus};
use super::terminal::Terminal;

/// Explain a diagnostic's code, or list all codes
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Such as AMP0101
    #[arg(value_name = "CODE", env = "AMPARO_CODE")]
    code: Option<String>,
}

pub(crate) fn run(args: &Args, terminal: &Terminal) -> Result<ExitStatus, CliError> {
    let all = codes::all();
    let Some(wanted) = &args.code else {
        let lines: String = all.iter().map(|c| format!("{}  {}\n", c.id, c.title)).collect();
        terminal.print(&lines)?;
        return Ok(ExitStatus::Done);
    };
    match all.iter().find(|code| code.id.eq_ignore_ascii_case(wanted)) {
        Some(code) => {
            let title = terminal.style().bold(&format!("{}: {}", code.id, code.title));
            terminal.print(&format!("{title}\n\n{}\n", code.explanation.trim()))?;
            Ok(ExitStatus::Done)
        }
        None => Err(CliError::Usage {
            what: format!("there is no code {wanted:?}"),
            hint: "`amparo explain` lists all codes".to_owned(),
        }),
    }
}
