//! `amparo schema`.

use serde_json::json;

use crate::manifest;
use crate::render::document;

use super::error::{CliError, ExitStatus};
use super::global::Output;
use super::terminal::Terminal;

/// Print the JSON Schema of a kind of document, or list the kinds
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Dataset, Namespace, Hold, Role, Settings, SubjectRequest, Approval, AdobeRequest, or Policy
    /// for a document of any kind of policy
    #[arg(value_name = "KIND", env = "AMPARO_KIND")]
    kind: Option<String>,
}

pub(crate) fn run(args: &Args, terminal: &Terminal) -> Result<ExitStatus, CliError> {
    let output = terminal.output_of("schema", Output::DATA)?;
    let kinds = manifest::schema::KINDS;
    let Some(kind) = &args.kind else {
        terminal.print(&match output {
            Output::Json => document("schema", &json!({ "kinds": kinds })),
            _ => kinds.join("\n") + "\n",
        })?;
        return Ok(ExitStatus::Done);
    };
    let known = kinds.iter().find(|known| known.eq_ignore_ascii_case(kind));
    match known.and_then(|kind| manifest::schema::schema(kind)) {
        Some(schema) => {
            terminal.print(&match output {
                // Checkers pass over the keys of our own, so that this is a schema too.
                Output::Json => document("schema", &schema),
                _ => serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n",
            })?;
            Ok(ExitStatus::Done)
        }
        None => Err(CliError::Usage {
            what: format!("there is no kind {kind:?}"),
            hint: format!("one of: {}", kinds.join(", ")),
        }),
    }
}
