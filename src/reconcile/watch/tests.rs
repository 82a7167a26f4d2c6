//! The loop, in this process: how often it passes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use jiff::Timestamp;

use super::{Observer, PassEnd, TURN, WatchOptions, watch};
use crate::reconcile::{Clock, Event, Events, Signal, Stop, Tries, Workspace};

/// Long enough for any machine; nothing waits for it where things work.
const PATIENCE: Duration = Duration::from_secs(120);

/// Policies without data, and requests that find nothing: passes are quick.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("policies")).unwrap();
        fs::create_dir(place.path("requests")).unwrap();
        fs::create_dir(place.path("lake")).unwrap();
        let lake = place.path("lake");
        let policy = format!(
            "apiVersion: amparo/v1\nkind: Dataset\nmetadata: {{name: e}}\nspec:\n  product: e\n  \
             location: {}\n  format: parquet\n  mayBeEmpty: true\n  fields:\n    - {{path: who, \
             namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}}\n",
            lake.display()
        );
        fs::write(place.path("policies/e.yaml"), policy).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn workspace(&self, stop: &Stop) -> Workspace {
        Workspace {
            policies: self.path("policies"),
            requests: self.path("requests"),
            approvals: self.path("approvals"),
            state: Some(self.path("state").display().to_string()),
            exports: Some(self.path("exports").display().to_string()),
            clock: Clock::Fixed("2026-11-22T09:00:00Z".parse().unwrap()),
            tries: Tries::Due,
            lock_wait: Duration::ZERO,
            scratch: None,
            identity: None,
            memory: 64 << 20,
            jobs: 1,
            stop: stop.clone(),
        }
    }
}

fn request(path: &Path, name: &str) {
    noted(path, name, 0);
}

/// A request, and something that makes its text another one.
fn noted(path: &Path, name: &str, note: usize) {
    let text = format!(
        "# {note}\napiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {{name: {name}}}\nspec: {{regulation: \
         gdpr, receivedAt: 2026-11-20, include: [e], users: [{{key: A, action: [access], userIDs: \
         [{{namespace: who, value: x}}]}}]}}\n"
    );
    fs::write(path, text).unwrap();
}

/// A pass that ended: whether it was carried through, and how many tasks it knew.
type Passed = Result<usize, String>;

/// Tells of passes, and does something when one begins.
struct Looker<F> {
    begins: F,
    passed: Sender<Passed>,
}

impl<F: FnMut(u64)> Events for Looker<F> {
    fn event(&mut self, _: Event) {}
}

impl<F: FnMut(u64)> Observer for Looker<F> {
    fn pass_begins(&mut self, number: u64, _: Timestamp) {
        (self.begins)(number);
    }

    fn pass_ended(&mut self, end: &PassEnd<'_>) {
        let passed = end.outcome.map(|report| report.tasks.len()).map_err(ToString::to_string);
        self.passed.send(passed).unwrap();
    }

    fn turns(&mut self) {}

    fn polls(&mut self, _: &str) {}
}

/// Runs a daemon while `test` looks at its passes.
fn while_watching(
    place: &Place,
    options: &WatchOptions,
    begins: impl FnMut(u64) + Send,
    test: impl FnOnce(&Receiver<Passed>),
) {
    let stop = Stop::default();
    let workspace = place.workspace(&stop);
    let (passed, passes) = channel();
    std::thread::scope(|scope| {
        let daemon = scope.spawn(|| watch(&workspace, options, &mut Looker { begins, passed }));
        let tested = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test(&passes)));
        stop.ask(Signal::Terminate);
        assert_eq!(daemon.join().unwrap(), Signal::Terminate);
        if let Err(panic) = tested {
            std::panic::resume_unwind(panic);
        }
    });
}

fn on_events() -> WatchOptions {
    WatchOptions { interval: Duration::from_secs(86_400), data: false, poll: None, turn: TURN }
}

/// The next pass.
fn next(passes: &Receiver<Passed>) -> usize {
    passes.recv_timeout(PATIENCE).expect("a pass").expect("a pass that is carried through")
}

#[test]
fn a_storm_of_events_is_a_handful_of_passes() {
    let place = Place::new();
    while_watching(
        &place,
        &on_events(),
        |_| {},
        |passes| {
            assert_eq!(next(passes), 0);
            let storm = |notes: std::ops::Range<usize>| {
                for note in notes {
                    let name = format!("r{}", note % 100);
                    noted(&place.path("requests/.new.tmp"), &name, note);
                    let file = place.path(&format!("requests/{name}.yaml"));
                    fs::rename(place.path("requests/.new.tmp"), file).unwrap();
                }
            };
            storm(0..5_000);
            request(&place.path("requests/last.yaml"), "last");
            let mut count = 1;
            // Whatever it saw in between: in the end it has seen all.
            while next(passes) < 101 {
                count += 1;
            }
            assert!(count < 50, "{count} passes for 5,000 changes");
            // The same texts once more, and again: nothing is new, and no pass begins.
            for _ in 0..50 {
                storm(4_900..5_000);
            }
            request(&place.path("requests/more.yaml"), "more");
            assert_eq!(next(passes), 102);
            assert_eq!(passes.try_recv().ok(), None);
        },
    );
}

#[test]
fn a_change_during_a_pass_causes_one_more() {
    let place = Place::new();
    let during = |number| {
        if number == 1 {
            for name in ["one", "two", "three"] {
                request(&place.path(&format!("requests/{name}.yaml")), name);
            }
        }
    };
    while_watching(&place, &on_events(), during, |passes| {
        assert_eq!(next(passes), 0, "it had read its texts before");
        assert_eq!(next(passes), 3);
        request(&place.path("requests/four.yaml"), "four");
        assert_eq!(next(passes), 4, "there was no pass between");
    });
}

