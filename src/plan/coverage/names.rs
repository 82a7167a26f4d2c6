//! What a column's name says of its values: the words at its end, in a few languages.
//!
//! Only the end counts, since that is what a name is about: `customer_email` holds addresses, an
//! `email_template` does not. Words that only qualify (`email_hash`, `phone2`, `email_private`) are passed over.

mod vocabulary;

use crate::model::{FieldPath, Name};

use super::Likeness;
use vocabulary::{QUALIFIERS, SURE, THINGS, UNSURE, VERSIONS};

/// What a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// Of what.
    pub likeness: Likeness,
    /// The name alone is enough; otherwise the values must bear it out.
    pub sure: bool,
}

/// What a path says by its last name, and by that of the group around it: `card.number`, `email.value`,
/// whose bare `name` it is. A `name` at the top is that of what the dataset is about.
pub(super) fn hint(dataset: &Name, path: &FieldPath) -> Option<Hint> {
    let (last, groups) = path.parts().split_last()?;
    let group = groups.last().into_iter().flat_map(|group| words(group));
    let mut words: Vec<String> = group.chain(words(last)).collect();
    while words.len() > 1 && words.last().is_some_and(|word| is_qualifier(word)) {
        words.pop();
    }
    for sure in [true, false] {
        for (likeness, endings) in if sure { SURE } else { UNSURE } {
            let ending = endings.split(", ").find(|ending| ends_with(&words, ending));
            let Some(ending) = ending else { continue };
            if *likeness == Likeness::PersonName && !sure {
                let rest = words.len() - ending.split(' ').count();
                let about = words.get(..rest).and_then(<[String]>::last).cloned();
                let about = about.or_else(|| self::words(dataset.as_str()).pop());
                if about.is_some_and(|about| listed(THINGS, &singular(&about))) {
                    return None;
                }
            }
            return Some(Hint { likeness: *likeness, sure });
        }
    }
    None
}

/// Whether a path's last name says that its values are versions, which look like IP addresses.
pub(super) fn says_version(path: &FieldPath) -> bool {
    let last = path.parts().last().map(|name| words(name)).unwrap_or_default();
    last.iter().any(|word| listed(VERSIONS, word))
}

/// The words of a name, in lower case without accents: split at what is no letter, at capitals, and at
/// digits.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut before: Option<char> = None;
    let mut letters = name.chars().peekable();
    while let Some(c) = letters.next() {
        let next_is_small = letters.peek().is_some_and(|next| next.is_lowercase());
        let begins = match before {
            Some(before) if c.is_uppercase() => {
                before.is_lowercase() || before.is_uppercase() && next_is_small
            }
            Some(before) if c.is_numeric() != before.is_numeric() => {
                // `ipv4` is one word.
                !(c.is_numeric() && words.last().is_some_and(|word| word == "ipv"))
            }
            _ => false,
        };
        if begins || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase().map(plain));
        }
        before = Some(c).filter(|c| c.is_alphanumeric());
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A Latin letter without its accent.
const fn plain(c: char) -> char {
    match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'è'..='ë' | 'ē' | 'ę' | 'ě' => 'e',
        'ì'..='ï' | 'ī' => 'i',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => 'u',
        'ý' | 'ÿ' => 'y',
        'ł' => 'l',
        'ś' | 'š' => 's',
        'ź' | 'ż' | 'ž' => 'z',
        other => other,
    }
}

fn ends_with(words: &[String], ending: &str) -> bool {
    let ending: Vec<&str> = ending.split(' ').collect();
    let start = words.len().checked_sub(ending.len());
    start.and_then(|start| words.get(start..)).is_some_and(|tail| tail == ending.as_slice())
}

fn listed(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

fn singular(word: &str) -> String {
    match (word.strip_suffix("ies"), word.strip_suffix('s')) {
        (Some(stem), _) => format!("{stem}y"),
        (None, Some(stem)) if !stem.ends_with('s') => stem.to_owned(),
        _ => word.to_owned(),
    }
}

fn is_qualifier(word: &str) -> bool {
    word.chars().all(char::is_numeric) || listed(QUALIFIERS, word)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn says(path: &str) -> Option<(Likeness, bool)> {
        says_in("lake", path)
    }

    fn says_in(dataset: &str, path: &str) -> Option<(Likeness, bool)> {
        let hint = hint(&Name::new(dataset).unwrap(), &FieldPath::dotted(path).unwrap());
        hint.map(|hint| (hint.likeness, hint.sure))
    }

    #[test]
    fn names_are_split_into_words() {
        for (name, parts) in [
            ("customer_email", "customer email"),
            ("customerEmail", "customer email"),
            ("clientIPAddress", "client ip address"),
            ("EMAIL_ADDRESS", "email address"),
            ("phone2", "phone 2"),
            ("ipv4", "ipv4"),
            ("Prénom", "prenom"),
            ("e-mail (private)", "e mail private"),
            ("_", ""),
        ] {
            assert_eq!(words(name).join(" "), parts, "{name}");
        }
    }

    #[test]
    fn the_end_of_a_name_counts_without_what_qualifies_it() {
        use Likeness::*;
        for (path, likeness) in [
            ("email", Email),
            ("customer.emailAddress", Email),
            ("email_sha256", Email),
            ("email_md5_hash", Email),
            ("phone_number_2", Phone),
            ("clientIP", Ip),
            ("IPv4", Ip),
            ("bank.iban", Iban),
            ("card.number", Card),
            ("email.value", Email),
            ("name.first", PersonName),
            ("customer.name", PersonName),
            ("card_number", Card),
            ("ssn", Ssn),
            ("numero_de_sécurité_sociale", Nir),
            ("codice_fiscale", CodiceFiscale),
            ("passportNumber", NationalId),
            ("first_name", PersonName),
            ("apellidos", PersonName),
            ("Prénom", PersonName),
            ("dateOfBirth", BirthDate),
        ] {
            assert_eq!(says(path), Some((likeness, true)), "{path}");
        }
        for path in [
            "email_template",
            "phone_model",
            "ip_country",
            "zip",
            "skip",
            "tags",
            "id",
            "card_type",
            "birth_place_id",
            "description",
            "equip",
            "named",
        ] {
            assert_eq!(says(path), None, "{path}");
        }
    }

    #[test]
    fn versions_are_told_by_name() {
        let says = |path| says_version(&FieldPath::dotted(path).unwrap());
        assert!(says("app_version") && says("build.versionName") && says("firmware"));
        assert!(!says("version.ip") && !says("client") && !says("conversion"));
    }

    #[test]
    fn a_bare_name_is_a_persons_unless_it_is_of_a_thing() {
        use Likeness::PersonName;
        for path in ["name", "ship_to.name", "nome", "Nombre", "props.author"] {
            assert_eq!(says(path), Some((PersonName, false)), "{path}");
        }
        assert_eq!(says_in("customers", "name"), Some((PersonName, false)));
        assert_eq!(says_in("web-products", "name"), None);
        assert_eq!(says_in("web-products", "owner.name"), Some((PersonName, false)));
        for path in
            ["product_name", "product.name", "categories.name", "fileName", "props.browser.name"]
        {
            assert_eq!(says(path), None, "{path}");
        }
    }
}
