//! `amparo find`.

use std::io::BufRead;

use crate::model::Sensitive;
use crate::reconcile;
use crate::render::{find_human, find_json, find_markdown};

use super::error::{CliError, ExitStatus};
use super::global::{Global, Output};
use super::progress::Progress;
use super::terminal::Terminal;

/// Show in which datasets, files and how many rows a subject appears
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Identities; `-` reads them from standard input, one NAMESPACE=VALUE a line, so that they stay
    /// out of shell histories
    #[arg(value_name = "NAMESPACE=VALUE", required = true)]
    identities: Vec<String>,

    /// Break the counts down by these selectable fields; `source` is the data source
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',', env = "AMPARO_BY")]
    by: Vec<String>,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let output = terminal.plain_output("find")?;
    let mut identities = Vec::new();
    for given in &args.identities {
        if given == "-" {
            for line in std::io::stdin().lock().lines() {
                let line = line.map_err(|source| CliError::File {
                    verb: "read",
                    path: "standard input".into(),
                    source,
                })?;
                if !line.trim().is_empty() {
                    identities.push(identity(&line)?);
                }
            }
        } else {
            identities.push(identity(given)?);
        }
    }
    if identities.is_empty() {
        return Err(CliError::Usage {
            what: "no identity was given".to_owned(),
            hint: "`-` reads lines such as 'crm-id=ACME-1' from standard input, which was empty"
                .to_owned(),
        });
    }
    let report =
        reconcile::find(&global.workspace(), identities, &args.by, &mut Progress::new(terminal))?;
    if output != Output::Json {
        terminal.diagnostics(&report.diagnostics);
    }
    terminal.print(&match output {
        Output::Json => find_json(&report),
        Output::Markdown => find_markdown(&report),
        _ => find_human(&report),
    })?;
    Ok(report.verdict.into())
}

/// Splits at the first `=`. The message never repeats the value.
fn identity(text: &str) -> Result<(String, Sensitive<String>), CliError> {
    match text.trim_end_matches(['\r', '\n']).split_once('=') {
        Some((namespace, value)) if !namespace.trim().is_empty() && !value.is_empty() => {
            Ok((namespace.trim().to_owned(), Sensitive::new(value.to_owned())))
        }
        _ => Err(CliError::Usage {
            what: "an identity is NAMESPACE=VALUE".to_owned(),
            hint: "for example 'crm-id=ACME-1'; `-` reads such lines from standard input"
                .to_owned(),
        }),
    }
}
