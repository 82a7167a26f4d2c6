//! Walks below the root.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::plan::coverage::{RootLook, Uncovered, UncoveredKind};

use super::super::inventory::{absolute, has_ending, holds_parquet, is_hidden, table_format};
use super::{Known, fold};

struct Walk<'a> {
    /// As given.
    given: &'a Path,
    /// Absolute, as named.
    named: PathBuf,
    /// Links resolved.
    real: PathBuf,
    known: &'a Known,
    /// Directories that are still to be looked at, relative to the root.
    ahead: Vec<PathBuf>,
    /// By the directory that stands for them.
    owners: BTreeMap<PathBuf, Owner>,
    found: RootLook,
}

/// What lies in a directory and its partitions.
#[derive(Default)]
struct Owner {
    covered: u64,
    uncovered: u64,
    /// The first uncovered file by name.
    example: Option<PathBuf>,
}

/// Looks at everything below the root.
pub(super) fn walk(
    working_dir: &Path,
    root: &Path,
    known: &Known,
    go_on: &dyn Fn() -> bool,
) -> RootLook {
    let named = absolute(working_dir, root);
    let real = match fs::canonicalize(&named) {
        Ok(real) => real,
        Err(error) => {
            let problem = (fold::shown(root), not("listed", &error));
            return RootLook { problems: vec![problem], ..RootLook::default() };
        }
    };
    let (ahead, owners, found) = (vec![PathBuf::new()], BTreeMap::new(), RootLook::default());
    let mut walk = Walk { given: root, named, real, known, ahead, owners, found };
    while let Some(inner) = walk.ahead.pop() {
        // What was not looked at says nothing.
        if !go_on() {
            return RootLook::default();
        }
        walk.directory(&inner);
    }
    walk.finish()
}

impl Walk<'_> {
    fn shown(&self, inner: &Path) -> String {
        fold::shown(&self.given.join(inner))
    }

    fn problem(&mut self, inner: &Path, what: impl Into<String>) {
        self.found.problems.push((self.shown(inner), what.into()));
    }

    fn leaves_out(&self, inner: &Path) -> bool {
        self.known.leaves_out(&self.real.join(inner), &self.named.join(inner))
    }

    fn directory(&mut self, inner: &Path) {
        let path = self.real.join(inner);
        if self.leaves_out(inner) {
            return;
        }
        if let Some(format) = table_format::of_directory(&path) {
            if !self.known.covers(&path) {
                let what = UncoveredKind::Table(format);
                self.found.uncovered.push(Uncovered { shown: self.shown(inner), what });
            }
            return;
        }
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            // Gone since its parent was listed.
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) => return self.problem(inner, not("listed", &error)),
        };
        for entry in entries {
            match entry {
                Ok(entry) => self.entry(&inner.join(entry.file_name()), &entry),
                Err(error) => self.problem(inner, not("listed", &error)),
            }
        }
    }

    fn entry(&mut self, inner: &Path, entry: &DirEntry) {
        let name = entry.file_name();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                // Git's own, where repository and lake are one directory.
                if name != ".git" {
                    self.ahead.push(inner.to_owned());
                }
            }
            Ok(kind) if kind.is_symlink() => self.link(inner, &name),
            Ok(kind) if kind.is_file() => self.file(inner, &name),
            Ok(_) => {}
            Err(error) => self.problem(inner, not("read", &error)),
        }
    }

    fn file(&mut self, inner: &Path, name: &OsStr) {
        let path = self.real.join(inner);
        if !is_parquet(&path, name) || self.leaves_out(inner) {
            return;
        }
        let owner = self.owners.entry(fold::owner(inner)).or_default();
        if self.known.covers(&path) {
            owner.covered += 1;
            return;
        }
        owner.uncovered += 1;
        if owner.example.as_deref().is_none_or(|known| inner < known) {
            owner.example = Some(inner.to_owned());
        }
    }

    /// A link that stays below the root leads to what is found there; one that leads out is not followed.
    fn link(&mut self, inner: &Path, name: &OsStr) {
        let path = self.real.join(inner);
        let real = match fs::canonicalize(&path) {
            Ok(real) => real,
            Err(_) => {
                let is_data = name.to_str().is_some_and(has_ending) && !self.known.covers(&path);
                if is_data && !self.leaves_out(inner) {
                    self.problem(inner, "is a dead link");
                }
                return;
            }
        };
        let named = self.named.join(inner);
        let elsewhere = !real.starts_with(&self.real)
            && !self.known.covers(&real)
            // What a location may not name, the inventory has said.
            && !self.known.covers(&path)
            && !self.known.leaves_out(&real, &named)
            && !self.known.leaves_out(&path, &named);
        if !elsewhere {
            return;
        }
        let out = "is a link that leads out of the root, to";
        match fs::metadata(&real) {
            Ok(meta) if meta.is_dir() => {
                self.problem(inner, format!("{out} a directory that no dataset covers"));
            }
            Ok(_) if is_parquet(&real, name) => {
                self.problem(inner, format!("{out} Parquet that no dataset covers"));
            }
            Ok(_) => {}
            Err(error) => self.problem(inner, not("read", &error)),
        }
    }

    fn finish(mut self) -> RootLook {
        for (inner, owner) in std::mem::take(&mut self.owners) {
            let Some(example) = owner.example else { continue };
            let folder = self.shown(&inner);
            let (shown, what) = match (owner.uncovered, owner.covered) {
                // A directory of one file is shown as such where the file is a part of it.
                (1, 0) if example.parent() != Some(&inner) => (folder, UncoveredKind::Directory(1)),
                (1, _) => (self.shown(&example), UncoveredKind::File),
                (files, 0) => (folder, UncoveredKind::Directory(files)),
                (files, _) => (folder, UncoveredKind::Beside(files, self.shown(&example))),
            };
            self.found.uncovered.push(Uncovered { shown, what });
        }
        self.found.idle = self.known.idle(&self.real);
        self.found.uncovered.sort_unstable();
        self.found.problems.sort_unstable();
        self.found
    }
}

/// By its ending, hidden or not; or, where its name is visible, by how it starts. A pass's own staged
/// files are no data.
fn is_parquet(path: &Path, name: &OsStr) -> bool {
    if name.as_encoded_bytes().starts_with(b".amparo-") {
        return false;
    }
    name.to_str().is_some_and(has_ending) || !is_hidden(name) && holds_parquet(path)
}

fn not(done: &str, error: &std::io::Error) -> String {
    format!("cannot be {done}: {}", error.kind())
}
