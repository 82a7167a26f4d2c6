//! Names of people, in columns whose name says so: one to five words of letters that start with a capital.

/// Words that stand between names without a capital.
const PARTICLES: [&str; 20] = [
    "van", "von", "de", "der", "den", "del", "della", "di", "da", "do", "dos", "das", "du", "la",
    "le", "el", "al", "bin", "ibn", "y",
];

pub(super) fn fits(text: &str) -> bool {
    let mut capitals = 0;
    let mut words = 0;
    for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
        words += 1;
        if is_capitalised(word) {
            capitals += 1;
        } else if !PARTICLES.contains(&word) {
            return false;
        }
    }
    capitals > 0 && words <= 5
}

/// Letters, apostrophes, hyphens and dots, the first a capital; a script without capitals counts.
fn is_capitalised(word: &str) -> bool {
    let first = word.chars().next();
    let caseless = |c: char| c.is_alphabetic() && !c.is_lowercase() && !c.is_uppercase();
    first.is_some_and(|c| c.is_uppercase() || caseless(c))
        && word.chars().all(|c| c.is_alphabetic() || is_mark(c))
        && word.chars().count() <= 40
}

fn is_mark(c: char) -> bool {
    matches!(c, '\'' | '’' | '-' | '.') || matches!(c, '\u{300}'..='\u{36f}')
}
