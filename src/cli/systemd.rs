//! Tells systemd how the daemon fares (`sd_notify(3)`); without systemd nothing happens.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// The service manager.
pub(crate) struct Systemd {
    /// How often it wants to hear of us: half of `WATCHDOG_USEC`.
    every: Option<Duration>,
    told: Option<Instant>,
    ready: bool,
}

impl Systemd {
    /// As the environment says.
    pub(crate) fn new() -> Self {
        let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
        let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let every = number("WATCHDOG_USEC").filter(|usec| ours && *usec > 0);
        Self { every: every.map(|usec| Duration::from_micros(usec / 2)), told: None, ready: false }
    }

    /// How often [`Systemd::alive`] must be called.
    pub(crate) const fn every(&self) -> Option<Duration> {
        self.every
    }

    /// The daemon watches, and its first pass begins.
    pub(crate) fn ready(&mut self) {
        if !std::mem::replace(&mut self.ready, true) {
            tell(NotifyState::Ready);
        }
    }

    /// What it does, in a few words.
    pub(crate) fn status(&self, text: &str) {
        tell(NotifyState::Status(text));
    }

    /// The loop, or the pass in it, has come a step further.
    pub(crate) fn alive(&mut self) {
        let Some(every) = self.every else { return };
        if self.told.is_none_or(|told| told.elapsed() >= every / 2) {
            self.told = Some(Instant::now());
            tell(NotifyState::Watchdog);
        }
    }
}

/// The daemon has been asked to stop.
pub(crate) fn stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(false, &[state]) {
        tracing::debug!(kind = %error.kind(), "the service manager does not listen");
    }
}
