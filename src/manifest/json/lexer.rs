//! Tokens of a JSON text. What is wrong within a token is a fault of the lexer; what is wrong between
//! tokens is one of the parser.

use std::collections::VecDeque;

use super::cursor::Cursor;
use super::fault::{Fault, FaultKind};
use crate::manifest::tree::Mark;

/// `{}` or `[]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bracket {
    Object,
    Array,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    Open(Bracket),
    Close(Bracket),
    Colon,
    Comma,
    Semicolon,
    Equals,
    /// A string, its escapes resolved.
    Text(String),
    Null,
    /// A number, `true` or `false`, as written.
    Literal(String),
    /// Characters that are no JSON value.
    Word(String),
    Stray,
    End,
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) shape: Shape,
    pub(super) at: Mark,
}

/// Hands out tokens, and collects every fault of the text.
pub(super) struct Lexer<'t> {
    cursor: Cursor<'t>,
    ahead: VecDeque<Token>,
    faults: Vec<Fault>,
    stopped: bool,
}

const STRAIGHT: &str = "\"";
const SINGLE: &str = "'\u{2018}\u{2019}\u{201a}`";
const CURLY: &str = "\u{201c}\u{201d}\u{201e}\"";

impl<'t> Lexer<'t> {
    /// Over a text with these faults already known.
    pub(super) fn new(cursor: Cursor<'t>, known: Vec<Fault>) -> Self {
        Self { cursor, ahead: VecDeque::new(), faults: known, stopped: false }
    }

    /// The token after the next `n`; [`Shape::End`] at the end, and once reading has stopped.
    pub(super) fn peek(&mut self, n: usize) -> &Shape {
        while self.ahead.len() <= n && !self.stopped {
            let token = self.read();
            self.ahead.push_back(token);
        }
        if self.stopped { &Shape::End } else { self.ahead.get(n).map_or(&Shape::End, |t| &t.shape) }
    }

    /// Where the next token stands.
    pub(super) fn mark(&mut self) -> Mark {
        self.peek(0);
        self.ahead.front().map_or_else(|| self.cursor.mark(0), |token| token.at)
    }

    /// Takes the next token.
    pub(super) fn next(&mut self) -> Token {
        let at = self.mark();
        if self.stopped {
            return Token { shape: Shape::End, at };
        }
        self.ahead.pop_front().unwrap_or(Token { shape: Shape::End, at })
    }

    /// Notes a fault.
    pub(super) fn fault(&mut self, kind: FaultKind, at: Mark) {
        if !self.stopped {
            self.faults.push(Fault { kind, at });
            // Look-ahead may find faults before those that the parser still finds ahead of them, so
            // one more than is shown is read.
            self.stopped = self.faults.len() > super::MAX_FAULTS;
        }
    }

    /// Notes a fault after which nothing more is read.
    pub(super) fn fail(&mut self, kind: FaultKind, at: Mark) {
        self.fault(kind, at);
        self.stopped = true;
    }

    /// The faults, by position.
    pub(super) fn finish(mut self) -> Vec<Fault> {
        self.faults.sort_by_key(|fault| (fault.at.line, fault.at.column, fault.kind));
        self.faults.dedup();
        if let Some(beyond) = self.faults.get_mut(super::MAX_FAULTS) {
            beyond.kind = FaultKind::More;
        }
        self.faults.truncate(super::MAX_FAULTS + 1);
        self.faults
    }

    fn read(&mut self) -> Token {
        self.skip_blanks();
        let at = self.cursor.mark(1);
        let Some(c) = self.cursor.peek() else {
            return Token { shape: Shape::End, at: self.cursor.mark(0) };
        };
        let shape = match c {
            '{' => Shape::Open(Bracket::Object),
            '}' => Shape::Close(Bracket::Object),
            '[' => Shape::Open(Bracket::Array),
            ']' => Shape::Close(Bracket::Array),
            ':' => Shape::Colon,
            ',' => Shape::Comma,
            ';' => Shape::Semicolon,
            '=' => Shape::Equals,
            '"' => return self.string(at, STRAIGHT),
            c if SINGLE.contains(c) => return self.string(at, SINGLE),
            c if CURLY.contains(c) => return self.string(at, CURLY),
            c if is_word(c) => return self.word(at),
            _ => Shape::Stray,
        };
        self.cursor.next();
        if shape == Shape::Equals {
            self.cursor.take('>');
        }
        Token { shape, at: self.cursor.since(at) }
    }

    fn skip_blanks(&mut self) {
        loop {
            self.cursor.take_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
            let start = self.cursor.mark(2);
            if self.cursor.starts_with("//") || self.cursor.starts_with("#") {
                self.cursor.take_while(|c| c != '\n');
                let at = self.cursor.since(start);
                self.fault(FaultKind::Comment, at);
            } else if self.cursor.starts_with("/*") {
                self.block_comment(start);
            } else {
                break;
            }
        }
    }

