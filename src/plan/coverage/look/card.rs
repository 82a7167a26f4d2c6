//! Payment cards (ISO/IEC 7812): a known issuer's prefix and length, and Luhn's check digit.

use super::digits::{all_same, grouped};

pub(super) fn looks(text: &str) -> bool {
    let Some(digits) = grouped(text, &[' ', '-'], 12, 19) else { return false };
    is_issued(&digits) && luhn(&digits) && !all_same(&digits)
}

/// Whether a network issues numbers of this prefix and length.
fn is_issued(digits: &[u8]) -> bool {
    let prefix = |length: usize| {
        digits.iter().take(length).fold(0_u32, |number, digit| number * 10 + u32::from(*digit))
    };
    let (length, two, three, four) = (digits.len(), prefix(2), prefix(3), prefix(4));
    match two {
        40..=49 => matches!(length, 13 | 16 | 19),
        34 | 37 => length == 15,
        51..=55 => length == 16,
        22..=27 => length == 16 && (2221..=2720).contains(&four),
        30 => (300..=305).contains(&three) && (14..=19).contains(&length),
        36 | 38 | 39 => (14..=19).contains(&length),
        35 => (3528..=3589).contains(&four) && (16..=19).contains(&length),
        62 => (16..=19).contains(&length),
        60 if four == 6011 => (16..=19).contains(&length),
        64 => (644..=649).contains(&three) && (16..=19).contains(&length),
        65 => (16..=19).contains(&length),
        _ => matches!(four, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763),
    }
}

/// Every second digit from the right doubled, its digits added: a multiple of ten.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(*digit);
            match (at % 2, digit) {
                (0, digit) => digit,
                (_, digit) if digit > 4 => digit * 2 - 9,
                (_, digit) => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}
