//! Locations that Settings leaves out of the look, written as a dataset's `location` is.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::inventory::{absolute, expand, glob, local};

/// A location: itself and everything below it.
pub(super) struct Ignored {
    /// The part before the first wildcard, as written and with links resolved.
    bases: Vec<PathBuf>,
    /// The rest, one name after the other.
    pattern: Vec<String>,
}

impl Ignored {
    /// `None` where it is not on the local disk.
    pub(super) fn new(working_dir: &Path, location: &str) -> Option<Self> {
        let named = absolute(working_dir, &local(location).ok()?);
        let mut base = PathBuf::new();
        let mut pattern: Vec<String> = Vec::new();
        // A file that is there under its very name is no pattern.
        let literal = fs::symlink_metadata(&named).is_ok();
        for part in named.components() {
            let text = part.as_os_str().to_str();
            let is_pattern = !literal && text.is_some_and(glob::is_pattern);
            match text.filter(|_| is_pattern || !pattern.is_empty()) {
                Some(text) => pattern.push(text.to_owned()),
                None => base.push(part),
            }
        }
        let bases = fs::canonicalize(&base).into_iter().chain([base]).collect();
        Some(Self { bases, pattern })
    }

    /// Whether it names an absolute path, or a directory above it.
    pub(super) fn names(&self, path: &Path) -> bool {
        self.bases.iter().any(|base| {
            let Ok(inner) = path.strip_prefix(base) else { return false };
            let parts: Vec<_> =
                inner.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            names(&self.pattern, &parts)
        })
    }

    /// Whether it lies below a root, and nothing is there that it names.
    pub(super) fn is_idle_below(&self, root: &Path) -> bool {
        self.bases.iter().any(|base| base.starts_with(root))
            && !self.bases.iter().any(|base| is_there(base, &self.pattern))
    }
}

fn is_there(base: &Path, pattern: &[String]) -> bool {
    if pattern.is_empty() {
        return fs::symlink_metadata(base).is_ok();
    }
    let pattern: Vec<&str> = pattern.iter().map(String::as_str).collect();
    let mut matched = Vec::new();
    expand(base, Path::new(""), &pattern, &mut matched);
    !matched.is_empty()
}

/// Whether a pattern matches the first of these names; `**` matches any number of them.
fn names<T: AsRef<str>>(pattern: &[String], parts: &[T]) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return true };
    if first == "**" {
        return (0..=parts.len()).any(|n| parts.get(n..).is_some_and(|parts| names(rest, parts)));
    }
    parts
        .split_first()
        .is_some_and(|(part, parts)| glob::matches(first, part.as_ref()) && names(rest, parts))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ignores(location: &str, path: &str) -> bool {
        Ignored::new(Path::new("/w"), location).unwrap().names(Path::new(path))
    }

    #[test]
    fn a_location_names_itself_and_what_lies_below() {
        for location in ["lake/raw", "lake/raw/", "./lake/raw", "file:///w/lake/raw"] {
            assert!(
                ignores(location, "/w/lake/raw") && ignores(location, "/w/lake/raw/a/b.parquet")
            );
            assert!(!ignores(location, "/w/lake/rawer") && !ignores(location, "/w/lake"));
        }
    }

    #[test]
    fn globs_name_what_they_match_and_what_lies_below() {
        assert!(ignores("lake/*/tmp", "/w/lake/a/tmp/x") && !ignores("lake/*/tmp", "/w/lake/a/b"));
        assert!(
            ignores("lake/**/tmp", "/w/lake/tmp") && ignores("lake/**/tmp", "/w/lake/a/b/tmp/c")
        );
        assert!(ignores("lake/old-*", "/w/lake/old-1") && !ignores("lake/old-*", "/w/lake/new-1"));
        assert!(Ignored::new(Path::new("/w"), "s3://b/x").is_none());
    }
}
