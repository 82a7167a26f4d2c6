//! E-mail addresses: a local part, an `@`, a domain of at least two labels whose last is letters; and texts
//! that hold one.

pub(super) fn looks(text: &str) -> bool {
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    is_local(local) && is_domain(domain)
}

/// Whether a text that is no address holds one; in URLs the `@` may be escaped.
pub(super) fn inside(text: &str) -> bool {
    if !text.contains('@') && !text.contains("%40") || looks(text) {
        return false;
    }
    let ends = |c: char| !(c.is_alphanumeric() || matches!(c, '@' | '.' | '-' | '_' | '+' | '\''));
    let text = text.replace("%40", "@");
    text.split(ends).any(|word| looks(word.trim_matches(['.', '-', '_', '\''])))
}

fn is_local(local: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    (1..=64).contains(&local.len())
        && local.chars().all(allowed)
        && local.split('.').all(|part| !part.is_empty())
}

fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some((_, top)) = domain.rsplit_once('.') else { return false };
    let is_top =
        top.chars().all(char::is_alphabetic) && top.chars().count() >= 2 || top.starts_with("xn--");
    domain.len() <= 253 && is_top && domain.split('.').all(label)
}
