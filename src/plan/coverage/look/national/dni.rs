//! Spain: DNI (eight digits and a letter) and NIE (X, Y or Z, seven digits, a letter). The letter is the
//! number's remainder by 23.

const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

pub(in super::super) fn looks(text: &str) -> bool {
    let bare: Vec<u8> = text
        .bytes()
        .filter(|b| !matches!(b, b'-' | b' ' | b'.'))
        .map(|b| b.to_ascii_uppercase())
        .collect();
    let Ok([first, middle @ .., letter]) = <[u8; 9]>::try_from(bare) else { return false };
    let leading = match first {
        b'X' => 0,
        b'Y' => 1,
        b'Z' => 2,
        digit if digit.is_ascii_digit() => u32::from(digit - b'0'),
        _ => return false,
    };
    if !middle.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let number = middle.iter().fold(leading, |number, digit| number * 10 + u32::from(digit - b'0'));
    let expected = usize::try_from(number % 23).ok().and_then(|at| LETTERS.get(at));
    number > 0 && expected == Some(&letter)
}
