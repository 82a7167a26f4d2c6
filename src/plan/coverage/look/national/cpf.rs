//! Brazil: CPF, nine digits and two check digits modulo 11.

use super::super::digits::{all_same, exactly};

pub(in super::super) fn looks(text: &str) -> bool {
    let Some(digits) = exactly::<11>(text, &['.', '-']) else { return false };
    let [nine @ .., first, second] = digits;
    let [ten @ .., _] = digits;
    !all_same(&digits) && check(&nine) == first && check(&ten) == second
}

/// The digits weighted 2, 3, … from the right; eleven minus the remainder, 10 and 11 as 0.
fn check(digits: &[u8]) -> u8 {
    let sum: u32 =
        digits.iter().rev().zip(2_u32..).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    match sum % 11 {
        0 | 1 => 0,
        rest => u8::try_from(11 - rest).unwrap_or(0),
    }
}
