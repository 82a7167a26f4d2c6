//! The loop.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::bell::Bell;
use super::eyes::{Eyes, Kind, Place};
use super::glance::{Glance, Stamp};
use super::{Observer, POLL, PassEnd, WatchOptions};
use crate::engine;
use crate::reconcile::apply::apply_texts;
use crate::reconcile::gather::Texts;
use crate::reconcile::{Approval, PassError, Signal, Workspace};

/// The longest wait before a pass that failed is tried again.
const RETRY: Duration = Duration::from_secs(60);

/// What is seen twice in that time, the same, has settled.
const SETTLE: Duration = Duration::from_millis(200);

/// But a pass does not wait longer than that.
const UNSETTLED: Duration = Duration::from_secs(5);

/// When the next pass is due even if nothing changes.
struct Next {
    /// At the latest; `None`: in ages.
    by: Option<Instant>,
    /// When time gives it something to do.
    wake: Option<Timestamp>,
}

/// The daemon between two passes.
pub(super) struct Daemon<'a> {
    workspace: &'a Workspace,
    options: &'a WatchOptions,
    observer: &'a mut dyn Observer,
    bell: Bell,
    eyes: Eyes,
    /// Why events do not come, as the observer was last told.
    blind: Option<String>,
    /// Where the data lies, as the last valid policies said.
    data: Vec<Place>,
    /// What the last pass saw.
    seen: Option<Stamp>,
    passes: u64,
    next: Next,
}

impl<'a> Daemon<'a> {
    pub(super) fn new(
        workspace: &'a Workspace,
        options: &'a WatchOptions,
        observer: &'a mut dyn Observer,
    ) -> Self {
        let bell = Bell::new();
        let rope = bell.rope();
        workspace.stop.wakes(move || rope.pull());
        let eyes = Eyes::new(bell.rope(), options.poll.is_none());
        Self {
            workspace,
            options,
            observer,
            bell,
            eyes,
            blind: None,
            data: Vec::new(),
            seen: None,
            passes: 0,
            next: Next { by: Some(Instant::now()), wake: None },
        }
    }

    pub(super) fn run(mut self) -> Signal {
        loop {
            self.observer.turns();
            self.turn();
            let stop = &self.workspace.stop;
            if stop.asked().is_none() {
                self.bell.wait(self.patience(), || stop.asked().is_some());
            }
            if let Some(signal) = stop.asked() {
                return signal;
            }
        }
    }

    /// Looks, and starts a pass where there is a reason.
    fn turn(&mut self) {
        let due = self.next.by.is_some_and(|by| Instant::now() >= by)
            || self.next.wake.is_some_and(|wake| wake <= self.workspace.clock.now());
        // First watch, then look: a change after the look rings.
        self.arm();
        let mut glance = Glance::take(self.workspace, &self.data);
        if self.seen != Some(glance.stamp) && self.finds_data(&glance.texts) {
            self.arm();
            glance = Glance::take(self.workspace, &self.data);
        }
        if self.seen != Some(glance.stamp) {
            glance = self.settled(glance);
        }
        if due || self.seen != Some(glance.stamp) {
            self.seen = Some(glance.stamp);
            self.pass(glance.texts);
        }
    }

    /// Looks until it sees the same twice: somebody may still be writing.
    fn settled(&self, mut glance: Glance) -> Glance {
        let began = Instant::now();
        let stop = &self.workspace.stop;
        while began.elapsed() < UNSETTLED && stop.asked().is_none() {
            std::thread::sleep(SETTLE);
            let again = Glance::take(self.workspace, &self.data);
            let same = again.stamp == glance.stamp;
            glance = again;
            if same {
                break;
            }
        }
        glance
    }

    fn arm(&mut self) {
        let Workspace { policies, requests, approvals, identity, .. } = self.workspace;
        let texts = [policies, requests, approvals].into_iter().chain(identity);
        let mut places: Vec<Place> =
            texts.map(|path| Place { path: path.clone(), kind: Kind::Texts }).collect();
        places.extend(self.data.iter().cloned());
        self.eyes.arm(&places);
        if self.eyes.blind() != self.blind.as_deref() {
            self.blind = self.eyes.blind().map(str::to_owned);
            if let Some(why) = &self.blind {
                self.observer.polls(why);
            }
        }
    }

    fn pass(&mut self, texts: Result<Texts, PassError>) {
        self.passes += 1;
        let (number, at, started) = (self.passes, self.workspace.clock.now(), Instant::now());
        self.observer.pass_begins(number, at);
        let outcome = texts.and_then(|texts| {
            apply_texts(self.workspace, &texts, Approval::Given, &mut *self.observer)
        });
        let wait = match &outcome {
            Ok(_) => self.options.interval,
            // Another pass, a full disk: it may settle soon.
            Err(_) => self.options.interval.min(RETRY),
        };
        self.expects(wait, outcome.as_ref().ok().and_then(|report| report.wake));
        let seconds = started.elapsed().as_secs_f64();
        self.observer.pass_ended(&PassEnd { number, at, seconds, outcome: outcome.as_ref() });
    }

    /// The next pass is due in so long, or when time gives it something to do.
    pub(super) fn expects(&mut self, wait: Duration, wake: Option<Timestamp>) {
        self.next = Next { by: Instant::now().checked_add(wait), wake };
    }

    /// Learns from the policies where the data lies, if that matters; whether it is elsewhere than before.
    /// What invalid policies say does not count.
    fn finds_data(&mut self, texts: &Result<Texts, PassError>) -> bool {
        let Some(texts) = texts.as_ref().ok().filter(|_| self.options.data) else { return false };
        let loaded = texts.load(self.workspace.clock.now());
        if !loaded.catalog_valid {
            return false;
        }
        let places = loaded.catalog.datasets.iter().filter_map(|dataset| {
            let path = engine::place(Path::new("."), dataset)?;
            Some(Place { path, kind: Kind::Data })
        });
        let known = std::mem::replace(&mut self.data, places.collect());
        known != self.data
    }

    /// How long to wait if nothing happens.
    pub(super) fn patience(&self) -> Duration {
        let by = self.next.by.map(|by| by.saturating_duration_since(Instant::now()));
        let wake = self.next.wake.map(|wake| left(wake, self.workspace.clock.now()));
        let poll = self.options.poll.or(self.blind.is_some().then_some(POLL));
        [by, wake, poll].into_iter().flatten().fold(self.options.turn, Duration::min)
    }
}

/// How long it is until then, by a clock that may be set at any time: whoever waits asks again before long.
fn left(wake: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(wake.duration_since(now)).unwrap_or_default()
}
