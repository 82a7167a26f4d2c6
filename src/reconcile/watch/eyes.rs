//! Watches directories for events, and rings the bell.
//!
//! Guarantees: after [`Eyes::arm`] any later change below the places rings. What is swapped, vanishes or
//! comes back is armed anew by the next call, which each turn of the daemon makes before it looks.
//! Assumptions: events come where the file system is of this machine alone; elsewhere the daemon polls.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};

use super::bell::Rope;
use super::points::Points;

/// Events of one change come together.
const DEBOUNCE: Duration = Duration::from_millis(200);

/// How often the places are walked again until nothing new turns up under the walk.
const ROUNDS: usize = 5;

/// A place to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// A file, or a directory with all below it; it need not be there.
    pub(super) path: PathBuf,
    /// What lies there.
    pub(super) kind: Kind,
}

/// What lies in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Policies, requests, approvals, keys.
    Texts,
    /// Files of a dataset.
    Data,
}

impl Kind {
    /// Whether a name below the place does not count (CONTRACT.md section 1).
    pub(super) fn skips(self, name: &str) -> bool {
        name.starts_with('.') || (self == Self::Data && name.starts_with('_'))
    }
}

/// Watches.
pub(super) struct Eyes {
    debouncer: Option<Debouncer<RecommendedWatcher, NoCache>>,
    /// What counts of what the watched directories hold.
    points: Arc<Mutex<Points>>,
    /// What is watched, with device and inode as they were then.
    armed: BTreeMap<PathBuf, (u64, u64)>,
    /// Why changes may come without events.
    blind: Option<String>,
}

impl Eyes {
    /// Without `events` nothing is ever watched.
    pub(super) fn new(rope: Rope, events: bool) -> Self {
        let points = Arc::new(Mutex::new(Points::default()));
        let known = Arc::clone(&points);
        let mut eyes = Self { debouncer: None, points, armed: BTreeMap::new(), blind: None };
        if !events {
            return eyes;
        }
        let handler = move |result: DebounceEventResult| {
            let points = known.lock().unwrap_or_else(PoisonError::into_inner);
            // An error is an event, too: something was lost.
            if result.map_or(true, |events| events.iter().any(|event| matters(event, &points))) {
                rope.pull();
            }
        };
        let config = notify::Config::default();
        match new_debouncer_opt(DEBOUNCE, None, handler, NoCache::new(), config) {
            Ok(debouncer) => eyes.debouncer = Some(debouncer),
            Err(error) => {
                eyes.blind = Some(format!("the system gives no events: {}", told(&error)))
            }
        }
        eyes
    }

    /// Why changes may come without events, if they may.
    pub(super) fn blind(&self) -> Option<&str> {
        self.blind.as_deref()
    }

    /// Watches what the places are now, and nothing else.
    pub(super) fn arm(&mut self, places: &[Place]) {
        let Some(debouncer) = &mut self.debouncer else { return };
        self.blind = None;
        for _ in 0..ROUNDS {
            let mut points = Points::default();
            for place in places {
                points.add(&place.path, place.kind);
            }
            let directories = points.directories();
            // Before they are watched: no event of a new directory is judged by the old ones.
            *self.points.lock().unwrap_or_else(PoisonError::into_inner) = points;
            let gone: Vec<_> =
                self.armed.keys().filter(|path| !directories.contains(*path)).cloned().collect();
            for path in gone {
                let _ = debouncer.unwatch(&path);
                self.armed.remove(&path);
            }
            if !watch_all(debouncer, &directories, &mut self.armed, &mut self.blind) {
                return;
            }
            // Something new: it may have got more below it before it was watched.
        }
    }
}

/// Watches each, also those that are known: the system may have dropped them. Whether any was new.
fn watch_all(
    debouncer: &mut Debouncer<RecommendedWatcher, NoCache>,
    points: &BTreeSet<PathBuf>,
    armed: &mut BTreeMap<PathBuf, (u64, u64)>,
    blind: &mut Option<String>,
) -> bool {
    let mut new = false;
    for path in points {
        let Some(identity) = identity(path) else { continue };
        let known = armed.get(path).copied();
        if known.is_some_and(|known| known != identity) {
            let _ = debouncer.unwatch(path);
        }
        match debouncer.watch(path, RecursiveMode::NonRecursive) {
            Ok(()) => {
                new |= known != Some(identity);
                armed.insert(path.clone(), identity);
            }
            // It vanished in between.
            Err(_) if !path.exists() => {}
            Err(error) => {
                let text = format!("{} cannot be watched: {}", path.display(), told(&error));
                blind.get_or_insert(text);
            }
        }
        if !crate::store::is_local(path).unwrap_or(false) {
            blind.get_or_insert_with(|| {
                format!("{} lies on a file system that other machines may change", path.display())
            });
        }
    }
    new
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}

