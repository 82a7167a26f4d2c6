//! Settings: to whom identities are sealed, and packages encrypted.

use std::collections::BTreeSet;

use crate::manifest::codes::hold::{NO_RECIPIENT, RECIPIENT, RECIPIENT_TWICE};
use crate::manifest::reader::{Fields, Report};
use crate::model::{Sealing, holds_secret_key};

/// `sealing`.
pub(super) fn sealing(report: &mut Report<'_>, mut fields: Fields<'_>) -> Sealing {
    let at = fields.at();
    let named = fields.get("recipients").is_some();
    let recipients = recipients(report, &mut fields);
    let required = fields.flag(report, "required").unwrap_or_default();
    fields.finish(report);
    if required && !named {
        report
            .error(NO_RECIPIENT, at, "sealing is required, and to nobody")
            .help("list `recipients`, as `amparo keygen` prints them");
    }
    Sealing { recipients, required }
}

/// `packageEncryption`.
pub(super) fn packages(report: &mut Report<'_>, mut fields: Fields<'_>) -> Vec<String> {
    if fields.get("recipients").is_none() {
        report
            .error(NO_RECIPIENT, fields.at(), "packages are to be encrypted, and to nobody")
            .help("list `recipients`, as `amparo keygen` prints them, or remove the key");
    }
    let recipients = recipients(report, &mut fields);
    fields.finish(report);
    recipients
}

fn recipients(report: &mut Report<'_>, fields: &mut Fields<'_>) -> Vec<String> {
    let empty = fields.get("recipients").is_some_and(
        |node| matches!(&node.kind, crate::manifest::tree::Kind::List(items) if items.is_empty()),
    );
    if empty {
        report
            .error(NO_RECIPIENT, fields.at(), "`recipients` is empty")
            .help("list them as `amparo keygen` prints them, or remove the key");
    }
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    for found in fields.texts(report, "recipients").unwrap_or_default() {
        if found.text.parse::<age::x25519::Recipient>().is_err() {
            let secret = holds_secret_key(found.text);
            // A key or a passphrase that stands here by mistake is not repeated.
            if !found.text.starts_with("age1") && !found.text.starts_with("ssh-") {
                report.hide(found.at);
            }
            let (message, help) = if secret {
                (
                    "a secret key, where a recipient belongs",
                    "write the recipient of a new key: this one must count as known to others now",
                )
            } else {
                (
                    "no age recipient",
                    "write `age1` and 58 more characters, as `amparo keygen` prints them",
                )
            };
            report.error(RECIPIENT, found.at, message).help(help);
        } else if seen.insert(found.text) {
            all.push(found.text.to_owned());
        } else {
            report
                .error(RECIPIENT_TWICE, found.at, "a recipient that is listed before")
                .help("remove it, or write the one that was meant");
        }
    }
    all
}
