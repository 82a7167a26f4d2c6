//! `check` as a comment.

use crate::reconcile::CheckReport;
use crate::render::style::plural;
use crate::render::{Places, finding};

use super::findings;
use super::page::Page;

/// The comment, of at most `limit` characters.
pub fn check_markdown(report: &CheckReport, places: &Places, limit: usize) -> String {
    let mut page = Page::new("check", limit);
    let verdict = if report.valid { "Valid" } else { "**Invalid**" };
    page.push(&format!(
        "{verdict}: {}, {}, {}.\n",
        plural(report.datasets, "dataset", "datasets"),
        plural(report.requests, "request", "requests"),
        plural(report.blocks, "user block", "user blocks"),
    ));
    let all = finding::of_check(report, places);
    if !all.is_empty() {
        page.push("\n");
        let room = page.room();
        findings(&mut page, &all, room);
    }
    page.finish()
}
