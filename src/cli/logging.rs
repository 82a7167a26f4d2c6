//! Log lines on standard error. Only our own: those of the engine's crates may quote cell values.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;

use crate::render::{Style, Written, without_commands};

use super::ci::runner_reads;
use super::global::{Global, LogFormat};

pub(crate) fn start(global: &Global, style: Style) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, _) => "debug",
    };
    let written = match global.log_format {
        LogFormat::Text => Written::Text,
        LogFormat::Json => Written::Json,
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("off,amparo={level}")))
        .with_writer(move || Lines { written })
        .with_target(false)
        .with_ansi(style.color);
    // A second subscriber in one process (a test) is no reason to fail.
    let _ = match global.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

/// Standard error; where GitHub's runner reads it, no line is a command.
struct Lines {
    written: Written,
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if runner_reads() {
            let text = without_commands(&String::from_utf8_lossy(bytes), self.written);
            io::stderr().write_all(text.as_bytes())?;
        } else {
            io::stderr().write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
