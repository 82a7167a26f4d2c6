//! Collects the diagnostics of one file.

use super::words::did_you_mean;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::manifest::codes::files::TOO_MANY;
use crate::manifest::source::{SourceKind, lines};
use crate::manifest::tree::Mark;
use crate::model::{Position, without_secret_keys};

type Line<'a> = Box<dyn Fn(usize) -> Option<String> + 'a>;

/// The diagnostics of one file, and what may be shown of it.
pub struct Report<'a> {
    file: String,
    kind: SourceKind,
    unknown_keys: Severity,
    line: Line<'a>,
    diagnostics: Vec<Diagnostic>,
    errors: usize,
    beyond: Option<Box<Diagnostic>>,
    /// What may be a secret, in the wrong place: it is not shown, whatever is wrong with its line.
    secrets: Vec<Mark>,
}

/// How many problems of one file are listed: a hostile file must not fill the memory.
const LISTED: usize = 2000;

/// The longest line that is shown, in bytes.
pub(in crate::manifest) const SHOWN_LINE: usize = 1000;

/// A diagnostic just made, to say what to do about it.
pub struct Problem<'r>(&'r mut Diagnostic);

impl Problem<'_> {
    /// What to do.
    pub fn help(self, help: impl Into<String>) {
        self.0.help = Some(without_secret_keys(&help.into()).into_owned());
    }
}

impl<'a> Report<'a> {
    /// For a policy file: lines are shown as they are, but for secret keys.
    pub fn policy(file: &str, text: &'a str) -> Self {
        let lines = lines(text);
        let line = move |number: usize| {
            let line = number.checked_sub(1).and_then(|index| lines.get(index));
            line.filter(|line| line.len() <= SHOWN_LINE)
                .map(|line| without_secret_keys(line).into_owned())
        };
        Self::new(file, SourceKind::Policy, Box::new(line))
    }

    /// For a file of approvals: lines are shown as they are.
    pub fn approval(file: &str, text: &'a str) -> Self {
        Self { kind: SourceKind::Approval, ..Self::policy(file, text) }
    }

    /// For a request file: `line` gives the masked line of that number (from 1), or `None` to show none.
    pub fn request(file: &str, line: impl Fn(usize) -> Option<String> + 'a) -> Self {
        Self::new(file, SourceKind::Request, Box::new(line))
    }

    /// For a file of which nothing can be shown: one that does not parse, or is not text.
    pub fn hidden(file: &str, kind: SourceKind) -> Self {
        Self::new(file, kind, Box::new(|_| None))
    }

    fn new(file: &str, kind: SourceKind, line: Line<'a>) -> Self {
        let file = file.to_owned();
        Self {
            file,
            kind,
            unknown_keys: Severity::Error,
            line,
            diagnostics: Vec::new(),
            errors: 0,
            beyond: None,
            secrets: Vec::new(),
        }
    }

    /// Makes unknown keys warnings: Adobe adds keys to its JSON (RULES.md section 6).
    #[must_use]
    pub fn tolerating_unknown_keys(mut self) -> Self {
        self.unknown_keys = Severity::Warning;
        self
    }

    /// How bad an unknown key is.
    pub const fn unknown_keys(&self) -> Severity {
        self.unknown_keys
    }

    /// Whether the file's words may be quoted.
    pub const fn kind(&self) -> SourceKind {
        self.kind
    }

    /// The file's path as shown.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The place of a mark in this file.
    pub fn position(&self, at: Mark) -> Position {
        Position { file: self.file.clone(), line: at.line, column: at.column }
    }

    /// The file's own words in backticks for a message, cut at 80 characters; of a request only `the text`.
    pub fn quote(&self, words: &str) -> String {
        match self.kind {
            SourceKind::Request => "the text".to_owned(),
            SourceKind::Policy | SourceKind::Approval => {
                let mut shown: String = words.chars().take(80).collect();
                if words.chars().nth(80).is_some() {
                    shown.push('…');
                }
                format!("`{shown}`")
            }
        }
    }

    /// The candidate nearest to a misspelt word; none once more problems are found than are listed.
    pub fn suggest<'c>(&self, word: &str, candidates: &[&'c str]) -> Option<&'c str> {
        if self.beyond.is_some() { None } else { did_you_mean(word, candidates) }
    }

    /// Adds an error.
    pub fn error(&mut self, code: Code, at: Mark, message: impl Into<String>) -> Problem<'_> {
        self.add(Severity::Error, code, at, message.into())
    }

    /// Adds a warning.
    pub fn warning(&mut self, code: Code, at: Mark, message: impl Into<String>) -> Problem<'_> {
        self.add(Severity::Warning, code, at, message.into())
    }

    /// Adds a note.
    pub fn note(&mut self, code: Code, at: Mark, message: impl Into<String>) -> Problem<'_> {
        self.add(Severity::Note, code, at, message.into())
    }

    /// Adds a diagnostic of that severity; a mark of line 0 means the whole file.
    pub fn add(
        &mut self,
        severity: Severity,
        code: Code,
        at: Mark,
        message: String,
    ) -> Problem<'_> {
        self.errors += usize::from(severity == Severity::Error);
        let clean = |c: char| if c.is_control() { ' ' } else { c };
        let message = without_secret_keys(&message).chars().map(clean).collect();
        let diagnostic = Diagnostic {
            code,
            severity,
            position: self.position(at),
            length: at.length,
            source: None,
            message,
            help: None,
        };
        if self.diagnostics.len() >= LISTED {
            let place = self.beyond.get_or_insert_with(|| Box::new(diagnostic));
            // An error is never lost behind a warning: one of them keeps the file from counting as valid.
            place.severity = place.severity.min(severity);
            return Problem(place);
        }
        let shown = (self.line)(at.line).filter(|line| line.len() <= SHOWN_LINE);
        let index = self.diagnostics.len();
        self.diagnostics.push(Diagnostic { source: shown, ..diagnostic });
        Problem(&mut self.diagnostics[index])
    }

    /// Shows nothing of the scalar there: somebody may have written a secret where its name belongs.
    pub fn hide(&mut self, at: Mark) {
        self.secrets.push(at);
    }

    /// How many errors there are so far, listed or not: to see whether a part was read without any.
    pub const fn errors(&self) -> usize {
        self.errors
    }

    /// The diagnostics, in the order in which they were found.
    /// Beyond 2,000, one last says that there are more.
    pub fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        for diagnostic in &mut self.diagnostics {
            let Some(source) = &mut diagnostic.source else { continue };
            for at in self.secrets.iter().filter(|at| at.line == diagnostic.position.line) {
                *source = starred(source, *at);
            }
        }
        if let Some(mut beyond) = self.beyond.take() {
            beyond.code = TOO_MANY;
            beyond.message = format!("there are more problems than the {LISTED} listed");
            beyond.help = Some("mend these first".to_owned());
            self.diagnostics.push(*beyond);
        }
        self.diagnostics
    }
}

/// A line with stars where a scalar stands; up to its end where the scalar's length is unknown.
fn starred(line: &str, at: Mark) -> String {
    let start = at.column.saturating_sub(1);
    let end = if at.length == 0 { usize::MAX } else { start.saturating_add(at.length) };
    let star = |(index, c)| if (start..end).contains(&index) { '*' } else { c };
    line.chars().enumerate().map(star).collect()
}
