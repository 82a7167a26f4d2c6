//! A plan on disk, between the one who approves and the one who applies.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::plan::Plan;

use super::{InputFiles, PassError};

const FORMAT_VERSION: &str = "1.0";

/// What `plan --out` writes: a public document without identities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedPlan {
    format_version: String,
    tool_version: String,
    /// The plan.
    pub plan: Plan,
    /// The files that it rests on.
    #[serde(default)]
    pub files: InputFiles,
}

impl SavedPlan {
    /// Wraps a plan.
    pub fn new(plan: &Plan, files: &InputFiles) -> Self {
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            plan: plan.clone(),
            files: files.clone(),
        }
    }

    /// Writes it beside and renames it into place.
    ///
    /// # Errors
    /// [`PassError::SavePlan`].
    pub fn write(&self, path: &Path) -> Result<(), PassError> {
        let failed = |source| PassError::SavePlan { path: path.to_owned(), source };
        let text = serde_json::to_vec_pretty(self).map_err(|e| failed(e.into()))?;
        let directory =
            path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = directory.join(format!(".amparo-{}-{name}", std::process::id()));
        let written = fs::File::create(&beside)
            .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&beside, path));
        written.map_err(|source| {
            let _ = fs::remove_file(&beside);
            failed(source)
        })
    }

    /// Reads one back.
    ///
    /// # Errors
    /// [`PassError::SavedPlan`] for what is missing, no plan, or of another format.
    pub fn read(path: &Path) -> Result<Self, PassError> {
        let failed = |what: String| PassError::SavedPlan { path: path.to_owned(), what };
        let bytes = fs::read(path).map_err(|e| failed(e.kind().to_string()))?;
        let saved: Self = serde_json::from_slice(&bytes)
            .map_err(|_| failed("it is no plan that `amparo plan --out` wrote".to_owned()))?;
        if saved.format_version != FORMAT_VERSION {
            return Err(failed("it was written by another version of amparo".to_owned()));
        }
        Ok(saved)
    }
}
