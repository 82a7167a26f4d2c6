//! Asks a pass to come to an end: set by a signal, seen between files and tasks.
//!
//! Guarantees: once asked, always asked. A pass that sees it finishes or abandons the file in work,
//! records what is done, and ends with [`PassError::Interrupted`].

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::erase::{Fault, Faults, Step};

use super::PassError;

/// What asks for the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// The request to stop, shared by all who may make or see it.
#[derive(Clone, Default)]
pub struct Stop(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// 0: go on.
    asked: AtomicU8,
    /// Who sleeps, and must be woken to see it.
    wakers: Mutex<Vec<Box<dyn Fn() + Send>>>,
}

impl Stop {
    /// Asks. The first signal counts.
    pub fn ask(&self, signal: Signal) {
        let number = match signal {
            Signal::Interrupt => 1,
            Signal::Terminate => 2,
        };
        let _ = self.0.asked.compare_exchange(0, number, Ordering::SeqCst, Ordering::SeqCst);
        for wake in self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            wake();
        }
    }

    /// What has asked, if anything has.
    pub fn asked(&self) -> Option<Signal> {
        match self.0.asked.load(Ordering::SeqCst) {
            0 => None,
            1 => Some(Signal::Interrupt),
            _ => Some(Signal::Terminate),
        }
    }

    /// Ends a pass that was asked to.
    ///
    /// # Errors
    /// [`PassError::Interrupted`].
    pub fn check(&self) -> Result<(), PassError> {
        self.asked().map_or(Ok(()), |signal| Err(PassError::Interrupted(signal)))
    }

    /// Calls this when somebody asks.
    pub fn wakes(&self, wake: impl Fn() + Send + 'static) {
        self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(wake));
    }
}

/// Lets go of a file in work once the end is asked for; what is proven by then is kept.
impl Faults for Stop {
    fn after(&self, step: Step) -> Result<(), Fault> {
        match self.asked() {
            Some(_) if step < Step::Proved => {
                Err(Fault::Fail(std::io::ErrorKind::Interrupted.into()))
            }
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Stop").field(&self.asked()).finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_first_signal_counts_and_every_one_wakes() {
        let (stop, woken) = (Stop::default(), Arc::new(AtomicU8::new(0)));
        let count = Arc::clone(&woken);
        stop.wakes(move || {
            count.fetch_add(1, Ordering::SeqCst);
        });
        stop.check().unwrap();
        let other = stop.clone();
        other.ask(Signal::Terminate);
        other.ask(Signal::Interrupt);
        assert_eq!(stop.asked(), Some(Signal::Terminate));
        assert!(matches!(stop.check(), Err(PassError::Interrupted(Signal::Terminate))));
        assert_eq!(woken.load(Ordering::SeqCst), 2);
    }
}
