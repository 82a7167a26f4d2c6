//! Standard output for results, standard error for everything else.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};

use crate::diagnostic::{Diagnostic, Severity};
use crate::model::without_secret_keys;
use crate::render::{Style, Written, diagnostics_human, printable, without_commands};

use super::ci::runner_reads;
use super::error::CliError;
use super::global::{Color, Global, Output};

/// Where the program writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    out: Style,
    err: Style,
    quiet: bool,
    interactive: bool,
    output: Output,
    runner: bool,
}

impl Terminal {
    pub(crate) fn new(global: &Global) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        let color = |terminal: bool| Style {
            color: match global.color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => terminal && !plain,
            },
        };
        let out = std::io::stdout().is_terminal();
        let err = std::io::stderr().is_terminal();
        Self {
            out: color(out),
            err: color(err),
            quiet: global.quiet,
            interactive: err && std::io::stdin().is_terminal(),
            output: global.output,
            runner: runner_reads(),
        }
    }

    /// The same, where GitHub's runner may read along: nothing but [`Terminal::command`] gives it commands.
    pub(crate) const fn for_runner(self, reads: bool) -> Self {
        Self { runner: self.runner || reads, ..self }
    }

    /// Errors only.
    pub(crate) const fn quiet(&self) -> bool {
        self.quiet
    }

    /// The format of a command's results. To be asked before anything is done.
    ///
    /// # Errors
    /// It is none of those that the command knows.
    pub(crate) fn output_of(&self, command: &str, known: &[Output]) -> Result<Output, CliError> {
        if known.contains(&self.output) {
            return Ok(self.output);
        }
        let known: Vec<String> = known.iter().map(|known| format!("-o {}", known.name())).collect();
        Err(CliError::Usage {
            what: format!("`{command}` has no output `{}`", self.output.name()),
            hint: format!("use {}", known.join(" or ")),
        })
    }

    fn safe<'a>(&self, text: &'a str, written: Written) -> Cow<'a, str> {
        if self.runner { without_commands(text, written).into() } else { text.into() }
    }

    /// How results are styled.
    pub(crate) const fn style(&self) -> Style {
        self.out
    }

    /// How notices are styled.
    pub(crate) const fn style_err(&self) -> Style {
        self.err
    }

    /// The format of results.
    pub(crate) const fn output(&self) -> Output {
        self.output
    }

    /// Whether a question can be asked, and progress shown.
    pub(crate) const fn interactive(&self) -> bool {
        self.interactive && !self.quiet
    }

    /// Prints a result. A reader that went away (`| head`) is no error.
    pub(crate) fn print(&self, text: &str) -> Result<(), CliError> {
        let written = match self.output {
            Output::Human | Output::Markdown => Written::Text,
            Output::Json | Output::Sarif => Written::Json,
            Output::Junit => Written::Xml,
        };
        let text = self.safe(text, written);
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(CliError::Stdout(error))
            }
            _ => Ok(()),
        }
    }

    /// Says something to a person; not with `-q`.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            let text = text.lines().map(printable).collect::<Vec<_>>().join("\n");
            let _ = writeln!(std::io::stderr(), "{}", self.safe(&text, Written::Text));
        }
    }

    /// Gives CI's commands, which it reads from standard error too.
    pub(crate) fn command(&self, text: &str) {
        let _ = write!(std::io::stderr(), "{text}");
    }

    /// Shows diagnostics to a person: with `-q` errors only.
    pub(crate) fn diagnostics(&self, diagnostics: &[Diagnostic]) {
        let shown: Vec<Diagnostic> = diagnostics
            .iter()
            .filter(|d| !self.quiet || d.severity == Severity::Error)
            .cloned()
            .collect();
        let text = diagnostics_human(&shown, self.err);
        let _ = write!(std::io::stderr(), "{}", self.safe(&text, Written::Text));
    }

    /// Shows why the command failed.
    pub(crate) fn error(&self, error: &CliError) {
        let mut stderr = std::io::stderr();
        // A key may have been given in the place of a path or a name.
        let safe = |text: &str| printable(&without_secret_keys(text));
        let mut text = format!("{} {}\n", self.err.bad("error:"), safe(&error.chain()));
        if let Some(hint) = error.hint() {
            text.push_str(&format!("{} {}\n", self.err.bold("help:"), safe(&hint)));
        }
        let _ = write!(stderr, "{}", self.safe(&text, Written::Text));
    }
}
