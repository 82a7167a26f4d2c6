//! Telephone numbers: E.164 with its `+`, and national forms with their grouping. Bare digits count only
//! where the column's name says phone: anything is a number of ten digits.

use super::digits::grouped;

const SEPARATORS: [char; 6] = [' ', '-', '.', '/', '(', ')'];

/// E.164, or a grouped national number.
pub(super) fn looks(text: &str) -> bool {
    international(text) || national(text)
}

/// The same, and digits in any grouping or none.
pub(super) fn fits(text: &str) -> bool {
    let bare = |text| grouped(without_sign(text), &SEPARATORS, 7, 15).is_some();
    looks(text) || bare(text) && !super::ip::looks(text) && !is_date_like(text)
}

/// Without what may stand before the first digit.
fn without_sign(text: &str) -> &str {
    let text = text.strip_prefix("tel:").unwrap_or(text);
    text.strip_prefix(['+', '(']).unwrap_or(text)
}

/// `+` or `00`, then a country code that does not start with 0, 8 to 15 digits in all.
fn international(text: &str) -> bool {
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let (rest, spelled) = match text.strip_prefix('+') {
        Some(rest) => (rest, true),
        None => match text.strip_prefix("00") {
            Some(rest) => (rest, false),
            None => return false,
        },
    };
    let rest = rest.trim_start();
    // `00` begins many numbers that are no phone's: it needs the grouping that people write.
    let grouping = rest.contains(SEPARATORS);
    (spelled || grouping)
        && !rest.starts_with('0')
        && grouped(rest, &SEPARATORS, 8, 15).is_some()
        && !is_date_like(text)
}

/// `(555) 234-5678`, `555-234-5678` (North America); `030 1234567`, `0171-1234567`, `01 23 45 67 89`.
fn national(text: &str) -> bool {
    if is_date_like(text) || super::ip::looks(text) {
        return false;
    }
    let opened = text.starts_with('(') && text.contains(')');
    let bare = text.strip_prefix('(').unwrap_or(text);
    let Some(digits) = grouped(bare, &SEPARATORS, 9, 12) else { return false };
    let lengths: Vec<usize> =
        bare.split(SEPARATORS).map(str::len).filter(|length| *length > 0).collect();
    let grouping = bare.contains([' ', '-', '/', ')']) || bare.matches('.').count() >= 2;
    grouping
        && (has_trunk(&digits, &lengths)
            || opened && digits.len() >= 10
            || is_north_american(&digits, &lengths))
}

/// An area that starts with one 0 and has more digits: not an ISBN (`0-306-40615-2`), not a ZIP+4 code.
fn has_trunk(digits: &[u8], lengths: &[usize]) -> bool {
    matches!(digits, [0, second, ..] if *second != 0)
        && lengths.first().is_some_and(|first| *first > 1)
        && lengths != [5, 4]
}

/// Three digits, three, and four; area and exchange start with 2 to 9.
fn is_north_american(digits: &[u8], lengths: &[usize]) -> bool {
    let digits = match (digits, lengths) {
        ([1, rest @ ..], [1, 3, 3, 4]) => rest,
        (all, [3, 3, 4]) => all,
        _ => return false,
    };
    digits.first().is_some_and(|d| *d >= 2) && digits.get(3).is_some_and(|d| *d >= 2)
}

/// A year, a month and more, separated: `2026-11-22`, `2026/11/22 10`.
fn is_date_like(text: &str) -> bool {
    let mut parts = text.split(['-', '/', '.', ' ']);
    let number = |part: Option<&str>, length: usize| {
        part.filter(|part| part.len() == length).and_then(|part| part.parse::<u32>().ok())
    };
    let (first, second, third) = (parts.next(), parts.next(), parts.next());
    let day_month = |a, b| {
        number(a, 2).is_some_and(|a| (1..=31).contains(&a))
            && number(b, 2).is_some_and(|b| (1..=31).contains(&b))
    };
    let year = |part| number(part, 4).is_some_and(|year| (1800..=2200).contains(&year));
    year(first) && day_month(second, third) || day_month(first, second) && year(third)
}
