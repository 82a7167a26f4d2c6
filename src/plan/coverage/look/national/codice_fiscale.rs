//! Italy: the codice fiscale of a person, sixteen characters, the last a check letter modulo 26.

/// What the characters of odd places count, 0 to 9 as A to J.
const ODD: [u32; 26] =
    [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/// Letters that stand for digits where two people would have the same code.
const DIGIT_LETTERS: &[u8; 10] = b"LMNPQRSTUV";

pub(in super::super) fn looks(text: &str) -> bool {
    let bare: Vec<u8> =
        text.bytes().filter(|b| *b != b' ').map(|b| b.to_ascii_uppercase()).collect();
    let Ok(code) = <[u8; 16]>::try_from(bare) else { return false };
    let digit = |b: u8| b.is_ascii_digit() || DIGIT_LETTERS.contains(&b);
    let shaped = code.iter().enumerate().all(|(at, b)| match at {
        6 | 7 | 9 | 10 | 12 | 13 | 14 => digit(*b),
        8 => b"ABCDEHLMPRST".contains(b),
        _ => b.is_ascii_uppercase(),
    });
    let [body @ .., check] = code;
    shaped && check_letter(&body) == check
}

fn check_letter(body: &[u8; 15]) -> u8 {
    let sum: u32 = body
        .iter()
        .enumerate()
        .map(|(at, b)| {
            let value = if b.is_ascii_digit() { b - b'0' } else { b.wrapping_sub(b'A') };
            match at % 2 {
                0 => ODD.get(usize::from(value)).copied().unwrap_or(0),
                _ => u32::from(value),
            }
        })
        .sum();
    u8::try_from(sum % 26).map_or(0, |at| b'A' + at)
}
