//! Walks a directory: which files belong to a dataset, and what stands in the way.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::plan::FileProblem;

use super::super::source::Source;
use super::{Candidate, Shown, Stat, Walked, hive, table_format};

/// Endings of Parquet files.
const ENDINGS: [&str; 3] = [".parquet", ".parq", ".pq"];

/// Walks locations of one dataset.
pub(super) struct Walker<'a> {
    shown: Shown<'a>,
    /// Directories that were entered, by device and inode: links inside cannot lead in circles.
    entered: HashSet<(u64, u64)>,
    /// Files that were found.
    known: HashSet<(u64, u64)>,
    /// Which directories are roots of tables, as far as looked at.
    tables: HashMap<PathBuf, Option<&'static str>>,
    walked: Walked,
}

/// Where a walk began.
pub(super) struct Root {
    /// Links resolved.
    pub(super) real: PathBuf,
    /// As the policy names it, made absolute.
    pub(super) named: PathBuf,
}

impl<'a> Walker<'a> {
    pub(super) fn new(shown: Shown<'a>) -> Self {
        Self {
            shown,
            entered: HashSet::new(),
            known: HashSet::new(),
            tables: HashMap::new(),
            walked: Walked::default(),
        }
    }

    pub(super) fn finish(self) -> Walked {
        self.walked
    }

    /// Notes a problem that concerns the whole dataset.
    pub(super) fn problem(&mut self, path: &Path, what: impl Into<String>) {
        let shown = self.shown.path(path);
        self.walked.problems.push(FileProblem::of_dataset(shown, what));
    }

    /// Notes a problem of one file, without which the others can be used.
    fn file_problem(&mut self, path: &Path, what: impl Into<String>) {
        let shown = self.shown.path(path);
        self.walked.problems.push(FileProblem::of_file(path.to_owned(), shown, what));
    }

    /// Notes a problem of a place that is no path.
    pub(super) fn problem_of(&mut self, shown: String, what: impl Into<String>) {
        self.walked.problems.push(FileProblem::of_dataset(shown, what));
    }

