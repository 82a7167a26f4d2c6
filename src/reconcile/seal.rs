//! `seal`: identity values encrypted to the recipients of Settings, one by one or in place.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Severity, has_errors};
use crate::manifest::edit::{Edit, replace};
use crate::manifest::request::{Context, Given, Spot, read_file};
use crate::manifest::sealed::{document, scalar};
use crate::manifest::source::SourceFile;
use crate::manifest::tree::Mark;
use crate::model::{Catalog, Name, NamespaceName, Sensitive};
use crate::store::{encrypt, replace_file};

use super::find::check_values;
use super::gather::Texts;
use super::{PassError, Workspace};

/// What sealing a file in place did.
#[derive(Debug)]
pub struct SealReport {
    /// The file.
    pub file: PathBuf,
    /// Values that were sealed now.
    pub sealed: u64,
    /// Values that were sealed, or given by a digest, before.
    pub before: u64,
    /// Errors for which nothing was done: what is sealed cannot be checked any more.
    pub diagnostics: Vec<Diagnostic>,
}

/// Seals values for a request: one scalar each, in their order.
///
/// # Errors
/// Invalid policies; a namespace or value that cannot be; no recipients.
pub fn seal_values(
    workspace: &Workspace,
    request: &Name,
    values: &[(NamespaceName, Sensitive<String>)],
) -> Result<Vec<String>, PassError> {
    let catalog = catalog(workspace)?;
    let mut sealed = Vec::with_capacity(values.len());
    for (name, value) in values {
        let namespace = catalog.namespace(name);
        check_values(&catalog, &namespace, std::slice::from_ref(value))?;
        sealed.push(seal(&catalog, name, request, value)?);
    }
    Ok(sealed)
}

/// Seals every plain identity value of a request file, and changes nothing else in it. A file whose values are
/// all sealed is left as it is.
///
/// # Errors
/// Invalid policies; no recipients; a file that cannot be read, edited safely or written.
pub fn seal_file(workspace: &Workspace, path: &Path) -> Result<SealReport, PassError> {
    let catalog = catalog(workspace)?;
    let file = super::sources::request(path)?;
    let (spots, errors) = spots(&catalog, &file)?;
    let mut report =
        SealReport { file: path.to_owned(), sealed: 0, before: 0, diagnostics: errors };
    if has_errors(&report.diagnostics) {
        return Ok(report);
    }
    // A value that YAML aliases repeat is sealed once.
    let mut texts: HashMap<(Mark, NamespaceName), String> = HashMap::new();
    let mut edits = Vec::new();
    for spot in &spots {
        let Given::Plain(identity) = &spot.given else {
            report.before += 1;
            continue;
        };
        let request =
            spot.request().ok_or(PassError::Bug("a request without a name".to_owned()))?;
        let place = (spot.value, spot.namespace.clone());
        let text = match texts.get(&place) {
            Some(text) => text.clone(),
            None => seal(&catalog, &spot.namespace, &request, &identity.given)?,
        };
        texts.insert(place, text.clone());
        edits.push(Edit { at: spot.value, text });
        report.sealed += 1;
    }
    if !edits.is_empty() {
        let edit = |source| PassError::Edit { path: path.to_owned(), source };
        let bytes = replace(&file, &edits).map_err(edit)?;
        replace_file(path, &file.bytes, &bytes)?;
    }
    Ok(report)
}

/// Where the identity values of a file stand, and the errors in it.
fn spots(catalog: &Catalog, file: &SourceFile) -> Result<(Vec<Spot>, Vec<Diagnostic>), PassError> {
    let spots = RefCell::new(Vec::new());
    let context = Context { catalog, now: None, opener: None, spots: Some(&spots) };
    let (_, mut diagnostics) = read_file(file, context);
    diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
    Ok((spots.into_inner(), diagnostics))
}

fn seal(
    catalog: &Catalog,
    namespace: &NamespaceName,
    request: &Name,
    value: &Sensitive<String>,
) -> Result<String, PassError> {
    let recipients = &catalog.settings.sealing.recipients;
    if recipients.is_empty() {
        return Err(PassError::Argument {
            what: "Settings names nobody who could open what is sealed".to_owned(),
            hint: "write `sealing: {recipients: [age1…]}` into Settings; `amparo keygen` makes a key and \
                   prints its recipient"
                .to_owned(),
        });
    }
    let plain = document(namespace, request, value)
        .map_err(|_| PassError::Bug("a value that cannot be written".to_owned()))?;
    Ok(scalar(&encrypt(&plain, recipients)?))
}

/// The policies, which must be valid.
fn catalog(workspace: &Workspace) -> Result<Catalog, PassError> {
    let loaded = Texts::policies(workspace)?.load(workspace.clock.now());
    if loaded.catalog_valid { Ok(loaded.catalog) } else { Err(PassError::InvalidPolicies) }
}

#[cfg(test)]
mod tests;
