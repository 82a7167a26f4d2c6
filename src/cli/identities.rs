//! Identities on the command line and on standard input.

use std::io::{BufRead, Read};

use crate::model::Sensitive;

use super::error::CliError;

/// Reads `NAMESPACE=VALUE` words. `-` stands for such lines on standard input, and `NAMESPACE=-` for a value that is
/// all of it: both keep values out of shell histories and process lists. No message repeats a value.
///
/// # Errors
/// A word that is no identity, none at all, or standard input that cannot be read.
pub(crate) fn read(words: &[String]) -> Result<Vec<(String, Sensitive<String>)>, CliError> {
    let failed = |source| CliError::File { verb: "read", path: "standard input".into(), source };
    let mut identities = Vec::new();
    for word in words {
        if word == "-" {
            for line in std::io::stdin().lock().lines() {
                let line = line.map_err(failed)?;
                if !line.trim().is_empty() {
                    identities.push(identity(&line)?);
                }
            }
            continue;
        }
        let (namespace, value) = identity(word)?;
        if value.expose() != "-" {
            identities.push((namespace, value));
            continue;
        }
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).map_err(failed)?;
        let text =
            text.strip_suffix('\n').map_or(&*text, |text| text.strip_suffix('\r').unwrap_or(text));
        if text.is_empty() {
            return Err(nothing());
        }
        identities.push((namespace, Sensitive::new(text.to_owned())));
    }
    if identities.is_empty() { Err(nothing()) } else { Ok(identities) }
}

fn nothing() -> CliError {
    CliError::Usage {
        what: "no identity was given".to_owned(),
        hint: "`-` reads lines such as 'crm-id=ACME-1' from standard input, which was empty"
            .to_owned(),
    }
}

/// Splits at the first `=`.
fn identity(text: &str) -> Result<(String, Sensitive<String>), CliError> {
    match text.trim_end_matches(['\r', '\n']).split_once('=') {
        Some((namespace, value)) if !namespace.trim().is_empty() && !value.is_empty() => {
            Ok((namespace.trim().to_owned(), Sensitive::new(value.to_owned())))
        }
        _ => Err(CliError::Usage {
            what: "an identity is NAMESPACE=VALUE".to_owned(),
            hint: "for example 'crm-id=ACME-1'; `-` reads such lines from standard input"
                .to_owned(),
        }),
    }
}
