//! What wakes the daemon: it says that something happened, never what.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// After a ring it must be quiet for that long before anyone looks.
const QUIET: Duration = Duration::from_millis(200);

/// But nobody waits longer than that for quiet.
const MOST: Duration = Duration::from_secs(2);

/// Many rings before anyone listens are one.
#[derive(Debug)]
pub(super) struct Bell {
    rope: Rope,
    rung: Receiver<()>,
}

/// Rings.
#[derive(Debug, Clone)]
pub(super) struct Rope(SyncSender<()>);

impl Rope {
    pub(super) fn pull(&self) {
        // Full: it has been rung, and nobody has listened yet.
        let _ = self.0.try_send(());
    }
}

impl Bell {
    pub(super) fn new() -> Self {
        let (rope, rung) = sync_channel(1);
        Self { rope: Rope(rope), rung }
    }

    pub(super) fn rope(&self) -> Rope {
        self.rope.clone()
    }

    /// Waits for a ring, at most `patience`, by a clock that never jumps; after a ring until it is quiet,
    /// or `hurry` says so. Whether it rang.
    pub(super) fn wait(&self, patience: Duration, hurry: impl Fn() -> bool) -> bool {
        if self.rung.recv_timeout(patience).is_err() {
            return false;
        }
        let rung = Instant::now();
        while !hurry() && rung.elapsed() < MOST && self.rung.recv_timeout(QUIET).is_ok() {}
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn many_rings_are_one_and_none_is_lost() {
        let bell = Bell::new();
        for _ in 0..1_000 {
            bell.rope().pull();
        }
        assert!(bell.wait(Duration::from_secs(600), || false));
        assert!(!bell.wait(Duration::ZERO, || false));
        bell.rope().pull();
        assert!(bell.wait(Duration::ZERO, || true));
    }

    #[test]
    fn a_storm_does_not_keep_it_for_ever() {
        let bell = Bell::new();
        let rope = bell.rope();
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(std::sync::atomic::Ordering::SeqCst) {
                    rope.pull();
                    std::thread::yield_now();
                }
            });
            assert!(bell.wait(Duration::from_secs(600), || false));
            over.store(true, std::sync::atomic::Ordering::SeqCst);
        });
    }
}
