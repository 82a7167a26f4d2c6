//! The faults of a JSON text, in words. Every text is a constant: none can quote the file.

use crate::manifest::tree::Mark;

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What it is.
    pub kind: FaultKind,
    /// Where: the very character that is wrong, where there is one.
    pub at: Mark,
}

impl Fault {
    /// A fault of the whole text.
    pub(super) fn at_start(kind: FaultKind) -> Self {
        Self { kind, at: Mark { line: 1, column: 1, length: 0 } }
    }

    /// What was found: a lower-case fragment.
    pub fn message(&self) -> &'static str {
        self.kind.texts().0
    }

    /// What to write.
    pub fn help(&self) -> &'static str {
        self.kind.texts().1
    }
}

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// A comma between a key and its value.
    CommaForColon,
    /// A comma before `}`.
    TrailingCommaInObject,
    /// A comma before `]`.
    TrailingCommaInArray,
    /// A comma with nothing before it.
    ExtraComma,
    /// A value follows a value.
    MissingComma,
    /// `;` or `:` between entries.
    WrongSeparator,
    /// A value follows a key.
    MissingColon,
    /// `=` or `;` between a key and its value.
    WrongColon,
    /// A second colon after a key.
    ExtraColon,
    /// A colon inside an array.
    ColonInArray,
    /// A key without a value.
    MissingValue,
    /// A key without quotes.
    UnquotedKey,
    /// A number, object or other thing where a key must stand.
    NotAKey,
    /// Text without quotes.
    UnquotedText,
    /// `True`, `None`, `undefined`, …
    ForeignLiteral,
    /// `NaN`, `Infinity`.
    NotANumber,
    /// A number in a form that JSON lacks: `+1`, `01`, `.5`, `0x1F`.
    NumberForm,
    /// Single, curly or back quotes.
    WrongQuotes,
    /// A word with a quotation mark behind it only.
    MissingOpeningQuote,
    /// A string that its line does not end.
    UnterminatedString,
    /// A backslash with something that JSON does not escape.
    BadEscape,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// A tab or another control character in a string.
    ControlCharacter,
    /// `//`, `/* */` or `#`.
    Comment,
    /// `/*` without its end.
    UnterminatedComment,
    /// A character that has no meaning in JSON.
    StrayCharacter,
    /// `{` without its end.
    UnclosedObject,
    /// `[` without its end.
    UnclosedArray,
    /// `]` where `}` must stand.
    BracketForBrace,
    /// `}` where `]` must stand.
    BraceForBracket,
    /// Something after the document's end.
    AfterTheEnd,
    /// `}` or `]` after the document's end.
    ClosedTwice,
    /// Nothing at all.
    Empty,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// UTF-16.
    Utf16,
    /// More than [`super::MAX_BYTES`].
    TooLarge,
    /// Deeper than [`super::MAX_DEPTH`].
    TooDeep,
    /// More than [`super::MAX_VALUES`].
    TooManyValues,
    /// More than [`super::MAX_FAULTS`].
    More,
}

impl FaultKind {
    /// What was found, and what to write.
    #[rustfmt::skip]
    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::CommaForColon => ("found a comma between a key and its value", "write a colon `:` in place of the comma"),
            Self::TrailingCommaInObject => ("found a comma after the last entry of an object", "remove the comma: nothing may stand between the last entry and `}`"),
            Self::TrailingCommaInArray => ("found a comma after the last value of an array", "remove the comma: nothing may stand between the last value and `]`"),
            Self::ExtraComma => ("found a comma with nothing before it", "remove the comma, or write what is missing before it"),
            Self::MissingComma => ("found the next entry without a comma before it", "write a comma `,` after the entry before"),
            Self::WrongSeparator => ("found another character where a comma must stand between entries", "write a comma `,` in its place"),
            Self::MissingColon => ("found a value right after a key", "write a colon `:` between the key and its value"),
            Self::WrongColon => ("found another character where a colon must stand between a key and its value", "write a colon `:` in its place"),
            Self::ExtraColon => ("found a colon too many", "remove the colon"),
            Self::ColonInArray => ("found a colon in an array", "write `{` and `}` around keys and their values, or a comma in place of the colon"),
            Self::MissingValue => ("found a key without a value", "write a colon `:` and the value after the key, or remove the key"),
            Self::UnquotedKey => ("found a key without quotation marks", "write the key in double quotation marks"),
            Self::NotAKey => ("found a value where a key must stand", "write a key in double quotation marks and a colon before the value"),
            Self::UnquotedText => ("found text without quotation marks", "write the text in double quotation marks"),
            Self::ForeignLiteral => ("found a word of another language", "write `true`, `false` or `null`, in lower case"),
            Self::NotANumber => ("found a number that JSON does not have", "write a number in digits, or `null`"),
            Self::NumberForm => ("found a number in a form that JSON does not have", "write plain digits without leading `+`, zeros or point, or quotation marks around it"),
            Self::WrongQuotes => ("found a string in other than double quotation marks", "write straight double quotation marks `\"` around the string"),
            Self::MissingOpeningQuote => ("found a quotation mark at the end of a word only", "write a quotation mark `\"` before the word"),
            Self::UnterminatedString => ("found a string without its closing quotation mark", "write a quotation mark `\"` at the end of the string; a line break inside a string is written `\\n`"),
            Self::BadEscape => ("found a backslash with a character that is not escaped so", "write `\\\\` for a backslash; the escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hex digits"),
            Self::LoneSurrogate => ("found half of a surrogate pair", "write the character itself, or both halves as \\u escapes"),
            Self::ControlCharacter => ("found a control character in a string", "write it as an escape, such as `\\t` for a tab"),
            Self::Comment => ("found a comment", "remove the comment: JSON has none"),
            Self::UnterminatedComment => ("found a comment without its end", "remove the comment: JSON has none"),
            Self::StrayCharacter => ("found a character that means nothing here", "remove the character"),
            Self::UnclosedObject => ("found an object that is not closed", "write `}` at its end"),
            Self::UnclosedArray => ("found an array that is not closed", "write `]` at its end"),
            Self::BracketForBrace => ("found a closing bracket where an object ends", "write `}` before the bracket, or in its place"),
            Self::BraceForBracket => ("found a closing brace where an array ends", "write `]` before the brace, or in its place"),
            Self::AfterTheEnd => ("found more after the end of the document", "remove what follows the document: a file holds one request"),
            Self::ClosedTwice => ("found a closing bracket or brace too many", "remove it, or write the one that opens it"),
            Self::Empty => ("found an empty file", "write a request, or remove the file"),
            Self::NotUtf8 => ("found bytes that are not UTF-8", "save the file as UTF-8"),
            Self::Utf16 => ("found UTF-16 text", "save the file as UTF-8"),
            Self::TooLarge => ("found a file of more than 4 MiB", "split the request: at most 1000 user blocks belong in a file"),
            Self::TooDeep => ("found objects and arrays nested more than 64 deep", "remove the nesting: a request nests 6 deep"),
            Self::TooManyValues => ("found more than 400,000 values", "split the request: at most 1000 user blocks belong in a file"),
            Self::More => ("found more than 50 faults; reading stopped here", "mend these, then check again"),
        }
    }
}
