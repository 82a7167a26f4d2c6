//! What time it is: the system's clock, or a fixed one for tests.

use jiff::Timestamp;

/// Tells the time of a pass.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    /// The system's.
    #[default]
    System,
    /// Always this instant.
    Fixed(Timestamp),
}

impl Clock {
    /// Now, cut to the second: what the ledger and packages show.
    pub fn now(self) -> Timestamp {
        let now = match self {
            Self::System => Timestamp::now(),
            Self::Fixed(instant) => instant,
        };
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }
}
