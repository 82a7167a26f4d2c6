//! What the daemon tells people and machines: passes on standard output, trouble on standard error.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::diagnostic::{Diagnostic, Severity};
use crate::reconcile::{self, ApplyReport, Board, Event, Events, Observer, PassEnd, PassError};
use crate::render::{diagnostics_human, pass_human, pass_json, plural};

use super::global::{Global, LogFormat, Output};
use super::systemd::Systemd;
use super::terminal::Terminal;

/// Looks on, and tells.
pub(crate) struct Desk<'a> {
    terminal: &'a Terminal,
    board: Board,
    /// Passes as lines of JSON.
    json: bool,
    log: LogFormat,
    systemd: Systemd,
    /// What was wrong in the last pass: it is told once.
    trouble: Option<String>,
    /// The last pass was not carried through.
    failing: bool,
    /// Notices of this pass.
    notices: BTreeSet<String>,
    /// Notices of the pass before: they are not told again.
    told: BTreeSet<String>,
}

impl Events for Desk<'_> {
    fn event(&mut self, event: Event) {
        self.systemd.alive();
        match event {
            Event::Stage { name, steps } => tracing::debug!(steps, "{name}"),
            Event::Step { what } => tracing::debug!("{what}"),
            Event::Erased(measured) => self.board.erased(measured),
            Event::Notice { text } => {
                if !self.told.contains(&text) && self.notices.insert(text.clone()) {
                    tracing::warn!("{text}");
                }
            }
        }
    }
}

impl Observer for Desk<'_> {
    fn pass_begins(&mut self, number: u64, at: Timestamp) {
        self.board.started();
        self.systemd.ready();
        self.systemd.status(&format!("pass {number} is running"));
        self.told = std::mem::take(&mut self.notices);
        tracing::debug!(number, %at, "a pass begins");
    }

    fn pass_ended(&mut self, end: &PassEnd<'_>) {
        self.board.finished(end.outcome);
        tracing::debug!(pass = end.number, seconds = end.seconds, "a pass ended");
        let healthy = match end.outcome {
            Ok(report) => self.done(end, report),
            Err(PassError::Interrupted(_)) => return,
            Err(error) => {
                self.failed(end, error);
                false
            }
        };
        let (number, how) = (end.number, if healthy { "done" } else { "failed" });
        self.systemd.status(&format!("pass {number} {how}; waiting"));
    }

    fn turns(&mut self) {
        self.board.turns();
        self.systemd.alive();
    }

    fn polls(&mut self, why: &str) {
        tracing::warn!("{why}: looking for changes every {} s", reconcile::POLL.as_secs());
    }
}

impl<'a> Desk<'a> {
    pub(crate) fn new(
        terminal: &'a Terminal,
        global: &Global,
        output: Output,
        systemd: Systemd,
        board: Board,
    ) -> Self {
        Self {
            terminal,
            board,
            json: output == Output::Json || global.log_format == LogFormat::Json,
            log: global.log_format,
            systemd,
            trouble: None,
            failing: false,
            notices: BTreeSet::new(),
            told: BTreeSet::new(),
        }
    }

    /// A pass that came to its end; whether it did what it should.
    fn done(&mut self, end: &PassEnd<'_>, report: &ApplyReport) -> bool {
        let invalid = report.plan_id.is_none();
        let shown = diagnostics_human(&report.diagnostics, self.terminal.style_err());
        let trouble = (invalid || !shown.is_empty()).then(|| format!("{invalid} {shown}"));
        if trouble != self.trouble {
            self.diagnostics(&report.diagnostics, invalid);
            self.trouble = trouble;
        }
        if std::mem::replace(&mut self.failing, invalid) && !invalid {
            tracing::warn!(pass = end.number, "passes succeed again");
        }
        if report.recorded {
            self.print(if self.json { pass_json(end) } else { pass_human(end) });
        } else {
            tracing::debug!(pass = end.number, "nothing to do");
        }
        !invalid
    }

    fn failed(&mut self, end: &PassEnd<'_>, error: &PassError) {
        let text = reconcile::chain(error);
        if self.trouble.as_ref() == Some(&text) {
            return tracing::debug!(pass = end.number, "failed as before");
        }
        match error.hint() {
            Some(hint) => tracing::error!(pass = end.number, hint, "pass failed: {text}"),
            None => tracing::error!(pass = end.number, "pass failed: {text}"),
        }
        if self.json {
            self.print(pass_json(end));
        }
        self.trouble = Some(text);
        self.failing = true;
    }

    fn diagnostics(&self, diagnostics: &[Diagnostic], invalid: bool) {
        let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
        if self.log == LogFormat::Text {
            self.terminal.diagnostics(diagnostics);
        } else if errors > 0 || !diagnostics.is_empty() {
            let codes: BTreeSet<&str> = diagnostics.iter().map(|d| d.code.id).collect();
            let codes = codes.into_iter().collect::<Vec<_>>().join(" ");
            let warnings = diagnostics.len() - errors;
            tracing::warn!(errors, warnings, codes, "diagnostics: `amparo check` shows them");
        }
        if invalid {
            let what = plural(errors as u64, "error", "errors");
            tracing::error!(
                "the policies are invalid ({what}): nothing is done until they are valid"
            );
        }
    }

    /// A reader that went away is no reason to stop erasing.
    fn print(&self, text: String) {
        if self.terminal.print(&text).is_err() {
            tracing::debug!("standard output is gone");
        }
    }
}
