//! Globs over names: `*`, `?`, `[a-z]`, `[!a-z]`, and `**` for any number of folders.
//!
//! As in a shell, a wildcard does not match a leading dot; and since `_` hides files in a lake, it does
//! not match a leading underscore either. A pattern that starts with the character itself does.

/// Whether a text holds a wildcard.
pub(in crate::engine) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether one name matches one part of a pattern.
pub(in crate::engine) fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let hidden = matches!(name.first(), Some('.' | '_'));
    if hidden && pattern.first() != name.first() {
        return false;
    }
    matches_chars(&pattern, &name)
}

/// Iterative, with one point to fall back to: linear in practice, never exponential.
fn matches_chars(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            retry = Some((p, n));
            p += 1;
            continue;
        }
        if let Some(next) = one(pattern, p, name[n]) {
            p = next;
            n += 1;
        } else if let Some((star, from)) = retry {
            retry = Some((star, from + 1));
            p = star + 1;
            n = from + 1;
        } else {
            return false;
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

/// Matches one character against the pattern at `p`; the position after it.
fn one(pattern: &[char], p: usize, c: char) -> Option<usize> {
    match *pattern.get(p)? {
        '?' => Some(p + 1),
        '[' => match class(pattern, p, c) {
            Some((true, next)) => Some(next),
            Some((false, _)) => None,
            None => (c == '[').then_some(p + 1),
        },
        literal => (literal == c).then_some(p + 1),
    }
}

/// A class such as `[a-z]`: whether it matches, and where it ends. `None` where it is not closed.
fn class(pattern: &[char], open: usize, c: char) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(open + 1), Some('!' | '^'));
    let first = open + 1 + usize::from(negated);
    let mut at = first;
    let mut inside = false;
    loop {
        match *pattern.get(at)? {
            ']' if at > first => return Some((inside != negated, at + 1)),
            low => {
                let high = pattern
                    .get(at + 2)
                    .filter(|high| pattern.get(at + 1) == Some(&'-') && **high != ']');
                inside |= (low..=*high.unwrap_or(&low)).contains(&c);
                at += if high.is_some() { 3 } else { 1 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        assert!(matches("*.parquet", "a.parquet"));
        assert!(matches("part-?.p*t", "part-1.parquet"));
        assert!(!matches("part-?.parquet", "part-10.parquet"));
        assert!(matches("[a-c]x", "bx") && !matches("[!a-c]x", "bx") && matches("[]]", "]"));
        assert!(matches("a*b*c", "aXXbYYbc") && !matches("a*b*c", "aXXbYYb"));
        assert!(matches("[", "[") && matches("é?", "éß"));
    }

    #[test]
    fn wildcards_do_not_match_hidden_names() {
        assert!(!matches("*", ".x") && !matches("*", "_SUCCESS") && !matches("?x", "_x"));
        assert!(matches("_*", "_SUCCESS") && matches(".*", ".x"));
    }
}
