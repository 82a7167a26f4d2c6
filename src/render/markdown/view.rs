//! What `view` and `publish` print, as Markdown.

use crate::model::Granted;
use crate::reconcile::{PublishReport, ViewReport};
use crate::render::escape::{code, markdown};
use crate::render::style::{bytes, count, plural};
use crate::render::view::{cell_text, more};

use super::page::Page;
use super::{COMMENT_LIMIT, table};

/// A table a dataset. Whoever may see it all gets personal data: it is for the eyes of those only.
pub fn view_markdown(report: &ViewReport) -> String {
    let mut page = Page::new("view", COMMENT_LIMIT);
    page.push(&format!("Seen as {}.\n", role(&report.granted)));
    if report.datasets.is_empty() {
        page.push("\nNo records.\n");
    }
    for (done, dataset) in report.datasets.iter().enumerate() {
        let name = code(dataset.dataset.as_str());
        let rows = plural(dataset.rows, "row", "rows");
        if !page.try_push(&format!("\n### {name}: {rows}\n\n")) {
            page.more((report.datasets.len() - done) as u64, "datasets");
            break;
        }
        let columns: Vec<String> =
            dataset.columns.iter().map(|column| code(&column.path.to_string())).collect();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let records = dataset
            .records
            .iter()
            .map(|cells| cells.iter().map(|cell| markdown(&cell_text(cell))).collect());
        let room = page.room();
        table(&mut page, &columns, (records, dataset.records.len()), "records", room);
        if let Some(more) = more(dataset) {
            let _ = page.try_push(&format!("\n{} more: `--limit` shows more.\n", count(more)));
        }
    }
    page.finish()
}

/// What was published, and what is masked in it.
pub fn publish_markdown(report: &PublishReport) -> String {
    let mut page = Page::new("publish", COMMENT_LIMIT);
    page.push(&format!(
        "Published {} to {}, for the eyes of {}: {}, {}; {} copied as they were, {} encoded again.\n\n",
        code(report.dataset.as_str()),
        code(&report.out.display().to_string()),
        role(&report.granted),
        plural(report.files, "file", "files"),
        plural(report.rows, "row", "rows"),
        bytes(report.bytes_copied),
        bytes(report.bytes_reencoded),
    ));
    if report.masked.is_empty() {
        page.push("No column is masked.\n");
    }
    let rows = report.masked.iter().map(|(path, with)| vec![code(path), (*with).to_owned()]);
    let room = page.room();
    table(&mut page, &["masked column", "holds"], (rows, report.masked.len()), "columns", room);
    page.finish()
}

fn role(granted: &Granted) -> String {
    let name = granted.role.as_ref();
    name.map_or_else(|| "somebody without a role".to_owned(), |role| code(role.as_str()))
}
