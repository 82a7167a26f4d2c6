//! `/healthz`: the loop lives. `/readyz`: it has done a pass, and could record another.

use std::io;

use crate::reconcile::Verdict;
use crate::reconcile::board::{Activity, Board};
use crate::store::StoreError;

/// Why the daemon is not alive, in a word.
pub(super) fn dead(board: &Board) -> Option<&'static str> {
    match board.activity() {
        Activity::Ended => Some("ended"),
        _ if board.alive() => None,
        _ => Some("stuck"),
    }
}

/// Why it is not ready, in a word. Looks at the disk.
pub(super) fn unready(board: &Board) -> Option<&'static str> {
    if board.activity() == Activity::Ended {
        return Some("ended");
    }
    let ledger = board.ledger().filter(|_| board.carried());
    let Some(ledger) = ledger else {
        return Some(match board.last().map(|last| last.verdict) {
            None => "starting",
            Some(Verdict::Invalid) => "invalid",
            Some(Verdict::Stale) => "busy",
            Some(_) => "failed",
        });
    };
    match ledger.state.writable() {
        Ok(()) => None,
        Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::StorageFull => {
            Some("full")
        }
        Err(_) => Some("unwritable"),
    }
}
