//! Files as the caller read them; this layer does no I/O.

/// One file of the policy or request directory.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// As shown to the user, with `/`: relative to the working directory where it was given so.
    pub path: String,
    /// The whole content.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.path, self.bytes.len())
    }
}

/// Whose text it is: decides what a diagnostic may show of it (CONTRACT.md section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// Holds no personal data: its lines and words may be shown.
    Policy,
    /// As a policy; of the directory of approvals.
    Approval,
    /// Names people: lines are masked, words are never quoted.
    Request,
}

impl SourceFile {
    /// The file name's ending in lower case, without the dot; empty where there is none.
    pub fn ending(&self) -> String {
        let name = self.path.rsplit(['/', '\\']).next().unwrap_or_default();
        name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default()
    }

    /// The file name without directories and ending.
    pub fn stem(&self) -> &str {
        let name = self.path.rsplit(['/', '\\']).next().unwrap_or_default();
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }
}

/// The lines of a text, without their breaks (`\n`, `\r\n` or `\r`, as YAML counts them).
pub fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    while let Some(end) = rest.find(['\n', '\r']) {
        let (line, tail) = rest.split_at(end);
        lines.push(line);
        rest = tail.strip_prefix("\r\n").or_else(|| tail.get(1..)).unwrap_or_default();
    }
    lines.push(rest);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_break_ends_a_line() {
        assert_eq!(lines("a\nb\r\nc\rd"), ["a", "b", "c", "d"]);
        assert_eq!(lines("\u{feff}é\n"), ["é", ""]);
        assert_eq!(lines(""), [""]);
    }

    #[test]
    fn names_fall_apart_into_stem_and_ending() {
        let file = |path: &str| SourceFile { path: path.to_owned(), bytes: Vec::new() };
        assert_eq!(file("requests/a/Acme.2.JSON").ending(), "json");
        assert_eq!(file("requests/a/Acme.2.JSON").stem(), "Acme.2");
        assert_eq!(file("policies.d/README").ending(), "");
        assert_eq!(file("policies.d/README").stem(), "README");
    }
}
