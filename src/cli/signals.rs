//! SIGINT and SIGTERM end the process with 130 and 143.
//!
//! Most commands end at once: they write nothing. `apply`, `watch` and `publish` are asked to stop, and finish or
//! abandon the file in work. A second signal ends at once, and so does a pass that does not come to an
//! end in time: whatever was recorded is done, and the next pass puts the rest right.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::reconcile::{Signal, Stop};

use super::error::ExitStatus;

/// How long a pass may take to come to an end: below ten seconds with all that is around it.
const DRAIN: Duration = Duration::from_millis(9_000);

/// What the first signal asks to stop.
static STOP: OnceLock<Stop> = OnceLock::new();

/// Whether it asks; else it ends the process at once.
static DRAINS: AtomicBool = AtomicBool::new(false);

/// What a pass that can be drained must look at.
pub(crate) fn stop() -> Stop {
    STOP.get_or_init(Stop::default).clone()
}

/// From now on the first signal asks.
pub(crate) fn drain() {
    DRAINS.store(true, Ordering::SeqCst);
}

/// Listens, on a thread of its own.
pub(crate) fn listen() {
    let listening = std::thread::Builder::new().name("signals".to_owned()).spawn(|| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let Ok(runtime) = runtime.enable_io().build() else { return };
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            let mut next = async || {
                tokio::select! {
                    _ = interrupt.recv() => Signal::Interrupt,
                    _ = terminate.recv() => Signal::Terminate,
                }
            };
            let first = next().await;
            if !DRAINS.load(Ordering::SeqCst) {
                end(first, "interrupted; everything done so far is recorded");
            }
            // First, and apart: nobody who hears of the signal can keep it from coming.
            let deadline =
                std::thread::Builder::new().name("deadline".to_owned()).spawn(move || {
                    std::thread::sleep(DRAIN);
                    end(
                        first,
                        "ended before the file in work was done; the next pass puts it right",
                    );
                });
            drop(deadline);
            stop().ask(first);
            end(next().await, "ended at once; the next pass puts right what was begun");
        });
    });
    drop(listening);
}

fn end(signal: Signal, text: &str) -> ! {
    let _ = writeln!(std::io::stderr(), "{text}");
    std::process::exit(ExitStatus::Signal(signal).code().into())
}
