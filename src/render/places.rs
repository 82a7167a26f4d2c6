//! Paths as a repository knows them: relative to its root, whatever the machine and the working directory.

use std::path::{Component, Path, PathBuf};

/// Turns paths as they are shown to people into paths relative to the repository's root.
#[derive(Debug, Clone)]
pub struct Places {
    here: PathBuf,
    roots: Vec<PathBuf>,
}

impl Places {
    /// `here` is the absolute working directory; `roots` are the names of the repository's root (a link and
    /// what it leads to are two). Without one the working directory counts as the root.
    pub fn new(here: PathBuf, roots: Vec<PathBuf>) -> Self {
        let roots = if roots.is_empty() { vec![here.clone()] } else { roots };
        Self { here, roots }
    }

    /// The path relative to the root; one outside the root as it is, without `.` and `..`.
    pub fn show(&self, path: &str) -> String {
        let whole = clean(&self.here.join(path));
        let inside = self.roots.iter().find_map(|root| whole.strip_prefix(clean(root)).ok());
        match inside {
            Some(inside) => inside.to_string_lossy().into_owned(),
            None if Path::new(path).is_absolute() => whole.to_string_lossy().into_owned(),
            None => clean(Path::new(path)).to_string_lossy().into_owned(),
        }
    }
}

/// Without `.`, and without `..` where something stands before it.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(clean.components().next_back(), Some(Component::Normal(_))) =>
            {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_root() {
        let places = Places::new("/w/repo/sub".into(), vec!["/w/repo".into(), "/real/repo".into()]);
        assert_eq!(places.show("policies/a.yaml"), "sub/policies/a.yaml");
        assert_eq!(places.show("./../policies/a.yaml"), "policies/a.yaml");
        assert_eq!(places.show("/real/repo/requests/r.yaml"), "requests/r.yaml");
        assert_eq!(places.show("/elsewhere/./x"), "/elsewhere/x");
        assert_eq!(places.show("../../x"), "../../x");
        let alone = Places::new("/any/where".into(), Vec::new());
        assert_eq!(alone.show("./requests/r.yaml"), "requests/r.yaml");
    }
}