    /// The table of another format that a directory lies in.
    pub(super) fn table_around(&mut self, directory: &Path) -> Option<&'static str> {
        for ancestor in directory.ancestors() {
            let known = match self.tables.get(ancestor) {
                Some(known) => *known,
                None => {
                    let found = table_format::of_directory(ancestor);
                    self.tables.insert(ancestor.to_owned(), found);
                    found
                }
            };
            if known.is_some() {
                return known;
            }
        }
        None
    }

    /// Every file of a directory, `inner` being its path below the root.
    pub(super) fn directory(&mut self, root: &Root, inner: &Path) {
        let path = root.real.join(inner);
        if let Ok(meta) = fs::metadata(&path)
            && !self.entered.insert((meta.dev(), meta.ino()))
        {
            return;
        }
        if let Some(format) = table_format::of_directory(&path) {
            self.problem(&root.named.join(inner), refused(format));
            return;
        }
        let mut names = Vec::new();
        match fs::read_dir(&path) {
            Ok(entries) => {
                for entry in entries {
                    match entry {
                        Ok(entry) => names.push(entry.file_name()),
                        Err(e) => self.problem(&root.named.join(inner), not_listed(&e)),
                    }
                }
            }
            Err(e) => self.problem(&root.named.join(inner), not_listed(&e)),
        }
        names.sort_unstable();
        for name in names {
            if !is_hidden(&name) {
                self.entry(root, &inner.join(&name), &name);
            }
        }
    }

    /// One visible entry of a directory.
    fn entry(&mut self, root: &Root, inner: &Path, name: &OsStr) {
        let path = root.real.join(inner);
        let Some((real, meta)) = self.resolve(root, inner, &path) else { return };
        if meta.is_dir() {
            if name.to_str().is_none() {
                self.problem(&root.named.join(inner), "has a name that is not text (UTF-8)");
            } else if real == path {
                self.directory(root, inner);
            } else {
                // A link that stays inside: its files are found where they really lie, unless that
                // place is hidden.
                self.linked_directory(root, inner, &real);
            }
        } else if name.to_str().is_some_and(has_ending) {
            self.file(root, inner, &real, &meta);
        } else if meta.is_file() && holds_parquet(&real) {
            let what = if name.to_str().is_none() {
                "has a name that is not text (UTF-8)"
            } else {
                "holds Parquet under another ending than .parquet, .parq or .pq: rename or move it"
            };
            self.file_problem(&root.named.join(inner), what);
        } else if name.to_str().is_none() && name.as_encoded_bytes().ends_with(b".parquet") {
            self.problem(&root.named.join(inner), "has a name that is not text (UTF-8)");
        }
    }

    /// Follows a link that does not leave the location; `None` where a problem was noted instead.
    fn resolve(&mut self, root: &Root, inner: &Path, path: &Path) -> Option<(PathBuf, Metadata)> {
        let shown = root.named.join(inner);
        let meta = match fs::symlink_metadata(path) {
            Ok(meta) => meta,
            // Gone since the directory was listed.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return None,
            Err(e) => {
                self.file_problem(&shown, not_read(&e));
                return None;
            }
        };
        if !meta.is_symlink() {
            return Some((path.to_owned(), meta));
        }
        let Ok(real) = fs::canonicalize(path) else {
            self.file_problem(&shown, "is a dead link");
            return None;
        };
        if !real.starts_with(&root.real) {
            self.file_problem(&shown, "is a link that leads out of the location");
            return None;
        }
        match fs::metadata(&real) {
            Ok(meta) => Some((real, meta)),
            Err(_) => {
                self.file_problem(&shown, "is a dead link");
                None
            }
        }
    }

    fn linked_directory(&mut self, root: &Root, inner: &Path, real: &Path) {
        match real.strip_prefix(&root.real) {
            Ok(target) if !target.components().any(|part| is_hidden(part.as_os_str())) => {
                self.directory(root, target);
            }
            _ => self.problem(
                &root.named.join(inner),
                "is a link to a hidden folder of the location: it is not clear whose files these are",
            ),
        }
    }

    /// A file that belongs to the dataset, by ending or by name.
    pub(super) fn file(&mut self, root: &Root, inner: &Path, real: &Path, meta: &Metadata) {
        let named = root.named.join(inner);
        if let Err(what) = usable(meta) {
            return self.file_problem(&named, what);
        }
        if !self.known.insert((meta.dev(), meta.ino())) {
            return;
        }
        let partitions = match hive::partitions(inner) {
            Ok(partitions) => partitions,
            Err(what) => return self.problem(&named, what),
        };
        self.walked.candidates.push(Candidate {
            path: real.to_owned(),
            shown: self.shown.below(&root.named, inner),
            stat: Stat::of(meta),
            partitions,
        });
    }

    /// Notes where a glob begins.
    pub(super) fn begins(&mut self, base: &Path) {
        self.walked.base = Some(base.to_owned());
    }

    /// Notes a directory as the dataset's own.
    pub(super) fn own(&mut self, root: &Path) {
        self.walked.roots.push(root.to_owned());
    }
}

/// Whether a file may be used as far as its inode tells.
fn usable(meta: &Metadata) -> Result<(), &'static str> {
    if !meta.is_file() {
        return Err("is not a regular file");
    }
    if meta.len() == 0 {
        return Err("is empty (0 bytes)");
    }
    if meta.nlink() > 1 {
        return Err("has a second hard link: an erasure would leave the old bytes alive under it");
    }
    Ok(())
}

pub(super) fn refused(format: &str) -> String {
    format!("is part of {format}: rewriting its files would corrupt the table")
}

fn not_listed(error: &std::io::Error) -> String {
    format!("cannot be listed: {}", error.kind())
}

fn not_read(error: &std::io::Error) -> String {
    format!("cannot be read: {}", error.kind())
}

/// Names that start with `.` or `_` are no data.
pub(in crate::engine) fn is_hidden(name: &OsStr) -> bool {
    matches!(name.as_encoded_bytes().first(), Some(b'.' | b'_'))
}

pub(in crate::engine) fn has_ending(name: &str) -> bool {
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Whether a file starts as Parquet does. What cannot be opened is no data that anybody could read.
pub(in crate::engine) fn holds_parquet(path: &Path) -> bool {
    let mut magic = [0; 4];
    let Ok(source) = Source::open(path) else { return false };
    let Ok(mut start) = parquet::file::reader::ChunkReader::get_read(&source, 0) else {
        return false;
    };
    start.read_exact(&mut magic).is_ok() && matches!(&magic, b"PAR1" | b"PARE")
}
