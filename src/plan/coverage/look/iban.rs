//! IBANs (ISO 13616): the country's length, and 1 modulo 97.

/// Countries of the registry, each with the length of its IBANs.
const LENGTHS: &str = "\
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 \
    DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 \
    IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 \
    MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 \
    SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30";

pub(super) fn looks(text: &str) -> bool {
    let bare: Vec<u8> =
        text.bytes().filter(|b| *b != b' ').map(|b| b.to_ascii_uppercase()).collect();
    let Some((country, rest)) = bare.split_first_chunk::<2>() else { return false };
    let entry = LENGTHS.split(' ').find(|entry| entry.as_bytes().starts_with(country));
    let length = entry.and_then(|entry| entry.get(2..)?.parse().ok());
    let Some((check, account)) = rest.split_first_chunk::<2>() else { return false };
    length == Some(bare.len())
        && check.iter().all(u8::is_ascii_digit)
        && account.iter().all(u8::is_ascii_alphanumeric)
        && modulo_97(account.iter().chain(country).chain(check)) == 1
}

/// The number that the characters spell, letters as 10 to 35, modulo 97.
fn modulo_97<'a>(characters: impl Iterator<Item = &'a u8>) -> u32 {
    characters.fold(0, |rest, character| {
        let value = char::from(*character).to_digit(36).unwrap_or(0);
        if value < 10 { (rest * 10 + value) % 97 } else { (rest * 100 + value) % 97 }
    })
}
