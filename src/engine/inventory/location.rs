//! What a `location` names: a file, a directory, a glob or a `file://` URL (CONTRACT.md section 1).

use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use crate::model::Dataset;
use crate::plan::{FileProblem, Hindrance};

use super::walk::{Root, Walker, refused};
use super::{Shown, Walked, glob};

/// Finds the files of a dataset.
pub(super) fn walk(working_dir: &Path, dataset: &Dataset) -> Walked {
    let mut walker = Walker::new(Shown::new(dataset, working_dir));
    let location = match local(&dataset.location) {
        Ok(location) => absolute(working_dir, &location),
        Err(what) => {
            walker.problem_of(shown_url(&dataset.location), what);
            return walker.finish();
        }
    };
    match fs::symlink_metadata(&location) {
        Ok(_) => named(&mut walker, &location),
        Err(e) if e.kind() == ErrorKind::NotFound || e.kind() == ErrorKind::NotADirectory => {
            if location.to_str().is_some_and(glob::is_pattern) {
                pattern(&mut walker, &location);
            } else if !dataset.may_be_empty {
                walker.problem(&location, "does not exist");
            }
        }
        Err(e) => walker.problem(&location, format!("cannot be read: {}", e.kind())),
    }
    let mut walked = walker.finish();
    if walked.candidates.is_empty() && walked.problems.is_empty() && !dataset.may_be_empty {
        let shown = Shown::new(dataset, working_dir).path(&location);
        let what = "holds no Parquet file: say `mayBeEmpty: true` if that is right".to_owned();
        let problem = FileProblem::of_dataset(shown, what);
        walked.problems.push(FileProblem { hinders: Hindrance::Empty, ..problem });
    }
    walked
}

/// The file or directory below which everything lies that a location names: of a glob, the part before
/// the first wildcard. It need not be there; `None` where it is not on the local disk.
pub(in crate::engine) fn place(working_dir: &Path, dataset: &Dataset) -> Option<PathBuf> {
    let location = absolute(working_dir, &local(&dataset.location).ok()?);
    let is_glob = location.to_str().is_some_and(glob::is_pattern);
    if !is_glob || fs::symlink_metadata(&location).is_ok() {
        return Some(location);
    }
    let parts = location.components();
    let literal =
        |part: &Component<'_>| part.as_os_str().to_str().is_none_or(|p| !glob::is_pattern(p));
    Some(parts.take_while(literal).collect())
}

/// The path of a location; other stores than the local disk are not read yet.
pub(in crate::engine) fn local(location: &str) -> Result<PathBuf, &'static str> {
    let Some((scheme, rest)) = location.split_once("://") else {
        return Ok(PathBuf::from(location));
    };
    if !scheme.eq_ignore_ascii_case("file") {
        return Err("is on an object store, which this version does not read yet");
    }
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err("is a file URL without an absolute path: write file:///path");
    }
    percent_decoded(path).map(PathBuf::from).ok_or("is a file URL that does not decode to text")
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            out.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// A URL may hold credentials before an `@`.
fn shown_url(location: &str) -> String {
    match (location.split_once("://"), location.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://***@{rest}"),
        _ => location.to_owned(),
    }
}

/// Without `.` and `..` where that can be told from the text alone.
pub(in crate::engine) fn absolute(working_dir: &Path, location: &Path) -> PathBuf {
    let working_dir = std::path::absolute(working_dir).unwrap_or_else(|_| working_dir.to_owned());
    let mut out = PathBuf::new();
    for part in working_dir.join(location).components() {
        if part != Component::CurDir {
            out.push(part);
        }
    }
    out
}

/// A location that exists under its very name.
fn named(walker: &mut Walker<'_>, location: &Path) {
    let (real, meta) = match fs::canonicalize(location).and_then(|real| {
        let meta = fs::metadata(&real)?;
        Ok((real, meta))
    }) {
        Ok(found) => found,
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return walker.problem(location, "is a dead link");
        }
        Err(e) => return walker.problem(location, format!("cannot be read: {}", e.kind())),
    };
    let folder = if meta.is_dir() { &real } else { real.parent().unwrap_or(&real) };
    if let Some(format) = walker.table_around(folder) {
        return walker.problem(location, refused(format));
    }
    if meta.is_dir() {
        walker.own(&real);
        walker.directory(&Root { real, named: location.to_owned() }, Path::new(""));
    } else {
        let (Some(folder), Some(name)) = (location.parent(), location.file_name()) else {
            return walker.problem(location, "is neither a file nor a directory");
        };
        let root = Root {
            real: real.parent().map(Path::to_owned).unwrap_or_default(),
            named: folder.to_owned(),
        };
        walker.file(&root, Path::new(name), &real, &meta);
    }
}

/// A glob: what it matches below the longest part without a wildcard.
fn pattern(walker: &mut Walker<'_>, location: &Path) {
    let parts: Vec<&str> = location
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    let literal = parts.iter().take_while(|part| !glob::is_pattern(part)).count();
    let base: PathBuf = std::iter::once("/").chain(parts.iter().take(literal).copied()).collect();
    let Ok(real) = fs::canonicalize(&base) else { return };
    walker.begins(&real);
    let root = Root { real, named: base };
    let mut matched = Vec::new();
    expand(&root.real, Path::new(""), parts.get(literal..).unwrap_or_default(), &mut matched);
    matched.sort_unstable();
    matched.dedup();
    for inner in matched {
        matched_path(walker, &root, &inner);
    }
}

/// Something that a glob matched: links may lead anywhere below the glob's base, not out of it.
fn matched_path(walker: &mut Walker<'_>, root: &Root, inner: &Path) {
    let Ok(real) = fs::canonicalize(root.real.join(inner)) else {
        return walker.problem(&root.named.join(inner), "is a dead link");
    };
    if !real.starts_with(&root.real) {
        return walker.problem(&root.named.join(inner), "is a link that leads out of the location");
    }
    let meta = match fs::metadata(&real) {
        Ok(meta) => meta,
        Err(e) => {
            let what = format!("cannot be read: {}", e.kind());
            return walker.problem(&root.named.join(inner), what);
        }
    };
    let folder = if meta.is_dir() { &real } else { real.parent().unwrap_or(&real) };
    if let Some(format) = walker.table_around(folder) {
        return walker.problem(&root.named.join(inner), refused(format));
    }
    if meta.is_dir() {
        walker.own(&real);
        walker.directory(root, inner);
    } else {
        walker.file(root, inner, &real, &meta);
    }
}

/// Collects the paths, relative to the base, that match what is left of the pattern.
pub(in crate::engine) fn expand(
    base: &Path,
    inner: &Path,
    pattern: &[&str],
    matched: &mut Vec<PathBuf>,
) {
    let Some((part, rest)) = pattern.split_first() else {
        matched.push(inner.to_owned());
        return;
    };
    if *part == "**" {
        expand(base, inner, rest, matched);
    }
    let Ok(entries) = fs::read_dir(base.join(inner)) else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let Some(text) = name.to_str() else { continue };
        let below = inner.join(&name);
        if *part == "**" {
            let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if folder && glob::matches("*", text) {
                expand(base, &below, pattern, matched);
            }
        } else if glob::matches(part, text) {
            expand(base, &below, rest, matched);
        }
    }
}
