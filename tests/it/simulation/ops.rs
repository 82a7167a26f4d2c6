//! What may happen to the simulated world between two passes.

use proptest::collection::vec;
use proptest::prelude::*;

/// One thing that somebody does. Numbers choose among what is there, so that any sequence of steps
/// means something, and a part of one still does.
#[derive(Debug, Clone)]
pub(super) enum Op {
    /// A new request file.
    AddRequest(u64),
    /// A change of a request file.
    EditRequest(u8, Edit),
    /// A request file disappears.
    RemoveRequest(u8),
    /// One that disappeared comes back as it was.
    ReturnRequest(u8),
    /// A request file gets another name.
    RenameRequest(u8),
    /// A new data file.
    AddFile(u64),
    /// Rows are added to a file, which its writer replaces.
    AppendRows(u8, u64),
    /// A file's rows are others now.
    ReplaceFile(u8, u64),
    /// A file is as it was when it first came: somebody brought a backup back.
    RestoreFile(u8),
    /// A data file disappears.
    RemoveFile(u8),
    /// A data file cannot be read any more.
    BreakFile(u8, Damage),
    /// What cannot be read can be read again.
    MendFiles,
    /// A hold, for some days.
    AddHold(u64),
    /// A hold disappears from the policies.
    RemoveHold(u8),
    /// One that disappeared is let go by name.
    RetireHolds,
    /// All holds that disappeared come back.
    ReturnHolds,
    /// The policy of a dataset disappears.
    RemoveTenants,
    /// And comes back.
    ReturnTenants,
    /// It is let go by name.
    RetireTenants,
    /// A field gets a `DEL-*` label.
    WidenPolicy,
    /// A policy file cannot be read for a while.
    BreakPolicies,
    /// And can be read again.
    MendPolicies,
    /// Hours pass.
    Hours(u8),
    /// Weeks pass.
    Weeks(u8),
    /// The clock jumps back by hours.
    ClockBack(u8),
}

/// A change of a request.
#[derive(Debug, Clone)]
pub(super) enum Edit {
    Identities(u64),
    Actions,
    Include(u64),
    Only(u64),
    Expand,
    Method,
    Standing,
    Accept,
    Suspend,
    Withdraw,
    Extend(u8),
    Block(u64),
    /// It says nothing valid for a while, or says it again.
    Break,
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Damage {
    Empty,
    Cut,
    Garbage,
}

/// How the pass after a step goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Run {
    /// To its end.
    Whole,
    /// It is cut off after that many events.
    Cut(u8),
    /// Two at once.
    Two,
    /// A real process, killed once it has said so many lines.
    Killed(u8),
}

/// Some operations, and a pass.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) ops: Vec<Op>,
    pub(super) run: Run,
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        2 => any::<u64>().prop_map(Edit::Identities),
        1 => Just(Edit::Actions),
        1 => any::<u64>().prop_map(Edit::Include),
        1 => any::<u64>().prop_map(Edit::Only),
        1 => Just(Edit::Expand),
        1 => Just(Edit::Method),
        2 => Just(Edit::Standing),
        1 => Just(Edit::Accept),
        3 => Just(Edit::Suspend),
        2 => Just(Edit::Withdraw),
        2 => any::<u8>().prop_map(Edit::Extend),
        1 => any::<u64>().prop_map(Edit::Block),
        2 => Just(Edit::Break),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let damage = prop_oneof![Just(Damage::Empty), Just(Damage::Cut), Just(Damage::Garbage)];
    prop_oneof![
        14 => any::<u64>().prop_map(Op::AddRequest),
        8 => (any::<u8>(), edit()).prop_map(|(which, edit)| Op::EditRequest(which, edit)),
        3 => any::<u8>().prop_map(Op::RemoveRequest),
        3 => any::<u8>().prop_map(Op::ReturnRequest),
        1 => any::<u8>().prop_map(Op::RenameRequest),
        6 => any::<u64>().prop_map(Op::AddFile),
        4 => (any::<u8>(), any::<u64>()).prop_map(|(which, seed)| Op::AppendRows(which, seed)),
        2 => (any::<u8>(), any::<u64>()).prop_map(|(which, seed)| Op::ReplaceFile(which, seed)),
        2 => any::<u8>().prop_map(Op::RestoreFile),
        2 => any::<u8>().prop_map(Op::RemoveFile),
        2 => (any::<u8>(), damage).prop_map(|(which, damage)| Op::BreakFile(which, damage)),
        3 => Just(Op::MendFiles),
        4 => any::<u64>().prop_map(Op::AddHold),
        2 => any::<u8>().prop_map(Op::RemoveHold),
        1 => Just(Op::RetireHolds),
        2 => Just(Op::ReturnHolds),
        1 => Just(Op::RemoveTenants),
        2 => Just(Op::ReturnTenants),
        1 => Just(Op::RetireTenants),
        1 => Just(Op::WidenPolicy),
        1 => Just(Op::BreakPolicies),
        2 => Just(Op::MendPolicies),
        4 => any::<u8>().prop_map(Op::Hours),
        3 => any::<u8>().prop_map(Op::Weeks),
        1 => any::<u8>().prop_map(Op::ClockBack),
    ]
}

/// How passes in this process go.
pub(super) fn passes() -> impl Strategy<Value = Run> {
    prop_oneof![
        6 => Just(Run::Whole),
        3 => any::<u8>().prop_map(Run::Cut),
        1 => Just(Run::Two),
    ]
}

/// How passes of real processes go.
pub(super) fn processes() -> impl Strategy<Value = Run> {
    any::<u8>().prop_map(Run::Killed)
}

/// A history of so many steps.
pub(super) fn history(
    steps: usize,
    run: impl Strategy<Value = Run>,
) -> impl Strategy<Value = Vec<Step>> {
    let step = (vec(op(), 1..4), run).prop_map(|(ops, run)| Step { ops, run });
    vec(step, 1..=steps)
}