fn told(error: &notify::Error) -> String {
    match &error.kind {
        notify::ErrorKind::Io(error) => error.kind().to_string(),
        notify::ErrorKind::MaxFilesWatch => {
            "too many watches (fs.inotify.max_user_watches)".to_owned()
        }
        _ => "not possible here".to_owned(),
    }
}

/// Whether an event may mean a change: of something that counts, not that something was read, and not our
/// own staged files.
fn matters(event: &notify::Event, points: &Points) -> bool {
    let read = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => true,
        _ => false,
    };
    let counts = |path: &PathBuf| {
        let own =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".amparo-"));
        !own && points.concerns(path)
    };
    !read && (event.paths.is_empty() || event.paths.iter().any(counts))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use notify::event::{CreateKind, DataChange, ModifyKind, RemoveKind, RenameMode};

    use super::*;
    use crate::reconcile::watch::bell::Bell;

    /// Long enough for any machine; nothing waits for it where things work.
    const PATIENCE: Duration = Duration::from_secs(120);

    #[test]
    fn what_is_only_read_or_ours_or_elsewhere_does_not_matter() {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        fs::create_dir(root.join("lake")).unwrap();
        let mut points = Points::default();
        points.add(&root.join("lake"), Kind::Data);
        let matters = |kind: EventKind, paths: &[&str]| {
            let event = notify::Event::new(kind);
            let paths = paths.iter().map(|path| root.join(path));
            super::matters(&paths.fold(event, notify::Event::add_path), &points)
        };
        let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::Both));
        for kind in [
            EventKind::Access(AccessKind::Close(AccessMode::Write)),
            renamed,
            EventKind::Create(CreateKind::File),
            EventKind::Modify(ModifyKind::Data(DataChange::Any)),
            EventKind::Remove(RemoveKind::Folder),
            EventKind::Any,
        ] {
            assert!(matters(kind, &["lake/a.parquet"]), "{kind:?}");
            assert!(matters(kind, &["lake"]), "{kind:?}");
            assert!(!matters(kind, &["lake/.amparo-1.draft"]), "{kind:?}");
            assert!(!matters(kind, &["another"]), "only the lake's own name counts beside it");
        }
        assert!(matters(renamed, &["lake/.amparo-1.draft", "lake/a.parquet"]));
        assert!(matters(EventKind::Any, &[]), "events were lost");
        for kind in [AccessKind::Read, AccessKind::Open(AccessMode::Any), AccessKind::Any] {
            assert!(!matters(EventKind::Access(kind), &["lake/a.parquet"]), "{kind:?}");
        }
    }

    #[test]
    fn where_events_do_not_tell_everything_it_says_so() {
        let mut eyes = Eyes::new(Bell::new().rope(), true);
        eyes.arm(&[Place { path: "/proc/sys/kernel/random".into(), kind: Kind::Texts }]);
        assert!(eyes.blind().unwrap().contains("other machines"), "{:?}", eyes.blind());
        let dir = tempfile::tempdir().unwrap();
        eyes.arm(&[Place { path: dir.path().to_owned(), kind: Kind::Texts }]);
        assert_eq!(eyes.blind(), None);
    }

    #[test]
    fn what_changes_rings_also_where_it_vanished_and_came_back() {
        let dir = tempfile::tempdir().unwrap();
        let requests = dir.path().join("requests");
        let places = [Place { path: requests.clone(), kind: Kind::Texts }];
        let bell = Bell::new();
        let mut eyes = Eyes::new(bell.rope(), true);
        for round in 0..3 {
            eyes.arm(&places);
            fs::create_dir(&requests).unwrap();
            assert!(bell.wait(PATIENCE, || false), "it came ({round})");
            eyes.arm(&places);
            fs::create_dir(requests.join("deep")).unwrap();
            assert!(bell.wait(PATIENCE, || false), "something new in it ({round})");
            eyes.arm(&places);
            fs::write(requests.join("deep/a.yaml"), "a").unwrap();
            assert!(bell.wait(PATIENCE, || false), "a file in what is new ({round})");
            eyes.arm(&places);
            fs::remove_dir_all(&requests).unwrap();
            assert!(bell.wait(PATIENCE, || false), "it vanished ({round})");
        }
        assert_eq!(eyes.armed.len(), 3, "nothing is watched that is gone");
    }

    #[test]
    fn without_events_nothing_is_watched() {
        let dir = tempfile::tempdir().unwrap();
        let mut eyes = Eyes::new(Bell::new().rope(), false);
        eyes.arm(&[Place { path: dir.path().to_owned(), kind: Kind::Texts }]);
        assert!(eyes.armed.is_empty() && eyes.blind().is_none());
    }
}
