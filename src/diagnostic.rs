//! Problems in users' files, as values: collected, sorted, and shown together.
//!
//! Open to every layer. A diagnostic never holds an identity value: the source line of a request file
//! is masked by whoever makes the diagnostic (CONTRACT.md section 1).

use std::borrow::Cow;

use crate::model::Position;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file (or block, or policy set) cannot be used.
    Error,
    /// It can be used, and probably does not do what was meant.
    Warning,
    /// Worth knowing.
    Note,
}

/// A stable code and what it stands for: `AMP0123`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// `AMP` and four digits; never reused.
    pub id: &'static str,
    /// The kind of problem, in a few words.
    pub title: &'static str,
    /// For `amparo explain`: what it means, why it matters, how to mend it.
    pub explanation: &'static str,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code.
    pub code: Code,
    /// Error, warning or note.
    pub severity: Severity,
    /// Where; line 0 means the whole file.
    pub position: Position,
    /// How many characters are at fault; 0 where unknown.
    pub length: usize,
    /// The source line, masked where it stands in a request file; `None` where there is none to show.
    pub source: Option<String>,
    /// What is wrong: a lower-case fragment without identity values.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// The order in which diagnostics are shown: by file, line, column, code.
    pub fn sort_key(&self) -> (&Position, &'static str, &str) {
        (&self.position, self.code.id, &self.message)
    }
}

/// Sorts diagnostics and removes exact repetitions.
pub fn arrange(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    diagnostics.dedup();
}

/// Whether any of them is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.severity == Severity::Error)
}

/// A word of a command that is shown to be copied: a file's name may hold blanks, or a command of its own.
pub fn shell_word(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', "'\\''")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_commands_stay_words() {
        assert_eq!(shell_word("requests/2026/acme-1.yaml"), "requests/2026/acme-1.yaml");
        assert_eq!(shell_word("requests/Zoë.yaml"), "requests/Zoë.yaml");
        assert_eq!(shell_word("a b/$(rm -rf x).yaml"), "'a b/$(rm -rf x).yaml'");
        assert_eq!(shell_word("it's"), "'it'\\''s'");
        assert_eq!(shell_word(""), "''");
    }
}
