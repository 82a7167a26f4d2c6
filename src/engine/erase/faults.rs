//! Where the work on a file can be cut off: by a pass that is asked to stop, and by tests, which hold that
//! every cut leaves the old file or the new one.

use std::io;

use super::error::Problem;

/// A step of the work on one file, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The file was found to be the planned one.
    Checked,
    /// The staged file is there, and empty.
    Created,
    /// One more column chunk of it is written.
    Chunk,
    /// It is written.
    Written,
    /// It is proven and on disk.
    Proved,
    /// It bears the name from which a swap can be undone.
    Ready,
    /// The file was found to be the planned one once more.
    Rechecked,
    /// The two files have changed places.
    Swapped,
    /// The displaced file was found to be the planned one.
    Judged,
    /// The other writer's file, which was displaced, is back in its place.
    Returned,
    /// Checksums and summaries beside the file are gone.
    Tidied,
    /// The superseded file is gone.
    Unlinked,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 12] = [
        Self::Checked,
        Self::Created,
        Self::Chunk,
        Self::Written,
        Self::Proved,
        Self::Ready,
        Self::Rechecked,
        Self::Swapped,
        Self::Judged,
        Self::Returned,
        Self::Tidied,
        Self::Unlinked,
    ];
}

/// How a step ends.
#[derive(Debug)]
pub enum Fault {
    /// The system refuses: the work is undone as far as it can be.
    Fail(io::Error),
    /// The process is killed: nothing is undone.
    Kill,
}

/// Called after each step.
pub trait Faults {
    /// `Err` ends the work there.
    ///
    /// # Errors
    /// What ends it.
    fn after(&self, step: Step) -> Result<(), Fault>;
}

/// No faults.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFaults;

impl Faults for NoFaults {
    fn after(&self, _: Step) -> Result<(), Fault> {
        Ok(())
    }
}

pub(crate) fn after(faults: &dyn Faults, step: Step) -> Result<(), Problem> {
    faults.after(step).map_err(|fault| match fault {
        Fault::Fail(source) => Problem::Io("work on", source),
        Fault::Kill => Problem::CutOff,
    })
}
