//! `amparo link`.

use std::time::Duration;

use crate::reconcile;
use crate::render::{link_human, link_json};

use super::error::{CliError, ExitStatus};
use super::global::{Global, Output, duration};
use super::terminal::Terminal;

/// Print a link by which a package can be fetched from the daemon (`watch --listen`)
///
/// Whoever has the link may fetch the package, until the link ends: with the package, or earlier by
/// --for. Give it to the person that asked, over a channel that only they read.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Whose package
    #[arg(value_name = "REQUEST/KEY", env = "AMPARO_REQUEST")]
    block: String,

    /// Where the daemon, or the proxy before it, can be reached
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:9464",
        env = "AMPARO_BASE_URL"
    )]
    base_url: String,

    /// End the link that much later than now, such as 2h or 3d; never later than the package
    #[arg(long = "for", value_name = "TIME", value_parser = duration, env = "AMPARO_FOR")]
    lasts: Option<Duration>,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let output = terminal.output_of("link", Output::DATA)?;
    let link = reconcile::link(&global.workspace(), &args.block, &args.base_url, args.lasts)?;
    match output {
        Output::Json => terminal.print(&link_json(&link))?,
        _ => {
            terminal.print(&link_human(&link))?;
            terminal.say(&format!("it ends at {}", link.expires_at));
        }
    }
    if link.in_clear {
        terminal.say("note: without https, whoever sees the traffic can fetch the package too");
    }
    Ok(ExitStatus::Done)
}
