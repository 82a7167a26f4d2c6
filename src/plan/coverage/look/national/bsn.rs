//! Netherlands: the BSN, nine digits that pass the eleven test: weights 9 to 2, and -1 for the last.

use super::super::digits::{all_same, exactly};

pub(in super::super) fn looks(text: &str) -> bool {
    let Some(digits) = exactly::<9>(text, &['.', ' ']) else { return false };
    let [rest @ .., last] = digits;
    let sum: u32 =
        rest.iter().zip((2..=9_u32).rev()).map(|(d, weight)| u32::from(*d) * weight).sum();
    !all_same(&digits) && sum % 11 == u32::from(last)
}