    fn block_comment(&mut self, start: Mark) {
        self.cursor.next();
        self.cursor.next();
        while !self.cursor.starts_with("*/") {
            if self.cursor.next().is_none() {
                self.fault(FaultKind::UnterminatedComment, start);
                return;
            }
        }
        self.cursor.next();
        self.cursor.next();
        self.fault(FaultKind::Comment, start);
    }

    fn word(&mut self, at: Mark) -> Token {
        let start = self.cursor.clone();
        while self.cursor.peek().is_some_and(is_word)
            && !self.cursor.starts_with("//")
            && !self.cursor.starts_with("/*")
        {
            self.cursor.next();
        }
        if self.cursor.text_since(&start).is_empty() {
            self.cursor.next();
            return Token { shape: Shape::Stray, at };
        }
        let text = self.cursor.text_since(&start).to_owned();
        let at = self.cursor.since(at);
        if self.cursor.peek() == Some('"') && self.closes_here() {
            self.cursor.next();
            self.fault(FaultKind::MissingOpeningQuote, at);
            return Token { shape: Shape::Text(text), at };
        }
        let shape = match text.as_str() {
            "null" => Shape::Null,
            "true" | "false" => Shape::Literal(text),
            number if is_number(number) => Shape::Literal(text),
            _ => Shape::Word(text),
        };
        Token { shape, at }
    }

    /// Whether the quotation mark here is followed by what follows a string.
    fn closes_here(&self) -> bool {
        let mut after = self.cursor.clone();
        after.next();
        after.take_while(|c| matches!(c, ' ' | '\t'));
        matches!(after.peek(), None | Some(':' | ',' | '}' | ']' | '\n' | '\r'))
    }

    fn string(&mut self, at: Mark, quotes: &str) -> Token {
        self.cursor.next();
        if quotes != STRAIGHT {
            self.fault(FaultKind::WrongQuotes, at);
        }
        let mut text = String::new();
        // Where the string most likely was to end, should its line not end it: before the commas and
        // brackets at the line's end.
        let mut likely = (self.cursor.clone(), 0);
        loop {
            let here = self.cursor.mark(1);
            match self.cursor.peek() {
                None | Some('\n' | '\r') => {
                    self.cursor = likely.0;
                    text.truncate(likely.1);
                    self.fault(FaultKind::UnterminatedString, at);
                    break;
                }
                Some(c) if quotes.contains(c) => {
                    self.cursor.next();
                    break;
                }
                Some('\\') => {
                    self.cursor.next();
                    self.escape(here, &mut text);
                }
                Some(c) => {
                    self.cursor.next();
                    if c < ' ' {
                        self.fault(FaultKind::ControlCharacter, here);
                    }
                    text.push(c);
                    if matches!(c, ',' | '}' | ']' | ' ' | '\t') {
                        continue;
                    }
                }
            }
            likely = (self.cursor.clone(), text.len());
        }
        Token { shape: Shape::Text(text), at: self.cursor.since(at) }
    }

    fn escape(&mut self, at: Mark, text: &mut String) {
        let c = match self.cursor.peek() {
            // The line's end is the string's fault.
            None | Some('\n' | '\r') => return,
            Some(c) => c,
        };
        self.cursor.next();
        text.push(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.unicode(at),
            _ => {
                self.fault(FaultKind::BadEscape, at);
                c
            }
        });
    }

    /// A `\u` escape, and its other half where it is one of a pair.
    fn unicode(&mut self, at: Mark) -> char {
        let Some(first) = self.hex() else {
            self.fault(FaultKind::BadEscape, at);
            return char::REPLACEMENT_CHARACTER;
        };
        if let Some(c) = char::from_u32(first) {
            return c;
        }
        let before = self.cursor.clone();
        if first < 0xdc00
            && self.cursor.take('\\')
            && self.cursor.take('u')
            && let Some(second @ 0xdc00..0xe000) = self.hex()
        {
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
        self.cursor = before;
        self.fault(FaultKind::LoneSurrogate, at);
        char::REPLACEMENT_CHARACTER
    }

    fn hex(&mut self) -> Option<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.cursor.peek()?.to_digit(16)?;
            self.cursor.next();
            code = code * 16 + digit;
        }
        Some(code)
    }
}

/// Whether a character can be part of a word: of a number, a literal, or unquoted text.
fn is_word(c: char) -> bool {
    !c.is_whitespace()
        && !c.is_control()
        && !"{}[]:,;=()".contains(c)
        && !SINGLE.contains(c)
        && !CURLY.contains(c)
}

/// Whether a word is a number by RFC 8259.
fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let word = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) =
        word.split_once(['e', 'E']).map_or((word, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) =
        mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}
