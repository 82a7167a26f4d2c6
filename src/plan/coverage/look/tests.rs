#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::{fits, looks};
use crate::plan::coverage::Likeness::{self, *};

#[track_caller]
fn all(likeness: Likeness, texts: &[&str]) {
    for text in texts {
        assert!(looks(likeness, text), "{text} is no {likeness:?}");
        assert!(fits(likeness, text), "{text} does not fit {likeness:?}");
    }
}

#[track_caller]
fn none(likeness: Likeness, texts: &[&str]) {
    for text in texts {
        assert!(!looks(likeness, text), "{text} is {likeness:?}");
    }
}

#[test]
fn email_addresses() {
    all(
        Email,
        &[
            "john@mail.com",
            "J.O'Neil+tag@sub.example.co.uk",
            "mailto:a@b.de",
            "jürgen@müller.de",
            "a@b.xn--p1ai",
        ],
    );
    none(
        Email,
        &[
            "john",
            "@mail.com",
            "john@",
            "john@mail",
            "a..b@c.de",
            ".a@c.de",
            "a@-c.de",
            "a@c..de",
            "a@c.d",
            "a b@c.de",
            "a@1.2.3.4",
            "user@host:22",
            "see a@b.de for more",
            "5AB13068374019BC@AdobeOrg",
        ],
    );
}

#[test]
fn texts_with_email_addresses() {
    all(
        EmailInside,
        &[
            "see a@b.de for more",
            "<ada@mail.example>",
            "Ada Lovelace <ada@mail.example>, Ben",
            "https://shop.example/cart?email=a%40b.com&id=7",
            "{\"to\":\"a@b.de\"}",
            "a@b.de; c@d.de.",
        ],
    );
    none(
        EmailInside,
        &[
            "a@b.de",
            "pkg@1.2.3",
            "https://x.example/@user/post",
            "5 @ 3.20",
            "@",
            "%40",
            "no address",
        ],
    );
}

#[test]
fn phone_numbers() {
    all(
        Phone,
        &[
            "+49 30 5550123",
            "+4930555012",
            "+1 (555) 234-5678",
            "tel:+15552345678",
            "0049 30 5550123",
            "(555) 234-5678",
            "555-234-5678",
            "555.234.5678",
            "1-555-234-5678",
            "030 1234567",
            "0171-1234567",
            "0171/1234567",
            "01 23 45 67 89",
            "+49 (0)30 123456",
        ],
    );
    none(
        Phone,
        &[
            "5552345678",
            "00493055501",
            "123456789012",
            "2026-11-22",
            "2026/11/22 10",
            "22.11.2026",
            "123-45-6789",
            "203.0.113.12",
            "+0 123 456 789",
            "+49",
            "+1234567890123456",
            "12345-6789",
            "155-234-5678",
            "9-8-7",
            "1234567.89",
            "0-306-40615-2",
            "01234-5678",
            "0.123456789",
            "+12 abc 34567",
        ],
    );
    for bare in ["5552345678", "4930555012", "(030)1234567", "5550123"] {
        assert!(fits(Phone, bare), "{bare}");
    }
    assert!(!fits(Phone, "123") && !fits(Phone, "iPhone 15") && !fits(Phone, "1234567890123456"));
}

#[test]
fn ip_addresses() {
    all(
        Ip,
        &[
            "203.0.113.7",
            "10.0.0.1",
            "203.0.113.7:8080",
            "2001:db8::1",
            "[2001:db8::1]:443",
            "fe80::1%eth0",
        ],
    );
    none(
        Ip,
        &[
            "120.0.0.0",
            "0.0.0.0",
            "127.0.0.1",
            "::",
            "::1",
            "256.1.1.1",
            "1.2.3",
            "119.0.6045.199",
            "12:30",
            "aa:bb:cc:dd:ee:ff",
            "203.0.113.7:http",
            "10.0.0.0/8",
            "01.02.03.04",
        ],
    );
}

#[test]
fn names_of_people_only_where_a_column_says_so() {
    for name in [
        "Ada",
        "Ada Lovelace",
        "Ludwig van Beethoven",
        "García Márquez, Gabriel",
        "O'Neil",
        "Jean-Luc",
        "J. R. Tolkien",
        "ANNA",
        "李小龙",
        "Gül",
    ] {
        assert!(fits(PersonName, name) && !looks(PersonName, name), "{name}");
    }
    for other in
        ["ada", "Ada1", "", "c12", "A B C D E F", "de la", "a@b.de", "New York 2026", "sku-17"]
    {
        assert!(!fits(PersonName, other), "{other}");
    }
}

