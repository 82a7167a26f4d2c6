//! What a person can do for a task that does not get on by itself.

use crate::model::{Phase, Reason};
use crate::plan::{FailureKind, TaskState};

/// What to do; `None` where nothing needs to be done.
pub(super) fn advice(state: &TaskState, overdue: bool) -> Option<&'static str> {
    let kind = state.failure.as_ref().map(|failure| failure.kind);
    Some(match (state.phase, state.reason?) {
        (Phase::Blocked, Reason::Held) if overdue => {
            "it is overdue and waits for the hold: extend it (extension: {until, reason}), or remove the hold"
        }
        (Phase::Blocked, Reason::Held) => "nothing: it resumes when the hold lapses",
        (Phase::Blocked, Reason::Suspended) => "remove suspend: true from the request to go on",
        (Phase::Blocked, Reason::LimitExceeded) => {
            "look at `amparo plan`: narrow the block by only, lift the limit for it by an Approval (liftLimits: true), or raise it in Settings"
        }
        (Phase::Blocked, Reason::IdentityConflict) => {
            "linked rows name somebody else: look with `amparo find`, then set acceptConflicts: true, or mend the data"
        }
        (Phase::Blocked, Reason::NeedsApproval) => {
            "do what the message asks for: commit an Approval that names the effectId, or bring the dataset or hold back to the policies (or name it under retired in Settings)"
        }
        (Phase::Blocked, Reason::Orphaned) => {
            "bring the request back, or commit it with withdrawn: true"
        }
        (Phase::Failed, Reason::Sealed) => {
            "give the key that opens it: --identity FILE or AMPARO_IDENTITY; then it is tried at once"
        }
        (Phase::Failed, reason) => match (kind, reason) {
            (Some(FailureKind::Configuration), _) => {
                "mend the policy, the key or the data that the message names; then it is tried at once"
            }
            (Some(FailureKind::Data), _) => {
                "mend, replace or remove the file that the message names; then it is tried at once"
            }
            (_, Reason::Conflict) => {
                "other writers change the files: run `amparo apply` when they rest"
            }
            (Some(FailureKind::Transient), _) => {
                "look at the disk, its space and its permissions; `amparo apply` tries at once"
            }
            (None, _) => "mend what the message names, then run `amparo apply`",
        },
        (Phase::Rejected, _) => "`amparo check` shows the line: mend it",
        _ if overdue => {
            "it is overdue: run `amparo apply`, or extend it (extension: {until, reason})"
        }
        _ => return None,
    })
}
