//! Paths as users see them: relative to the working directory, without partition values that identify.

use std::path::{Component, Path, PathBuf};

use crate::model::Dataset;

use super::hive;

/// How the paths of one dataset are shown.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    dataset: &'a Dataset,
    working_dir: PathBuf,
}

impl<'a> Shown<'a> {
    pub(super) fn new(dataset: &'a Dataset, working_dir: &Path) -> Self {
        let working_dir =
            std::fs::canonicalize(working_dir).unwrap_or_else(|_| working_dir.to_owned());
        Self { dataset, working_dir }
    }

    /// A path to show. Any part `column=value` whose column is an ID or `pii` field loses its value,
    /// wherever in the path it stands.
    pub(super) fn path(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.working_dir).unwrap_or(path);
        let mut text = String::new();
        for part in path.components() {
            if !text.is_empty() && !text.ends_with('/') {
                text.push('/');
            }
            match part {
                Component::RootDir => text.push('/'),
                Component::Normal(name) => text.push_str(&self.part(&name.to_string_lossy())),
                other => text.push_str(&other.as_os_str().to_string_lossy()),
            }
        }
        if text.is_empty() { ".".to_owned() } else { text }
    }

    /// A file below a directory, by names that need not be those of the resolved path.
    pub(super) fn below(&self, root: &Path, inner: &Path) -> String {
        self.path(&root.join(inner))
    }

    fn part(&self, name: &str) -> String {
        match hive::split(name) {
            Some((raw, column, _)) if self.dataset.hides_partition(&column) => {
                format!("{}=***", harmless(raw))
            }
            _ => harmless(name),
        }
    }
}

/// A name without what would move a terminal's cursor or turn its text around.
pub(in crate::engine) fn harmless(name: &str) -> String {
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    name.chars().map(|c| if harmful(c) { '\u{fffd}' } else { c }).collect()
}
