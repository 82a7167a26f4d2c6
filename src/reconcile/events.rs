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
    /// Something that a person should see although the pass goes on.
    Notice {
        /// A sentence.
        text: String,
    },
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
