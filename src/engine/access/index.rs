//! `index.html`: what the package holds, in plain words (RULES.md section 4).

use askama::Template;
use jiff::{Timestamp, tz::TimeZone};

use crate::model::{Identity, IdentityTerm, Regulation};

use super::layout::Layout;
use super::{AccessError, AccessTask, listing};

#[derive(Template)]
#[template(path = "access/index.html")]
struct Page<'a> {
    request: &'a str,
    key: &'a str,
    regulation: Option<String>,
    received: String,
    compiled: String,
    expires: String,
    identities: Vec<String>,
    rows: String,
    copies: String,
    duplicates: u64,
    products: Vec<ProductFiles<'a>>,
    origins: Vec<Origin<'a>>,
    version: &'static str,
}

struct ProductFiles<'a> {
    name: &'a str,
    sheets: Vec<SheetFiles>,
}

struct SheetFiles {
    device: bool,
    rows: String,
    /// Path of the files without their ending, percent-encoded.
    href: String,
}

struct Origin<'a> {
    source: &'a str,
    dataset: &'a str,
    person: String,
    device: String,
    duplicates: String,
}

/// Appends the page.
pub(super) fn write(
    task: &AccessTask<'_>,
    layout: &Layout,
    out: &mut String,
) -> Result<(), AccessError> {
    let mut products: Vec<ProductFiles<'_>> = Vec::new();
    for sheet in &layout.sheets {
        let files = SheetFiles {
            device: sheet.device,
            rows: records(sheet.rows),
            href: format!("{}/{}", percent(&sheet.directory), sheet.kind()),
        };
        match products.last_mut().filter(|product| product.name == sheet.directory) {
            Some(product) => product.sheets.push(files),
            None => products.push(ProductFiles { name: &sheet.directory, sheets: vec![files] }),
        }
    }
    let duplicates = layout.datasets.iter().map(|part| part.counts.duplicates_removed).sum();
    let found: Vec<_> = listing::counts(layout).map(|counts| &counts.dataset).collect();
    let origins = task.work.datasets.iter().zip(&layout.datasets);
    let origins = origins.filter(|(dataset, _)| found.contains(&&dataset.dataset));
    let page = Page {
        request: task.request.as_str(),
        key: task.key,
        regulation: task.regulation.map(shown),
        received: moment(task.received_at),
        compiled: moment(task.compiled_at),
        expires: moment(task.expires_at),
        identities: task.identities.iter().map(asked).collect(),
        rows: records(layout.datasets.iter().map(super::layout::DatasetPart::rows).sum()),
        copies: if duplicates == 1 {
            "1 copy was".to_owned()
        } else {
            format!("{} copies were", grouped(duplicates))
        },
        duplicates,
        products,
        origins: origins
            .map(|(dataset, part)| Origin {
                source: &dataset.source,
                dataset: dataset.dataset.as_str(),
                person: grouped(part.counts.person_rows),
                device: grouped(part.counts.device_rows),
                duplicates: grouped(part.counts.duplicates_removed),
            })
            .collect(),
        version: env!("CARGO_PKG_VERSION"),
    };
    page.render_into(out).map_err(|_| AccessError::Bug("the index page cannot be written"))
}

/// `1 record`, `1,234 records`.
pub(super) fn records(rows: u64) -> String {
    if rows == 1 { "1 record".to_owned() } else { format!("{} records", grouped(rows)) }
}

/// A number with commas.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `20 November 2026, 14:05 UTC`.
pub(super) fn moment(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// `gdpr` → `GDPR`, `cpra_usa` → `CPRA USA`.
fn shown(regulation: &Regulation) -> String {
    regulation.as_str().to_uppercase().replace('_', " ")
}

fn asked(term: &IdentityTerm) -> String {
    let one = |identity: &Identity| format!("{}: {}", identity.namespace, identity.given.expose());
    term.parts().iter().map(one).collect::<Vec<_>>().join(" and ")
}

/// A path's part as it stands in a link.
fn percent(part: &str) -> String {
    part.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}
