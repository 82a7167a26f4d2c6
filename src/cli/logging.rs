//! Log lines on standard error. Only our own: those of the engine's crates may quote cell values.

use tracing_subscriber::EnvFilter;

use crate::render::Style;

use super::global::{Global, LogFormat};

pub(crate) fn start(global: &Global, style: Style) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, _) => "debug",
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("off,amparo={level}")))
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(style.color);
    // A second subscriber in one process (a test) is no reason to fail.
    let _ = match global.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
