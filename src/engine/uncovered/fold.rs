//! Which directory a file belongs to as a dataset: the one above its partitions.

use std::path::{Component, Path, PathBuf};

use super::super::inventory::{harmless, hive};

/// The directory, relative to the root, of which a file is a part: everything below the first hive
/// partition folds into what is above it, and so do folders at the end that are dates or numbers
/// (`events/2026/11/22`).
pub(super) fn owner(file: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    let is_partition = |part: &Component<'_>| {
        part.as_os_str().to_str().is_some_and(|name| hive::split(name).is_some())
    };
    let mut owner: PathBuf = folder.components().take_while(|part| !is_partition(part)).collect();
    while owner.file_name().and_then(|name| name.to_str()).is_some_and(is_number) {
        owner.pop();
    }
    owner
}

fn is_number(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '_' | '.'))
}

/// A path to show: partition values may identify somebody, and nobody has said which.
pub(super) fn shown(path: &Path) -> String {
    let mut text = String::new();
    for part in path.components() {
        let name = part.as_os_str().to_string_lossy();
        match part {
            Component::CurDir => continue,
            Component::RootDir => text.push('/'),
            _ => {
                if !text.is_empty() && !text.ends_with('/') {
                    text.push('/');
                }
                match hive::split(&name) {
                    Some((column, _, _)) => text.push_str(&format!("{}=***", harmless(column))),
                    None => text.push_str(&harmless(&name)),
                }
            }
        }
    }
    if text.is_empty() { ".".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_dates_and_numbers_fold() {
        for (file, folder) in [
            ("a/b/f.parquet", "a/b"),
            ("a/dt=1/h=2/f.parquet", "a"),
            ("a/dt=1/sub/f.parquet", "a"),
            ("a/2026/11/22/f.parquet", "a"),
            ("a/2026-11-22/f.parquet", "a"),
            ("2026/clicks/f.parquet", "2026/clicks"),
            ("f.parquet", ""),
            ("dt=1/f.parquet", ""),
        ] {
            assert_eq!(owner(Path::new(file)), Path::new(folder), "{file}");
        }
    }

    #[test]
    fn partition_values_are_not_shown() {
        assert_eq!(shown(Path::new("./lake/email=a@b.c/f.parquet")), "lake/email=***/f.parquet");
        assert_eq!(shown(Path::new("/x/y")), "/x/y");
        assert_eq!(
            (shown(Path::new(".")), shown(Path::new("a\u{1b}b"))),
            (".".into(), "a\u{fffd}b".into())
        );
    }
}
