//! Germany: the tax identification number (IdNr), eleven digits, the last by ISO 7064 MOD 11,10. Of the
//! first ten exactly one digit is there twice or three times.

use super::super::digits::exactly;

pub(in super::super) fn looks(text: &str) -> bool {
    let Some([rest @ .., check]) = exactly::<11>(text, &[' ', '/']) else { return false };
    rest.first() != Some(&0) && one_repeats(rest) && check_digit(&rest) == check
}

fn one_repeats(digits: [u8; 10]) -> bool {
    let mut counts = [0_u8; 10];
    for digit in digits {
        if let Some(count) = counts.get_mut(usize::from(digit)) {
            *count += 1;
        }
    }
    let repeated: Vec<u8> = counts.into_iter().filter(|count| *count > 1).collect();
    matches!(repeated.as_slice(), [2 | 3])
}

fn check_digit(digits: &[u8; 10]) -> u8 {
    let product = digits.iter().fold(10, |product, digit| {
        let sum = (u32::from(*digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    u8::try_from((11 - product) % 10).unwrap_or(0)
}
