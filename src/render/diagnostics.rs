//! Diagnostics in rustc's look, and as JSON.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Severity};

use super::Style;
use super::escape::{is_unprintable, printable};
use super::style::plural;

/// All of them, a blank line after each, then a line that counts them; empty where there are none.
pub fn diagnostics_human(diagnostics: &[Diagnostic], style: Style) -> String {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for diagnostic in diagnostics {
        let diagnostic = &inert(diagnostic);
        text.push_str(&with_column(diagnostic, renderer.render(&[group(diagnostic)])));
        text.push_str("\n\n");
    }
    if let Some(line) = summary(diagnostics) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// The same without control characters; in the source line each becomes one other, so that columns stay.
fn inert(diagnostic: &Diagnostic) -> Diagnostic {
    let mut inert = diagnostic.clone();
    inert.position.file = printable(&inert.position.file);
    inert.message = printable(&inert.message);
    inert.help = inert.help.map(|help| printable(&help));
    inert.source = inert.source.map(|source| {
        let shown = |c: char| if c != '\t' && is_unprintable(c) { '\u{fffd}' } else { c };
        source.chars().map(shown).collect()
    });
    inert
}

fn group(diagnostic: &Diagnostic) -> Group<'_> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.id);
    let position = &diagnostic.position;
    let mut group = match &diagnostic.source {
        Some(source) if position.line > 0 => {
            let span = span(source, position.column, diagnostic.length);
            Group::with_title(title).element(
                Snippet::source(source.as_str())
                    .line_start(position.line)
                    .path(position.file.as_str())
                    .annotation(AnnotationKind::Primary.span(span)),
            )
        }
        _ => {
            let mut origin = Origin::path(position.file.as_str());
            if position.line > 0 {
                origin = origin.line(position.line).char_column(position.column);
            }
            Group::with_title(title).element(origin)
        }
    };
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group
}

/// A masked line is underlined from its start, which the renderer takes for the column: the file's own
/// stands in its place, as in JSON.
fn with_column(diagnostic: &Diagnostic, rendered: String) -> String {
    let position = &diagnostic.position;
    let Some(source) = diagnostic.source.as_ref().filter(|_| position.line > 0) else {
        return rendered;
    };
    let start = span(source, position.column, diagnostic.length).start;
    let shown = source.get(..start).map_or(0, |before| before.chars().count()) + 1;
    let origin = |column| format!("{}:{}:{column}", position.file, position.line);
    rendered.replacen(&format!("{}\n", origin(shown)), &format!("{}\n", origin(position.column)), 1)
}

/// What is underlined: the characters at fault; in a masked line, whose columns are no longer the
/// file's, the whole of it.
fn span(source: &str, column: usize, length: usize) -> std::ops::Range<usize> {
    if source.contains("***") {
        let start = source.len() - source.trim_start().len();
        return start..source.trim_end().len().max(start);
    }
    let start = byte_of(source, column.saturating_sub(1));
    start..byte_of(source, column.saturating_sub(1) + length.max(1)).max(start)
}

/// The byte offset of a character; the text's length where it has fewer.
fn byte_of(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(at, _)| at)
}

/// `2 errors, 1 warning`; `None` where there is nothing to count.
fn summary(diagnostics: &[Diagnostic]) -> Option<String> {
    let of = |severity| diagnostics.iter().filter(|d| d.severity == severity).count() as u64;
    let parts: Vec<String> = [
        (of(Severity::Error), "error", "errors"),
        (of(Severity::Warning), "warning", "warnings"),
        (of(Severity::Note), "note", "notes"),
    ]
    .into_iter()
    .filter(|(n, _, _)| *n > 0)
    .map(|(n, one, many)| plural(n, one, many))
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The list of `check`'s `diagnostics`.
pub fn diagnostics_json(diagnostics: &[Diagnostic]) -> Value {
    diagnostics
        .iter()
        .map(|d| {
            json!({
                "code": d.code.id,
                "severity": d.severity,
                "file": d.position.file,
                "line": d.position.line,
                "column": d.position.column,
                "message": d.message,
                "help": d.help,
                "source": d.source,
            })
        })
        .collect()
}
