//! Approvals: that a person has looked at what one task would do.

use super::{Name, Position};

/// An Approval document, of the directory of approvals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// `metadata.name`.
    pub name: Name,
    /// The request.
    pub request: Name,
    /// The block of it.
    pub key: String,
    /// What was approved: the `effectId` that the plan showed.
    pub effect: EffectId,
    /// The block may go beyond the safety limits (RULES.md section 6).
    pub lift_limits: bool,
    /// Rows that name somebody else are no conflict of the block (RULES.md section 3).
    pub accept_conflicts: bool,
    /// Why; there where limits are lifted or conflicts accepted.
    pub reason: Option<String>,
    /// Where the document starts.
    pub position: Position,
}

/// What a task would do, as four digests of 16 hex digits joined by `-`: what the task is, what the policies
/// do with it, the files, the counts. Four, so that whoever compares two can say what changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EffectId([String; 4]);

impl EffectId {
    /// What the parts stand for, in order.
    pub const PARTS: [&'static str; 4] = ["the request", "the policies", "the files", "the counts"];

    /// From digests in hex, each of which is cut to 16 digits.
    pub fn new(parts: [&str; 4]) -> Self {
        Self(parts.map(|part| part.chars().take(16).collect()))
    }

    /// As it was written; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('-').collect();
        let hex = |part: &str| {
            part.len() == 16 && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        match parts.as_slice() {
            [a, b, c, d] if parts.iter().all(|part| hex(part)) => Some(Self::new([a, b, c, d])),
            _ => None,
        }
    }

    /// Whether it is an effect of the task with this digest (in hex, as [`Self::new`] takes it), whatever
    /// that would do.
    pub fn is_of(&self, task: &str) -> bool {
        task.get(..16) == Some(self.0[0].as_str())
    }

    /// What is no longer as it was, in words.
    pub fn changed(&self, since: &Self) -> Vec<&'static str> {
        let pairs = self.0.iter().zip(&since.0).zip(Self::PARTS);
        pairs.filter(|((now, then), _)| now != then).map(|(_, part)| part).collect()
    }
}

impl std::fmt::Display for EffectId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_are_read_as_written_and_say_what_changed() {
        let digest = |digit: &str| digit.repeat(64);
        let [a, b, c] = ["a", "b", "c"].map(digest);
        let one = EffectId::new([&a, &b, &c, &a]);
        assert_eq!(EffectId::parse(&one.to_string()), Some(one.clone()));
        let other = EffectId::new([&a, &c, &c, &b]);
        assert_eq!(other.changed(&one), ["the policies", "the counts"]);
        assert!(other.is_of(&a) && !other.is_of(&b));
        for wrong in ["", "a-b-c-d", &one.to_string().to_uppercase(), &format!("{one}-{a}")] {
            assert_eq!(EffectId::parse(wrong), None);
        }
    }
}
