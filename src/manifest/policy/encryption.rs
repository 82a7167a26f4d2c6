//! Settings: to whom identities are sealed, and packages encrypted.

use std::collections::BTreeSet;

use crate::manifest::codes::hold::{NO_RECIPIENT, RECIPIENT, RECIPIENT_TWICE};
use crate::manifest::reader::{Fields, Report};
use crate::model::{Sealing, holds_secret_key};

/// Points of Curve25519 whose order divides eight, in every spelling: whoever knows nothing could open what is
/// encrypted to one, so the age crate panics over it. Nobody's key has one.
const LOW_ORDER: [&str; 14] = [
    "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z",
    "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzqqsuwj9m",
    "age1qyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqj7vrya",
    "age1qyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzqqk67yly",
    "age1ur4h5lpmgxu2u9jku0a0r87ydtdqnr0tnsetrlvxvgz3vh6fhqqqzyt4v9",
    "age1ur4h5lpmgxu2u9jku0a0r87ydtdqnr0tnsetrlvxvgz3vh6fhzqqxqejhu",
    "age1t7wft09r2zxzfvwsk92eeql0tvzyghxytqwgapkcyf8dm5ylz9ts6wm9s8",
    "age1t7wft09r2zxzfvwsk92eeql0tvzyghxytqwgapkcyf8dm5ylz8ts72fzt7",
    "age1anlllllllllllllllllllllllllllllllllllllllllllllllals4n2t7m",
    "age1anllllllllllllllllllllllllllllllllllllllllllllllllls3hcv9z",
    "age1ahlllllllllllllllllllllllllllllllllllllllllllllllalsn46ayy",
    "age1ahlllllllllllllllllllllllllllllllllllllllllllllllllsh3g6la",
    "age1amlllllllllllllllllllllllllllllllllllllllllllllllalselrwrv",
    "age1amlllllllllllllllllllllllllllllllllllllllllllllllllsam3fc4",
];

/// Whether something can be encrypted to it. The `age` tool takes lower case only, and so does the schema.
fn usable(recipient: &str) -> bool {
    recipient.starts_with("age1")
        && !LOW_ORDER.contains(&recipient)
        && recipient.parse::<age::x25519::Recipient>().is_ok()
}

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
        if !usable(found.text) {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn only_what_can_be_encrypted_to_is_a_recipient() {
        let good = age::x25519::Identity::generate().to_public();
        assert!(usable(&good.to_string()));
        assert!(!usable(&good.to_string().to_uppercase()));
        for point in LOW_ORDER {
            let parsed: age::x25519::Recipient = point.parse().unwrap();
            let encrypts = std::panic::catch_unwind(|| {
                let recipients = std::iter::once(&parsed as &dyn age::Recipient);
                age::Encryptor::with_recipients(recipients).is_ok()
            });
            assert!(!encrypts.unwrap_or(false), "{point} can be encrypted to");
            assert!(!usable(point), "{point}");
        }
    }
}
