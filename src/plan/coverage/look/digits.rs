//! Digits and what stands between them.

/// The digits of a text that holds nothing but ASCII digits and the separators given, between `least` and
/// `most` of them; `None` otherwise. No separator stands at the start or end.
pub(super) fn grouped(
    text: &str,
    separators: &[char],
    least: usize,
    most: usize,
) -> Option<Vec<u8>> {
    let ends = [text.chars().next(), text.chars().next_back()];
    if !ends.iter().all(|end| end.is_some_and(|c| c.is_ascii_digit())) {
        return None;
    }
    let mut digits = Vec::with_capacity(most);
    for c in text.chars() {
        match c.to_digit(10).and_then(|digit| u8::try_from(digit).ok()) {
            Some(digit) => digits.push(digit),
            None if separators.contains(&c) => {}
            None => return None,
        }
        if digits.len() > most {
            return None;
        }
    }
    (digits.len() >= least).then_some(digits)
}

/// Exactly `N` digits of a text as [`grouped`] reads it.
pub(super) fn exactly<const N: usize>(text: &str, separators: &[char]) -> Option<[u8; N]> {
    grouped(text, separators, N, N)?.try_into().ok()
}

/// Whether all digits are the same one: such numbers pass many check sums and are nobody's.
pub(super) fn all_same(digits: &[u8]) -> bool {
    digits.windows(2).all(|pair| matches!(pair, [a, b] if a == b))
}
