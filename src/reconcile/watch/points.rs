//! Which directories to watch, so that nothing that a path leads to can change unseen.
//!
//! git-sync and Kubernetes hand files over by swapping a symbolic link somewhere in the path; an editor
//! or a person renames directories. So besides the directories that hold the files, the parent of every
//! link on the way is watched, and of the place itself; where something is missing, what is left of the way.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::eyes::Kind;

/// As many links as the system follows.
const MOST_LINKS: usize = 40;

/// As deep as policies and requests are read.
const DEEPEST: usize = 32;

/// What is to be watched, links resolved.
#[derive(Debug, Default)]
pub(super) struct Points {
    /// Directories of which every entry counts.
    inside: BTreeSet<PathBuf>,
    /// Single entries that count, of other directories.
    ways: BTreeSet<PathBuf>,
}

impl Points {
    /// Adds what is to be watched for a file or a directory and all below it. Names that do not count are
    /// left out.
    pub(super) fn add(&mut self, place: &Path, kind: Kind) {
        let Ok(place) = std::path::absolute(place) else { return };
        let Some(real) = self.follow(&place) else { return };
        if real.is_dir() {
            self.below(real.clone(), kind, 0);
        }
        self.ways.insert(real);
    }

    /// The directories to watch.
    pub(super) fn directories(&self) -> BTreeSet<PathBuf> {
        let ways = self.ways.iter().filter_map(|way| way.parent());
        ways.map(Path::to_owned).chain(self.inside.iter().cloned()).collect()
    }

    /// Whether a change there counts.
    pub(super) fn concerns(&self, path: &Path) -> bool {
        let inside = |path: &Path| self.inside.contains(path);
        inside(path) || path.parent().is_some_and(inside) || self.ways.contains(path)
    }

    /// Walks along a path and its links. `None` where it leads nowhere.
    fn follow(&mut self, path: &Path) -> Option<PathBuf> {
        let mut way = names(path);
        let (mut at, mut links) = (PathBuf::from("/"), 0);
        while let Some(name) = way.pop_front() {
            if name == ".." {
                at.pop();
                continue;
            }
            let next = at.join(&name);
            match fs::symlink_metadata(&next) {
                Err(_) => {
                    // It may appear; or what should be a directory is a file, and may become one.
                    self.ways.extend([at, next]);
                    return None;
                }
                Ok(meta) if meta.is_symlink() => {
                    self.ways.insert(next.clone());
                    links += 1;
                    let target = fs::read_link(&next).ok().filter(|_| links <= MOST_LINKS)?;
                    if target.is_absolute() {
                        at = PathBuf::from("/");
                    }
                    let mut rest = names(&target);
                    rest.append(&mut way);
                    way = rest;
                }
                // A file where a directory should be: the error comes with the next name.
                Ok(_) => at = next,
            }
        }
        Some(at)
    }

    fn below(&mut self, directory: PathBuf, kind: Kind, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let entries = fs::read_dir(&directory);
        self.inside.insert(directory);
        for entry in entries.into_iter().flatten().flatten() {
            if kind.skips(&entry.file_name().to_string_lossy()) {
                continue;
            }
            let Ok(entry_kind) = entry.file_type() else { continue };
            if entry_kind.is_dir() {
                self.below(entry.path(), kind, depth + 1);
            } else if entry_kind.is_symlink()
                && let Some(real) = self.follow(&entry.path())
            {
                if real.is_dir() && !self.inside.contains(&real) {
                    self.below(real.clone(), kind, depth + 1);
                }
                self.ways.insert(real);
            }
        }
    }
}

/// The names of a path, `.` left out.
fn names(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::os::unix::fs::symlink;

    use super::*;

    /// The points below `root`, relative to it.
    fn points(root: &Path, place: &str) -> Vec<String> {
        let mut points = Points::default();
        points.add(&root.join(place), Kind::Texts);
        let below = points.directories().into_iter();
        below
            .filter_map(|path| Some(path.strip_prefix(root).ok()?.to_string_lossy().into_owned()))
            .collect()
    }

    fn root() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        (dir, root)
    }

    #[test]
    fn a_directory_its_parent_and_what_is_below_but_for_what_is_skipped() {
        let (_dir, root) = root();
        fs::create_dir_all(root.join("a/requests/2026/11")).unwrap();
        fs::create_dir_all(root.join("a/requests/.git/objects")).unwrap();
        let expected = ["a", "a/requests", "a/requests/2026", "a/requests/2026/11"];
        assert_eq!(points(&root, "a/requests"), expected);
    }

    #[test]
    fn the_parent_of_every_link_on_the_way_as_git_sync_makes_them() {
        let (_dir, root) = root();
        fs::create_dir_all(root.join("git/.worktrees/abc/policies")).unwrap();
        symlink(".worktrees/abc", root.join("git/current")).unwrap();
        let worktree = "git/.worktrees/abc";
        let expected = ["git", worktree, "git/.worktrees/abc/policies"];
        assert_eq!(points(&root, "git/current/policies"), expected);
        fs::remove_dir_all(root.join("git/.worktrees/abc")).unwrap();
        assert_eq!(points(&root, "git/current/policies"), ["git", "git/.worktrees"]);
    }

    #[test]
    fn the_files_behind_links_as_config_maps_make_them() {
        let (_dir, root) = root();
        fs::create_dir_all(root.join("etc/policies/..2026_11")).unwrap();
        fs::write(root.join("etc/policies/..2026_11/a.yaml"), "").unwrap();
        symlink("..2026_11", root.join("etc/policies/..data")).unwrap();
        symlink("..data/a.yaml", root.join("etc/policies/a.yaml")).unwrap();
        let expected = ["etc", "etc/policies", "etc/policies/..2026_11"];
        assert_eq!(points(&root, "etc/policies"), expected);
    }

    #[test]
    fn what_is_left_of_the_way_to_a_missing_place() {
        let (_dir, root) = root();
        fs::create_dir(root.join("here")).unwrap();
        assert_eq!(points(&root, "here/gone/policies"), ["", "here"]);
        fs::write(root.join("here/file"), "").unwrap();
        assert_eq!(points(&root, "here/file"), ["here"]);
    }

    #[test]
    fn links_that_go_round_end() {
        let (_dir, root) = root();
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        assert_eq!(points(&root, "a/policies"), [""]);
        fs::create_dir(root.join("p")).unwrap();
        symlink("..", root.join("p/up")).unwrap();
        symlink(".", root.join("p/here")).unwrap();
        assert!(points(&root, "p").contains(&"p".to_owned()));
    }
}
