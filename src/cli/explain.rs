//! `amparo explain`.

use serde_json::{Value, json};

use crate::diagnostic::Code;
use crate::manifest::codes;
use crate::render::document;

use super::error::{CliError, ExitStatus};
use super::global::Output;
use super::terminal::Terminal;

/// Explain a diagnostic's code, or list all codes
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Such as AMP0101
    #[arg(value_name = "CODE", env = "AMPARO_CODE")]
    code: Option<String>,
}

pub(crate) fn run(args: &Args, terminal: &Terminal) -> Result<ExitStatus, CliError> {
    let output = terminal.output_of("explain", Output::DATA)?;
    let all = codes::all();
    let Some(wanted) = &args.code else {
        if output == Output::Json {
            terminal.print(&explained(&all))?;
            return Ok(ExitStatus::Done);
        }
        let lines: String = all.iter().map(|c| format!("{}  {}\n", c.id, c.title)).collect();
        terminal.print(&lines)?;
        return Ok(ExitStatus::Done);
    };
    match all.iter().find(|code| code.id.eq_ignore_ascii_case(wanted)) {
        Some(code) if output == Output::Json => {
            terminal.print(&explained(std::slice::from_ref(code)))?;
            Ok(ExitStatus::Done)
        }
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

fn explained(codes: &[Code]) -> String {
    let codes: Vec<Value> = codes
        .iter()
        .map(|code| json!({ "code": code.id, "title": code.title, "explanation": code.explanation.trim() }))
        .collect();
    document("explain", &json!({ "codes": codes }))
}
