//! France: the NIR, thirteen characters and a key: 97 minus the number's remainder by 97. Corsica's 2A and
//! 2B count as 19 and 18.

pub(in super::super) fn looks(text: &str) -> bool {
    let bare: Vec<u8> =
        text.bytes().filter(|b| *b != b' ').map(|b| b.to_ascii_uppercase()).collect();
    let Ok(mut number) = <[u8; 15]>::try_from(bare) else { return false };
    match (number[5], number[6]) {
        (b'2', b'A') => (number[5], number[6]) = (b'1', b'9'),
        (b'2', b'B') => (number[5], number[6]) = (b'1', b'8'),
        _ => {}
    }
    if !number.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let value =
        |digits: &[u8]| digits.iter().fold(0_u64, |n, digit| n * 10 + u64::from(digit - b'0'));
    let [sex, _, _, m1, m2, rest @ ..] = number;
    let month = value(&[m1, m2]);
    let [_, _, _, _, _, _, _, _, k1, k2] = rest;
    let [body @ .., _, _] = number;
    matches!(sex, b'1' | b'2' | b'3' | b'4' | b'7' | b'8')
        && matches!(month, 1..=12 | 20..=42 | 50..=99)
        && 97 - value(&body) % 97 == value(&[k1, k2])
}
