//! `amparo keygen`.

use std::path::PathBuf;

use crate::render::keygen_json;
use crate::store::create_key;

use super::error::{CliError, ExitStatus};
use super::global::{Global, Output};
use super::terminal::Terminal;

/// Make a key that opens sealed identities and encrypted packages, and print its recipient
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to write the age identity file, which must not exist; only you may read it
    #[arg(
        long,
        value_name = "FILE",
        default_value = "amparo-identity.txt",
        env = "AMPARO_KEYGEN_OUT"
    )]
    out: PathBuf,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let output = terminal.output_of("keygen", Output::DATA)?;
    let recipient = create_key(&args.out, global.workspace().clock.now())?;
    match output {
        Output::Json => terminal.print(&keygen_json(&recipient, &args.out))?,
        _ => terminal.print(&format!("{recipient}\n"))?,
    }
    terminal.say(&format!(
        "Wrote {}: keep it out of Git, and keep a copy where it cannot be lost.\n\
         Name the recipient in Settings: sealing: {{recipients: [{recipient}]}}",
        args.out.display()
    ));
    Ok(ExitStatus::Done)
}
