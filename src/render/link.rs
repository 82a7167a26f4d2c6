//! A link to a package.

use crate::reconcile::LinkReport;

use super::document;

/// The link alone, to be piped.
pub fn link_human(link: &LinkReport) -> String {
    format!("{}\n", link.url)
}

/// The document of `link`.
pub fn link_json(link: &LinkReport) -> String {
    document("link", link)
}