#[test]
fn published_examples_pass_their_checks() {
    all(
        Iban,
        &[
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "GB82WEST12345698765432",
            "nl91abna0417164300",
            "NO9386011117947",
            "FR1420041010050500013M02606",
        ],
    );
    none(
        Iban,
        &["DE88370400440532013000", "DE8937040044053201300", "XX89370400440532013000", "DE", ""],
    );
    all(
        Card,
        &[
            "4111111111111111",
            "4111 1111 1111 1111",
            "5555-5555-5555-4444",
            "378282246310005",
            "6011111111111117",
            "3530111333300000",
            "30569309025904",
            "2223003122003222",
        ],
    );
    none(
        Card,
        &[
            "4111111111111112",
            "1111111111111117",
            "0000000000000000",
            "411111111111111",
            "1793491200000000",
        ],
    );
    all(Ssn, &["078-05-1120", "219-09-9999"]);
    none(
        Ssn,
        &[
            "000-12-3456",
            "666-12-3456",
            "900-12-3456",
            "123-00-4567",
            "123-45-0000",
            "123456789",
            "12-345-6789",
        ],
    );
    assert!(fits(Ssn, "078051120") && !fits(Ssn, "000051120"));
    all(Dni, &["12345678Z", "12345678-z", "X1234567L", "Z-1234567-R"]);
    none(Dni, &["12345678A", "00000000T", "W1234567L", "1234567Z", "123456789Z"]);
    all(Cpf, &["529.982.247-25", "52998224725"]);
    none(Cpf, &["529.982.247-26", "111.111.111-11", "5299822472"]);
    all(GermanTaxId, &["86095742719", "47036892816", "65 929 970 489"]);
    none(GermanTaxId, &["86095742718", "01234567890", "12345678901"]);
    all(Nino, &["AB123456C", "ab 12 34 56 c"]);
    none(Nino, &["QQ123456C", "BG123456A", "AO123456C", "AB123456E", "AB12345C"]);
    all(Nir, &["255081416802538", "2 55 08 14 168 025 38"]);
    none(Nir, &["255081416802539", "955081416802538", "255151416802538", "25508141680253"]);
    all(CodiceFiscale, &["RSSMRA85T10A562S", "rssmra85t10a562s"]);
    none(CodiceFiscale, &["RSSMRA85T10A562T", "RSSMRA85X10A562S", "RSSMRA85T10A562"]);
    all(Bsn, &["111222333", "123456782"]);
    none(Bsn, &["111222334", "000000000", "12345678"]);
}

#[test]
fn nothing_of_a_document_looks_like_anything_by_chance() {
    for text in [
        "hello",
        "ACME-00000042",
        "customer42",
        "h-01-000001",
        "https://shop.example/cart?id=7",
        "c12",
        "0.1",
        "-1",
        "2026-11-22T09:00:00Z",
        "550e8400-e29b-41d4-a716-446655440000",
        "2CCEEAE88503384F-1188000089CA",
        "true",
        "00000000000000000000000000000000000512",
        "en-GB",
        "€ 12,50",
        "\u{0}",
        "\u{1f980}",
    ] {
        for likeness in Likeness::ALL {
            assert!(!looks(likeness, text), "{text} is {likeness:?}");
        }
    }
}

/// The number that decimal digits spell, modulo another, by long division.
fn modulo(digits: &str, by: u64) -> u64 {
    digits.chars().fold(0, |rest, c| (rest * 10 + u64::from(c.to_digit(10).unwrap())) % by)
}

/// How many of these endings make `start` look like it, and the last that does.
fn endings(likeness: Likeness, start: &str, endings: impl Iterator<Item = String>) -> Vec<String> {
    endings.filter(|end| looks(likeness, &format!("{start}{end}"))).collect()
}

fn digit() -> impl Iterator<Item = String> {
    (0..10).map(|n: u32| n.to_string())
}

fn two_digits() -> impl Iterator<Item = String> {
    (0..100).map(|n: u32| format!("{n:02}"))
}

fn letter() -> impl Iterator<Item = String> {
    ('A'..='Z').map(String::from)
}

