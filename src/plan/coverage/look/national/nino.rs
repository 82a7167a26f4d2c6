//! UK: National Insurance numbers, two letters, six digits, and A to D. No check digit; the prefixes that
//! are never issued do not count.

const NEVER: [&[u8; 2]; 7] = [b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"];

pub(in super::super) fn looks(text: &str) -> bool {
    let bare: Vec<u8> =
        text.bytes().filter(|b| *b != b' ').map(|b| b.to_ascii_uppercase()).collect();
    let Ok([first, second, digits @ .., suffix]) = <[u8; 9]>::try_from(bare) else { return false };
    let letter = |b: u8| b.is_ascii_uppercase() && !b"DFIQUV".contains(&b);
    letter(first)
        && letter(second)
        && second != b'O'
        && !NEVER.contains(&&[first, second])
        && digits.iter().all(u8::is_ascii_digit)
        && (b'A'..=b'D').contains(&suffix)
}
