//! What is wrong with a file as YAML, in own words: the parser's texts may quote the file.

use serde_yaml::granit_parser::ErrorKind;

use crate::diagnostic::Code;
use crate::manifest::codes::files::{SYNTAX, TOO_LARGE, UNSUPPORTED_YAML};
use crate::manifest::tree::Mark;

/// Why a file cannot be read as YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind of problem.
    pub code: Code,
    /// Where.
    pub at: Mark,
    /// What was found, in own words.
    pub message: &'static str,
    /// What to do.
    pub help: &'static str,
}

pub(super) const fn unsupported(at: Mark, message: &'static str, help: &'static str) -> Fault {
    Fault { code: UNSUPPORTED_YAML, at, message, help }
}

pub(super) const fn too_large(at: Mark, message: &'static str) -> Fault {
    Fault { code: TOO_LARGE, at, message, help: "split the file into several" }
}

/// A fault for an error of the parser.
pub(super) fn syntax(kind: &ErrorKind, at: Mark) -> Fault {
    use ErrorKind as E;
    let (message, help) = match kind {
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabAtBlockScalarStart
        | E::TabInPlainScalar => ("a tab where only spaces may stand", "indent with spaces"),
        E::InvalidIndentation
        | E::InvalidQuotedScalarIndent
        | E::InvalidFlowScalarIndent
        | E::InvalidBlockScalarIndent
        | E::ZeroBlockScalarIndent => {
            ("an indentation that fits nothing above", "align it with its neighbours")
        }
        E::ExpectedBlockMappingKey
        | E::SimpleKeyExpected
        | E::InvalidSimpleKey
        | E::MappingKeyNotAllowed => {
            ("no key where one is needed", "write `key: value`; check the indentation")
        }
        E::MappingValueNotAllowed | E::InvalidMappingValueWhitespace | E::InvalidColonPlacement => {
            (
                "a `:` where none may stand",
                "put text that holds `: ` in quotes; check the indentation",
            )
        }
        E::ExpectedBlockSequenceEntry
        | E::BlockSequenceEntryNotAllowed
        | E::InvalidBlockEntryWhitespace => {
            ("a list item out of place", "start every item with `- `, all in one column")
        }
        E::ExpectedFlowMappingSeparator | E::FlowMappingValueAdjacentCollection => {
            ("no `,` or `}` in a `{…}`", "separate the entries with commas and close the brace")
        }
        E::ExpectedFlowSequenceSeparator | E::BlockEntryInFlowCollection => {
            ("no `,` or `]` in a `[…]`", "separate the items with commas and close the bracket")
        }
        E::UnexpectedEofFlowSequence
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping
        | E::UnclosedFlowCollection { .. }
        | E::MismatchedFlowCollectionEnd { .. }
        | E::MisplacedFlowCollectionEnd => {
            ("brackets that do not match", "close every `[` with `]` and every `{` with `}`")
        }
        E::UnclosedQuotedScalar
        | E::DocumentIndicatorInQuotedScalar
        | E::InvalidTrailingSingleQuotedScalar
        | E::InvalidTrailingDoubleQuotedScalar => (
            "quotes that do not match",
            "close the quote; nothing may follow it but `,`, `:` or a comment",
        ),
        E::UnknownQuotedScalarEscape
        | E::InvalidQuotedScalarHexEscape
        | E::InvalidLowSurrogateHexEscape
        | E::InvalidLowSurrogate
        | E::MissingLowSurrogate
        | E::UnpairedLowSurrogate
        | E::InvalidUnicodeEscape => {
            ("an escape that is not known", "write `\\\\` for a backslash, or use single quotes")
        }
        E::UnexpectedCharacter { .. } => {
            ("a character that cannot start a value", "put the value in quotes")
        }
        E::UnknownAnchor => {
            return unsupported(
                at,
                "an alias without an anchor",
                "put text that starts with `*` in quotes",
            );
        }
        E::MissingAnchorOrAliasName => {
            ("an anchor or alias without a name", "put text that starts with `&` or `*` in quotes")
        }
        E::RecursionLimitExceeded => return too_large(at, "more than 255 levels of nesting"),
        E::UnexpectedEof | E::UnexpectedEofBlockMapping | E::UnexpectedEofBlockSequence => {
            ("the end of the file inside a value", "the file seems cut off")
        }
        E::ExpectedDocumentStart | E::InvalidDocumentEnd | E::MissingDocumentEndBeforeDirective => {
            (
                "something between two documents",
                "separate documents with a line `---`; check the indentation",
            )
        }
        E::CommentInterceptedScalar | E::CommentNotSeparated => {
            ("a comment out of place", "put a space before `#`, or the value in quotes")
        }
        E::InvalidBlockScalarHeader => {
            ("something behind `|` or `>`", "start the text on the next line")
        }
        E::BomInsideDocument => ("a byte order mark inside the file", "remove it"),
        E::UnsupportedYamlMajorVersion
        | E::DuplicateVersionDirective
        | E::DuplicateTagDirective
        | E::InvalidDirectiveTerminator
        | E::DirectiveDisallowed => {
            ("a directive that is not read", "remove the line that starts with `%`")
        }
        _ => ("something that is not YAML", "check quotes, brackets and indentation around here"),
    };
    Fault { code: SYNTAX, at, message, help }
}
