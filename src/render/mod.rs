//! Reports → text: for people, as JSON, as Markdown. One function a report and format; nothing here
//! decides anything.

mod apply;
mod check;
mod diagnostics;
mod find;
mod json;
mod markdown;
mod plan;
mod status;
mod style;
mod verify;

pub use apply::{apply_human, apply_json};
pub use check::{check_human, check_json};
pub use diagnostics::{diagnostics_human, diagnostics_json};
pub use find::{find_human, find_json};
pub use json::document;
pub use markdown::{check_markdown, plan_markdown, table_markdown};
pub use plan::{plan_human, plan_json};
pub use status::{Vocabulary, history_human, history_json, status_human, status_json};
pub use style::{Style, bytes, count, plural, table};
pub use verify::{verify_human, verify_json};
