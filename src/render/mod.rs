//! Reports → text: for people, as JSON, Markdown, SARIF, JUnit XML, annotations. One function a report and format; nothing here
//! decides anything.

mod against;
mod annotations;
mod apply;
mod check;
mod diagnostics;
mod escape;
mod find;
mod finding;
mod json;
mod junit;
mod link;
mod markdown;
mod places;
mod plan;
mod sarif;
mod sealing;
mod status;
mod style;
mod verify;
mod view;
mod watch;

pub use annotations::{check_annotations, check_code_quality, plan_annotations, plan_code_quality};
pub use apply::{apply_human, apply_json};
pub use check::{check_human, check_json};
pub use diagnostics::{diagnostics_human, diagnostics_json};
pub use escape::{Written, printable, without_commands};
pub use find::{find_human, find_json};
pub use json::document;
pub use junit::{check_junit, plan_junit};
pub use link::{link_human, link_json};
pub use markdown::{
    COMMENT_LIMIT, apply_markdown, check_markdown, find_markdown, history_markdown, plan_markdown,
    publish_markdown, status_markdown, verify_markdown, view_markdown,
};
pub use places::Places;
pub use plan::{plan_human, plan_json, plan_report_human};
pub use sarif::{check_sarif, plan_sarif};
pub use sealing::{
    keygen_json, open_json, retire_human, retire_json, seal_files_human, seal_files_json,
    seal_values_json,
};
pub use status::{Vocabulary, history_human, history_json, status_human, status_json};
pub use style::{Style, bytes, count, plural, table};
pub use verify::{verify_human, verify_json};
pub use view::{publish_human, publish_json, view_human, view_json};
pub use watch::{pass_human, pass_json};