#[test]
fn a_pass_that_failed_is_followed_by_others() {
    let place = Place::new();
    let options = WatchOptions { interval: Duration::ZERO, ..on_events() };
    fs::write(place.path("state"), "in the way").unwrap();
    while_watching(
        &place,
        &options,
        |_| {},
        |passes| {
            for _ in 0..3 {
                passes.recv_timeout(PATIENCE).unwrap().unwrap_err();
            }
            fs::remove_file(place.path("state")).unwrap();
            while passes.recv_timeout(PATIENCE).unwrap().is_err() {}
        },
    );
}

#[test]
fn an_interval_without_changes_is_an_idle_pass() {
    let place = Place::new();
    let options = WatchOptions { interval: Duration::from_millis(1), ..on_events() };
    while_watching(
        &place,
        &options,
        |_| {},
        |passes| {
            for _ in 0..20 {
                assert_eq!(next(passes), 0);
            }
        },
    );
    // Idle passes write nothing but that the first dataset was seen.
    assert_eq!(fs::read_dir(place.path("state/ledger")).unwrap().count(), 1);
}

#[test]
fn policies_that_cannot_be_found_are_no_reason_to_end() {
    let place = Place::new();
    fs::rename(place.path("policies"), place.path("away")).unwrap();
    while_watching(
        &place,
        &on_events(),
        |_| {},
        |passes| {
            let error = passes.recv_timeout(PATIENCE).unwrap().unwrap_err();
            assert!(error.starts_with("cannot read policies"), "{error}");
            fs::rename(place.path("away"), place.path("policies")).unwrap();
            next(passes);
        },
    );
}

#[test]
fn approvals_count_too_also_the_first() {
    let place = Place::new();
    let begins = |_| {};
    while_watching(&place, &on_events(), begins, |passes| {
        assert_eq!(next(passes), 0);
        fs::create_dir(place.path("approvals")).unwrap();
        fs::write(place.path("approvals/a.yaml"), "# none yet\n").unwrap();
        assert_eq!(next(passes), 0);
    });
}

/// Resident memory of this process, in pages.
fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse().unwrap()
}

/// `AMPARO_SOAK=5000` makes it longer, and shows what it measured with `--nocapture`.
#[test]
fn memory_stays_flat_over_idle_passes() {
    const NAME: &str = "reconcile::watch::tests::memory_stays_flat_over_idle_passes";
    if std::env::var_os("AMPARO_TEST_SOAK").is_none() {
        // In a process of its own: other tests take memory, too.
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args([NAME, "--exact", "--nocapture"])
            .env("AMPARO_TEST_SOAK", "1")
            .status();
        return assert!(status.unwrap().success());
    }
    let rounds = std::env::var("AMPARO_SOAK").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let place = Place::new();
    for number in 0..20 {
        request(&place.path(&format!("requests/r{number}.yaml")), &format!("r{number}"));
    }
    let options = WatchOptions { interval: Duration::ZERO, ..on_events() };
    while_watching(
        &place,
        &options,
        |_| {},
        |passes| {
            let mut at = Vec::new();
            for round in 0..rounds {
                assert_eq!(next(passes), 20);
                if round % (rounds / 6) == 0 {
                    at.push(resident());
                }
            }
            at.push(resident());
            let (early, late) = (at[2], at[at.len() - 1]);
            let shown: Vec<u64> = at.iter().map(|pages| pages * 4).collect();
            assert!(late < early + early / 8, "resident KiB grow over {rounds} passes: {shown:?}");
            #[allow(clippy::print_stdout)]
            if std::env::var_os("AMPARO_SOAK").is_some() {
                println!("resident KiB over {rounds} passes: {shown:?}");
            }
        },
    );
}

#[test]
fn nobody_waits_for_a_daemon_that_is_to_end() {
    let place = Place::new();
    while_watching(
        &place,
        &on_events(),
        |_| {},
        |passes| {
            next(passes);
            assert_eq!(passes.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
        },
    );
}

/// A daemon that does not run, whose clock says `now`, after a pass that said when to wake.
fn waits(now: &str, wake: Option<&str>, poll: Option<u64>) -> Duration {
    let place = Place::new();
    let mut workspace = place.workspace(&Stop::default());
    workspace.clock = Clock::Fixed(now.parse().unwrap());
    let options = WatchOptions { poll: poll.map(Duration::from_secs), ..on_events() };
    let (passed, _passes) = channel();
    let mut looker = Looker { begins: |_| {}, passed };
    let mut daemon = super::daemon::Daemon::new(&workspace, &options, &mut looker);
    daemon.expects(Duration::MAX, wake.map(|wake| wake.parse().unwrap()));
    daemon.patience()
}

#[test]
fn a_clock_that_jumps_is_noticed_within_a_minute() {
    let wake = Some("2026-11-22T09:00:30Z");
    assert_eq!(waits("2026-11-22T09:00:00Z", wake, None), Duration::from_secs(30));
    assert_eq!(waits("2026-11-22T09:00:00Z", wake, Some(5)), Duration::from_secs(5));
    assert_eq!(waits("2026-11-22T09:00:00Z", None, None), TURN);
    // Set back by a day, or by years; set forward past it.
    assert_eq!(waits("2026-11-21T09:00:00Z", wake, None), TURN);
    assert_eq!(waits("1970-01-01T00:00:00Z", wake, None), TURN);
    assert_eq!(waits("2030-01-01T00:00:00Z", wake, None), Duration::ZERO);
}
