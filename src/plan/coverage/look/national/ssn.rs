//! US social security numbers: no check digit, so the hyphens must be there unless the column's name says so.

use super::super::digits::{all_same, exactly};

/// `AAA-GG-SSSS`.
pub(in super::super) fn looks(text: &str) -> bool {
    let hyphens: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
    hyphens == [3, 6] && fits(text)
}

/// Nine digits, grouped or not, of a kind that is issued.
pub(in super::super) fn fits(text: &str) -> bool {
    let Some(digits) = exactly::<9>(text, &['-', ' ']) else { return false };
    let [a, b, c, group @ .., _, _, _, _] = digits;
    let area = [a, b, c];
    let serial = digits.last_chunk::<4>();
    area != [0; 3]
        && area != [6; 3]
        && a != 9
        && group != [0; 2]
        && serial.is_some_and(|serial| *serial != [0; 4])
        && !all_same(&digits)
}
