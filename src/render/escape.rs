//! Text of users' files in other languages: nothing in a key, a path or a message becomes a command, markup or
//! an escape sequence of whoever reads our output.

/// Text on one line of a terminal: control characters, and those that turn the direction of writing, as
/// escapes.
pub fn printable(text: &str) -> String {
    if !text.chars().any(is_unprintable) {
        return text.to_owned();
    }
    text.chars().fold(String::with_capacity(text.len()), |mut safe, c| {
        if is_unprintable(c) {
            safe.extend(c.escape_default())
        } else {
            safe.push(c)
        }
        safe
    })
}

/// Whether a terminal would act on it, not show it.
pub(super) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// At most so many characters; what is cut ends in `…`.
pub(super) fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// Punctuation that means nothing in Markdown and HTML inside a line, where brackets, `<` and `&` are written
/// as references.
const HARMLESS: &str = " -,./=…:;'\"?()+";

/// Text in Markdown and in HTML alike, as GitHub and GitLab render them: punctuation as character references,
/// and a space of no width where mentions, references to issues and addresses would be recognised in the
/// finished page.
pub(super) fn markdown(text: &str) -> String {
    let text = printable(text);
    let mut safe = String::with_capacity(text.len() * 2);
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            ':' if tail.starts_with('/') => safe.push_str("&#58;"),
            c if c.is_alphanumeric() || HARMLESS.contains(c) => {
                safe.push(c);
                if (c == 'w' || c == 'W')
                    && tail.starts_with('.')
                    && safe.to_lowercase().ends_with("www")
                {
                    safe.push_str("&#8203;");
                }
            }
            c if c.is_ascii() => safe.push_str(&format!("&#{};", u32::from(c))),
            c => safe.push(c),
        }
        let recognised = matches!(c, '@' | '#' | '!' | '~' | '%' | '$' | '&' | '^')
            || (c == ':' && tail.starts_with('/'));
        if recognised && !tail.is_empty() {
            safe.push_str("&#8203;");
        }
        rest = tail;
    }
    safe
}

/// A name in the type of code, in Markdown: plain ones in backticks.
pub(super) fn code(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " -./=_:*".contains(c);
    if !text.is_empty() && text.trim() == text && text.chars().all(plain) {
        return format!("`{text}`");
    }
    html_code(text)
}

/// A name in the type of code, in HTML.
pub(super) fn html_code(text: &str) -> String {
    format!("<code>{}</code>", markdown(text))
}

/// Text or an attribute's value in XML 1.0.
pub(super) fn xml(text: &str) -> String {
    let allowed = |c: char| !matches!(c, '\u{fffe}' | '\u{ffff}');
    printable(text).chars().filter(|c| allowed(*c)).fold(String::new(), |mut safe, c| {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
        safe
    })
}

/// A path as a relative reference of a URI (RFC 3986): everything but unreserved characters and `/` encoded.
pub(super) fn uri(path: &str) -> String {
    path.bytes().fold(String::new(), |mut safe, b| {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'/') {
            safe.push(char::from(b));
        } else {
            safe.push_str(&format!("%{b:02X}"));
        }
        safe
    })
}

/// How text reaches a log that is read for commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Lines for people.
    Text,
    /// A JSON document.
    Json,
    /// An XML document.
    Xml,
}

/// The same text without anything that GitHub's runner takes for a command: `::name` at the start of a line,
/// `##[name]` anywhere in it. JSON and XML keep their meaning.
pub fn without_commands(text: &str, written: Written) -> String {
    let (bracket, colons) = match written {
        Written::Json => ("##\\u005b", None),
        Written::Xml => ("##&#91;", None),
        Written::Text => ("# #[", Some(": :")),
    };
    let text = text.replace("##[", bracket);
    let Some(colons) = colons else { return text };
    text.split_inclusive(['\n', '\r'])
        .map(|line| match line.trim_start().strip_prefix("::") {
            Some(rest) => {
                let indent = line.len() - line.trim_start().len();
                format!("{}{colons}{rest}", line.get(..indent).unwrap_or_default())
            }
            None => line.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_escape_sequences() {
        assert_eq!(printable("a\u{1b}[31mb\r\nc"), "a\\u{1b}[31mb\\r\\nc");
        assert_eq!(printable("\u{202e}gpj.exe\u{85}"), "\\u{202e}gpj.exe\\u{85}");
        assert_eq!(printable("Zoë 👩‍⚕️ x"), "Zoë 👩‍⚕️ x");
    }

    #[test]
    fn markdown_and_html_stay_text() {
        assert_eq!(markdown("a|b"), "a&#124;b");
        assert_eq!(markdown("<img src=x>"), "&#60;img src=x&#62;");
        assert_eq!(markdown("@team"), "&#64;&#8203;team");
        assert_eq!(markdown("x#12 &amp;"), "x&#35;&#8203;12 &#38;&#8203;amp;");
        assert_eq!(markdown("https://e.example"), "https&#58;&#8203;//e.example");
        assert_eq!(markdown("www.e.example"), "www&#8203;.e.example");
        assert_eq!(markdown("`*_[]()\n"), "&#96;&#42;&#95;&#91;&#93;()&#92;n");
        assert_eq!(code("requests/a_b.yaml"), "`requests/a_b.yaml`");
        assert_eq!(code("r/K access"), "`r/K access`");
        assert_eq!(code("a`b"), "<code>a&#96;b</code>");
        assert_eq!(code(""), "<code></code>");
    }

    #[test]
    fn xml_and_uris_hold_nothing_of_their_own_languages() {
        assert_eq!(xml("<a b='\"'>&\u{0}"), "&lt;a b=&#39;&quot;&#39;&gt;&amp;\\u{0}");
        assert_eq!(uri("a b/ü?#%.yaml"), "a%20b/%C3%BC%3F%23%25.yaml");
        assert_eq!(uri("c:x"), "c%3Ax");
    }

    #[test]
    fn no_line_is_a_command_of_the_runner() {
        let hostile = "ok ::error::no\n  ::stop-commands::x\r::add-mask::y\nsee ##[add-mask]z";
        let safe = without_commands(hostile, Written::Text);
        assert!(safe.split(['\n', '\r']).all(|line| !line.trim_start().starts_with("::")));
        assert!(!safe.contains("##[") && safe.starts_with("ok ::error::no\n"), "{safe}");
        let json = without_commands("{\"key\": \"##[error]x\"}", Written::Json);
        assert_eq!(json, "{\"key\": \"##\\u005berror]x\"}");
        assert_eq!(without_commands("<a b=\"##[x]\"/>", Written::Xml), "<a b=\"##&#91;x]\"/>");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!([clip("abc", 3), clip("abcd", 3)], ["abc", "ab…"]);
    }
}
