//! `amparo open`.

use std::path::PathBuf;

use crate::render::open_json;
use crate::store::{Identities, open_file};

use super::error::{CliError, ExitStatus};
use super::global::{Global, Output};
use super::terminal::Terminal;

/// Decrypt a package with the key of --identity
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The package, such as exports/acme/GDPR-1.zip.age
    #[arg(value_name = "PACKAGE")]
    package: PathBuf,

    /// Where to write it, which must not exist [default: PACKAGE without .age]
    #[arg(long, value_name = "FILE", env = "AMPARO_OPEN_OUT")]
    out: Option<PathBuf>,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let output = terminal.output_of("open", Output::DATA)?;
    let Some(identity) = &global.identity else {
        return Err(CliError::Usage {
            what: "no key was given".to_owned(),
            hint: "--identity FILE, or AMPARO_IDENTITY, names the age identity file".to_owned(),
        });
    };
    let plain = args.package.extension().is_some_and(|ending| ending == "age");
    let beside = plain.then(|| args.package.with_extension(""));
    let out = args.out.clone().or(beside).ok_or_else(|| CliError::Usage {
        what: "the package's name does not end in .age".to_owned(),
        hint: "say where to write it with --out FILE".to_owned(),
    })?;
    open_file(&args.package, &out, &Identities::read(identity)?)?;
    match output {
        Output::Json => terminal.print(&open_json(&args.package, &out))?,
        _ => terminal.print(&format!("{}\n", out.display()))?,
    }
    terminal.say("It holds personal data in plain: delete it when it has been handed over.");
    Ok(ExitStatus::Done)
}
