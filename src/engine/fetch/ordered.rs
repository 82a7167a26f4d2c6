//! Work on several items at once whose results come in pieces, and are taken in order.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

/// Takes a piece; a `Break` ends the work.
pub(super) type Take<'a, P> = &'a mut dyn FnMut(P) -> ControlFlow<()>;

/// Pieces of one item that may wait.
const AHEAD: usize = 1;

/// Has `make` make the pieces of each item, up to `jobs` items at a time, and hands them to `take` on this
/// thread: items in order, the pieces of one as they come. A `Break` of `take` ends it early, as a success.
///
/// Guarantees: the error is that of the first item that has one, after all pieces before it; no more
/// than [`AHEAD`] pieces wait for each of `2 * jobs` items.
pub(super) fn in_order<T: Sync, P: Send, E: Send>(
    jobs: usize,
    items: &[T],
    make: impl Fn(&T, Take<'_, P>) -> Result<(), E> + Sync,
    take: Take<'_, P>,
) -> Result<(), E> {
    let workers = jobs.min(items.len());
    if workers < 2 {
        let mut broken = false;
        for item in items {
            make(item, &mut |piece| {
                let flow = take(piece);
                broken = flow.is_break();
                flow
            })?;
            if broken {
                break;
            }
        }
        return Ok(());
    }
    let (streams, taken) = sync_channel(workers);
    let next = Mutex::new(items.iter());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let (next, make, streams) = (&next, &make, streams.clone());
            scope.spawn(move || work(next, make, &streams));
        }
        drop(streams);
        take_all(taken, take)
    })
}

type Stream<P, E> = Receiver<Result<P, E>>;

/// Takes items until there are none, or nobody wants their pieces.
fn work<'a, T: 'a, P, E>(
    next: &Mutex<impl Iterator<Item = &'a T>>,
    make: &impl Fn(&T, Take<'_, P>) -> Result<(), E>,
    streams: &SyncSender<Stream<P, E>>,
) {
    loop {
        // The lock is held until the stream is in its place: streams come in the order of their items.
        let mut items = next.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(item) = items.next() else { return };
        let (pieces, stream) = sync_channel(AHEAD);
        if streams.send(stream).is_err() {
            return;
        }
        drop(items);
        let send = |piece| match pieces.send(piece) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        if let Err(error) = make(item, &mut |piece| send(Ok(piece))) {
            let _ = send(Err(error));
        }
    }
}

/// What is not taken is dropped on return, and tells the workers to stop.
fn take_all<P, E>(streams: Receiver<Stream<P, E>>, take: Take<'_, P>) -> Result<(), E> {
    for stream in streams {
        for piece in stream {
            if take(piece?).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Item n has n pieces; item 7 fails after its third if asked to.
    fn run(jobs: usize, fails: bool, most: usize) -> (Vec<(u32, u32)>, Result<(), u32>, usize) {
        let items: Vec<u32> = (0..50).collect();
        let (mut taken, made) = (Vec::new(), AtomicUsize::new(0));
        let make = |item: &u32, take: Take<'_, (u32, u32)>| {
            for piece in 0..*item {
                if fails && [(7, 3), (40, 0)].contains(&(*item, piece)) {
                    return Err(*item);
                }
                made.fetch_add(1, Ordering::Relaxed);
                if take((*item, piece)).is_break() {
                    break;
                }
            }
            Ok(())
        };
        let outcome = in_order(jobs, &items, make, &mut |piece| {
            taken.push(piece);
            if taken.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (taken, outcome, made.into_inner())
    }

    #[test]
    fn pieces_come_in_order_however_many_work() {
        let expected: Vec<(u32, u32)> =
            (0..50).flat_map(|item| (0..item).map(move |piece| (item, piece))).collect();
        for jobs in [1, 2, 5, 100] {
            let (taken, outcome, _) = run(jobs, false, usize::MAX);
            assert_eq!((taken, outcome), (expected.clone(), Ok(())));
        }
    }

    #[test]
    fn the_first_error_counts_after_what_came_before_it() {
        for jobs in [1, 3] {
            let (taken, outcome, _) = run(jobs, true, usize::MAX);
            assert_eq!((taken.len(), outcome), (21 + 3, Err(7)));
        }
    }

    #[test]
    fn a_break_ends_it_and_nobody_works_far_ahead() {
        for jobs in [1, 2, 4] {
            let (taken, outcome, made) = run(jobs, true, 10);
            assert_eq!((taken.len(), outcome), (10, Ok(())));
            assert!(made <= 10 + 2 * (AHEAD + 1) * 2 * jobs, "{made} with {jobs}");
        }
    }
}
