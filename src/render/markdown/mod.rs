//! Results as Markdown: a comment of a pull request, or a job's summary. The same input gives the same bytes:
//! no times of day, no path of a machine, nothing that depends on the order in which files were found.
//!
//! The first line is a marker, `<!-- amparo:COMMAND -->`, by which a bot finds the comment that it wrote before.

mod check;
mod others;
mod page;
mod plan;
mod view;

pub use check::check_markdown;
pub use others::{
    apply_markdown, find_markdown, history_markdown, status_markdown, verify_markdown,
};
pub use plan::plan_markdown;
pub use view::{publish_markdown, view_markdown};

use crate::diagnostic::Severity;

use super::escape::{clip, code, markdown};
use super::finding::Finding;
use super::style::count;
use page::Page;

/// What a comment may hold: GitHub's limit, in characters.
pub const COMMENT_LIMIT: usize = 65_536;

/// A message at most so long; the whole of it stands in the JSON document.
const MESSAGE: usize = 600;

/// A message of a file or task.
fn message(text: &str) -> String {
    markdown(&clip(text, MESSAGE))
}

/// A table row; cells are Markdown already.
fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// A table's head; columns whose name begins with `>` are aligned right.
fn head(columns: &[&str]) -> String {
    let names: Vec<&str> = columns.iter().map(|name| name.trim_start_matches('>')).collect();
    let lines: Vec<&str> =
        columns.iter().map(|name| if name.starts_with('>') { "---:" } else { "---" }).collect();
    format!("| {} |\n| {} |\n", names.join(" | "), lines.join(" | "))
}

/// A table with as many of its `total` rows as fit; what is left out is counted, and never made.
fn table(
    page: &mut Page,
    columns: &[&str],
    (rows, total): (impl Iterator<Item = Vec<String>>, usize),
    what: &str,
    most: usize,
) {
    if total == 0 {
        return;
    }
    page.push(&head(columns));
    let end = page.used().saturating_add(most);
    for (done, cells) in rows.enumerate() {
        let line = row(&cells);
        if page.used() + page::units(&line) > end || !page.fits(&line) {
            return page.more((total - done) as u64, what);
        }
        page.push(&line);
    }
}

/// The diagnostics, worst first.
fn findings(page: &mut Page, findings: &[Finding], most: usize) {
    let rows = findings.iter().map(|finding| {
        let place = match finding.line {
            0 => finding.file.clone(),
            line => format!("{}:{line}:{}", finding.file, finding.column),
        };
        let help = finding.help.as_deref().map(|help| format!("<br>{}", message(help)));
        vec![
            severity(finding.severity).to_owned(),
            finding.rule.id.clone(),
            code(&clip(&place, MESSAGE)),
            message(&finding.message) + &help.unwrap_or_default(),
        ]
    });
    let columns = ["severity", "code", "where", "what"];
    table(page, &columns, (rows, findings.len()), "diagnostics", most);
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "**error**",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// `1 row`, or nothing for none.
fn some(n: u64) -> String {
    if n == 0 { String::new() } else { count(n) }
}

#[cfg(test)]
mod tests;
