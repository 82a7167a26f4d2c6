//! `amparo seal`.

use std::path::PathBuf;

use crate::model::{Name, NamespaceName};
use crate::reconcile;
use crate::render::{seal_files_human, seal_files_json, seal_values_json};

use super::error::{CliError, ExitStatus};
use super::global::{Global, Output};
use super::identities;
use super::terminal::Terminal;

/// Encrypt identities of a request to the recipients that Settings names
///
/// Prints what to write as `value` in place of the identity. With --in-place every plain identity of the files is
/// sealed, and nothing else in them changes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Identities; `-` reads them from standard input, one NAMESPACE=VALUE a line, and NAMESPACE=- one value, so
    /// that they stay out of shell histories
    #[arg(value_name = "NAMESPACE=VALUE", required_unless_present = "in_place")]
    identities: Vec<String>,

    /// The request that they are for: they count in no other
    #[arg(long, value_name = "NAME", required_unless_present = "in_place", env = "AMPARO_REQUEST")]
    request: Option<String>,

    /// Seal the identities of these request files where they stand
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "identities", env = "AMPARO_IN_PLACE")]
    in_place: Vec<PathBuf>,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let output = terminal.output_of("seal", Output::DATA)?;
    if args.in_place.is_empty() {
        values(args, global, terminal, output)
    } else {
        files(args, global, terminal, output)
    }
}

fn values(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
    output: Output,
) -> Result<ExitStatus, CliError> {
    let request = args.request.as_deref().unwrap_or_default();
    let request = Name::new(request).map_err(|error| CliError::Usage {
        what: "--request is no request's name".to_owned(),
        hint: format!("it {error}; an Adobe request is named after its file"),
    })?;
    let mut values = Vec::new();
    for (namespace, value) in identities::read(&args.identities)? {
        let namespace = NamespaceName::new(&namespace).ok_or_else(|| CliError::Usage {
            what: "a namespace has letters, digits, '_', '-' and spaces only".to_owned(),
            hint: "an identity is NAMESPACE=VALUE".to_owned(),
        })?;
        values.push((namespace, value));
    }
    let sealed = reconcile::seal_values(&global.workspace(), &request, &values)?;
    match output {
        Output::Json => {
            let namespaces = values.iter().map(|(namespace, _)| namespace);
            terminal.print(&seal_values_json(&request, namespaces.zip(&sealed)))?;
        }
        _ => {
            for scalar in sealed {
                terminal.print(&format!("{scalar}\n"))?;
            }
        }
    }
    Ok(ExitStatus::Done)
}

/// Every file is tried: what is wrong with one keeps no other from being sealed.
fn files(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
    output: Output,
) -> Result<ExitStatus, CliError> {
    let mut reports = Vec::new();
    let mut failed = None;
    for file in &args.in_place {
        match reconcile::seal_file(&global.workspace(), file) {
            Ok(report) => reports.push(report),
            Err(error) => {
                if let Some(earlier) = failed.replace(CliError::from(error)) {
                    terminal.error(&earlier);
                }
            }
        }
    }
    let refused = reports.iter().any(|report| !report.diagnostics.is_empty());
    match output {
        Output::Json => terminal.print(&seal_files_json(&reports))?,
        _ => {
            for report in &reports {
                terminal.diagnostics(&report.diagnostics);
            }
            terminal.print(&seal_files_human(&reports))?;
        }
    }
    match failed {
        Some(error) => Err(error),
        None if refused => Ok(ExitStatus::Invalid),
        None => Ok(ExitStatus::Done),
    }
}