proptest! {
    #[test]
    fn an_iban_has_one_pair_of_check_digits(account in "[0-9]{18}", at in 4_usize..22) {
        // D = 13, E = 14; check digits are 98 minus the remainder.
        let check = 98 - modulo(&format!("{account}131400"), 97);
        let iban = format!("DE{check:02}{account}");
        prop_assert!(looks(Iban, &iban));
        let mut other: Vec<u8> = iban.into_bytes();
        other[at] = if other[at] == b'9' { b'0' } else { other[at] + 1 };
        prop_assert!(!looks(Iban, std::str::from_utf8(&other).unwrap()));
    }

    #[test]
    fn a_card_has_one_check_digit(start in "4[0-9]{14}") {
        // Luhn, written down naively: from the right, the check digit being the first.
        let sum: u32 = start.chars().rev().enumerate().map(|(at, c)| {
            let doubled = c.to_digit(10).unwrap() * if at % 2 == 0 { 2 } else { 1 };
            doubled / 10 + doubled % 10
        }).sum();
        let check = (10 - sum % 10) % 10;
        prop_assert_eq!(endings(Card, &start, digit()), vec![check.to_string()]);
    }

    #[test]
    fn a_cpf_has_one_pair_of_check_digits(start in "[0-9]{9}") {
        let weigh = |digits: &str| {
            let last = digits.len() as u32 + 1;
            let sum: u32 = digits.chars().zip((2..=last).rev())
                .map(|(c, weight)| c.to_digit(10).unwrap() * weight).sum();
            let rest = sum * 10 % 11;
            if rest == 10 { 0 } else { rest }
        };
        let first = weigh(&start);
        let second = weigh(&format!("{start}{first}"));
        let expected = format!("{first}{second}");
        let same = start.chars().all(|c| start.starts_with(c));
        let found = endings(Cpf, &start, two_digits());
        prop_assert!(same || found == [expected], "{} {:?}", start, found);
    }

    #[test]
    fn a_nir_has_one_key(start in "[12][0-9]{2}(0[1-9]|1[0-2])[0-9]{8}") {
        let key = 97 - modulo(&start, 97);
        prop_assert_eq!(endings(Nir, &start, two_digits()), vec![format!("{key:02}")]);
    }

    #[test]
    fn a_dni_has_one_letter(number in 1_u32..100_000_000) {
        let letter_of = "TRWAGMYFPDXBNJZSQVHLCKE".chars().nth(number as usize % 23).unwrap();
        prop_assert_eq!(endings(Dni, &format!("{number:08}"), letter()), vec![letter_of.to_string()]);
    }

    #[test]
    fn a_codice_fiscale_has_one_letter(start in "[A-Z]{6}[0-9]{2}[ABCDEHLMPRST][0-9]{2}[A-Z][0-9]{3}") {
        prop_assert_eq!(endings(CodiceFiscale, &start, letter()).len(), 1);
    }

    #[test]
    fn a_bsn_passes_the_eleven_test(number in 1_u32..1_000_000_000) {
        let text = format!("{number:09}");
        let digits: Vec<i64> = text.chars().map(|c| i64::from(c.to_digit(10).unwrap())).collect();
        let sum: i64 = digits.iter().zip([9, 8, 7, 6, 5, 4, 3, 2, -1]).map(|(d, w)| d * w).sum();
        let same = digits.iter().all(|d| *d == digits[0]);
        prop_assert_eq!(looks(Bsn, &text), sum % 11 == 0 && !same);
    }

    #[test]
    fn a_german_tax_id_has_one_check_digit_at_most(start in "[1-9][0-9]{9}") {
        let mut counts = [0; 10];
        start.chars().for_each(|c| counts[c.to_digit(10).unwrap() as usize] += 1);
        let mut repeated: Vec<i32> = counts.into_iter().filter(|n| *n > 1).collect();
        repeated.sort_unstable();
        let well_formed = repeated == [2] || repeated == [3];
        let found = endings(GermanTaxId, &start, digit());
        prop_assert_eq!(found.len(), usize::from(well_formed), "{} {:?}", start, found);
    }

    #[test]
    fn any_text_is_looked_at_without_a_panic(text in "\\PC{0,40}", wild in proptest::collection::vec(any::<char>(), 0..40)) {
        let wild: String = wild.into_iter().collect();
        for likeness in Likeness::ALL {
            let _ = (looks(likeness, &text), fits(likeness, &text));
            let _ = (looks(likeness, &wild), fits(likeness, &wild));
        }
    }

    #[test]
    fn nearly_right_texts_do_not_panic(text in "[-+()/.@: 0-9A-Za-z\\[\\]%]{0,36}") {
        for likeness in Likeness::ALL {
            let _ = (looks(likeness, &text), fits(likeness, &text));
        }
    }
}
