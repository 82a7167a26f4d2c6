//! What a pass tells whoever watches it: counts and names, never values.

/// A step of a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A stage began: `reading`, `searching`, `measuring`, `compiling`, `erasing`.
    Stage {
        /// Its name, in the present.
        name: &'static str,
        /// Steps to come; 0: unknown.
        steps: u64,
    },
    /// One step of the stage is done.
    Step {
        /// What was done: a dataset, a file, a task.
        what: String,
    },
    /// A file was erased from: its new form is in its place.
    Erased(Measured),
    /// Something that a person should see although the pass goes on.
    Notice {
        /// A sentence.
        text: String,
    },
}

/// What the rewrite of one file came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measured {
    /// Rows in which a cell changed, or that went; one that two tasks changed counts for each.
    pub rows_erased: u64,
    /// Cells that changed.
    pub cells_erased: u64,
    /// Bytes that were taken over as they were.
    pub bytes_copied: u64,
    /// Bytes of pages that were encoded again.
    pub bytes_reencoded: u64,
}

/// Where events go.
pub trait Events {
    /// Takes one event.
    fn event(&mut self, event: Event);
}

/// Throws events away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Events for Silent {
    fn event(&mut self, _event: Event) {}
}
