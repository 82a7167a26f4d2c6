//! What must not become a name or a key, because it identifies a person (RULES.md section 6).

/// Whether a text looks like an e-mail address, or holds what does.
pub(super) fn looks_like_email(text: &str) -> bool {
    let text = text.replace("%40", "@").replace(['\u{ff20}', '\u{fe6b}'], "@");
    let beside =
        |c: Option<char>| c.is_some_and(|c| !c.is_whitespace() && !"@<>()[],;:\"'".contains(c));
    text.match_indices('@').any(|(at, sign)| {
        let (before, after) = (text.get(..at), text.get(at + sign.len()..));
        beside(before.and_then(|t| t.chars().next_back()))
            && beside(after.and_then(|t| t.chars().next()))
    })
}

/// A text in the form to compare names and keys with identity values by, whatever their namespaces.
pub(super) fn plain(text: &str) -> String {
    text.trim().to_lowercase()
}
