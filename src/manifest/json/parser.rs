//! Tokens → tree, with a fault for each place where the grammar is not kept, and a guess at what was
//! meant, so that one fault does not look like many.

use super::fault::{Fault, FaultKind};
use super::lexer::{Bracket, Lexer, Shape, Token};
use crate::manifest::tree::{Entry, Kind, Mark, Node, Scalar};
use crate::model::Sensitive;

/// The tree, and the faults by position.
pub(super) fn parse(lexer: Lexer<'_>) -> (Option<Node>, Vec<Fault>) {
    let mut parser = Parser { lexer, open: Vec::new(), values: 0 };
    let root = parser.document();
    (root, parser.lexer.finish())
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    /// The brackets around the value that is being read, outermost first.
    open: Vec<Bracket>,
    values: usize,
}

impl Parser<'_> {
    fn document(&mut self) -> Option<Node> {
        self.strays();
        if *self.lexer.peek(0) == Shape::End {
            let at = self.lexer.mark();
            self.lexer.fault(FaultKind::Empty, Mark { length: 0, ..at });
            return None;
        }
        let root = self.value();
        if root.is_none() {
            // Not even a value: say so where it stands.
            let at = self.lexer.mark();
            self.lexer.fail(FaultKind::StrayCharacter, at);
        }
        self.strays();
        let at = self.lexer.mark();
        match self.lexer.peek(0) {
            Shape::End => {}
            Shape::Close(_) => self.lexer.fail(FaultKind::ClosedTwice, at),
            _ => self.lexer.fail(FaultKind::AfterTheEnd, at),
        }
        root
    }

    /// Takes characters that mean nothing anywhere.
    fn strays(&mut self) {
        while *self.lexer.peek(0) == Shape::Stray {
            let at = self.lexer.next().at;
            self.lexer.fault(FaultKind::StrayCharacter, at);
        }
    }

    /// A value; `None`, and nothing taken, where none starts here.
    fn value(&mut self) -> Option<Node> {
        self.strays();
        let bracket = match self.lexer.peek(0) {
            Shape::Open(bracket) => Some(*bracket),
            Shape::Text(_) | Shape::Null | Shape::Literal(_) | Shape::Word(_) => None,
            _ => return None,
        };
        let at = self.lexer.mark();
        self.values += 1;
        if self.values > super::MAX_VALUES {
            self.lexer.fail(FaultKind::TooManyValues, at);
            return None;
        }
        if let Some(bracket) = bracket {
            if self.open.len() >= super::MAX_DEPTH {
                self.lexer.fail(FaultKind::TooDeep, at);
                return None;
            }
            self.lexer.next();
            self.open.push(bracket);
            let kind = match bracket {
                Bracket::Object => Kind::Map(self.object(at)),
                Bracket::Array => Kind::List(self.array(at)),
            };
            self.open.pop();
            return Some(Node { kind, at });
        }
        let token = self.lexer.next();
        let kind = match token.shape {
            Shape::Null => Kind::Null,
            Shape::Text(text) => scalar(text, true),
            Shape::Literal(text) => scalar(text, false),
            Shape::Word(text) => {
                self.lexer.fault(word_fault(&text), at);
                scalar(text, false)
            }
            _ => Kind::Null,
        };
        Some(Node { kind, at })
    }

    fn array(&mut self, opened: Mark) -> Vec<Node> {
        let mut values = Vec::new();
        loop {
            let comma = self.separators(values.is_empty());
            self.strays();
            let at = self.lexer.mark();
            match self.lexer.peek(0) {
                Shape::Close(bracket) => {
                    let bracket = *bracket;
                    self.trailing(comma, FaultKind::TrailingCommaInArray);
                    self.close(bracket, FaultKind::BraceForBracket);
                    return values;
                }
                Shape::End => {
                    self.lexer.fault(FaultKind::UnclosedArray, opened);
                    return values;
                }
                Shape::Colon | Shape::Equals => {
                    self.lexer.fault(FaultKind::ColonInArray, at);
                    self.lexer.next();
                    values.extend(self.value());
                }
                _ => {
                    if comma.is_none() && !values.is_empty() {
                        self.lexer.fault(FaultKind::MissingComma, at);
                    }
                    values.extend(self.value());
                }
            }
        }
    }

    fn object(&mut self, opened: Mark) -> Vec<Entry> {
        let mut entries = Vec::new();
        loop {
            let comma = self.separators(entries.is_empty());
            self.strays();
            let at = self.lexer.mark();
            match self.lexer.peek(0) {
                Shape::Close(bracket) => {
                    let bracket = *bracket;
                    self.trailing(comma, FaultKind::TrailingCommaInObject);
                    self.close(bracket, FaultKind::BracketForBrace);
                    return entries;
                }
                Shape::End => {
                    self.lexer.fault(FaultKind::UnclosedObject, opened);
                    return entries;
                }
                Shape::Colon | Shape::Equals => {
                    self.lexer.fault(FaultKind::ExtraColon, at);
                    self.lexer.next();
                }
                Shape::Open(_) => {
                    self.lexer.fault(FaultKind::NotAKey, at);
                    self.value();
                }
                _ => {
                    if comma.is_none() && !entries.is_empty() {
                        self.lexer.fault(FaultKind::MissingComma, at);
                    }
                    entries.push(self.entry());
                }
            }
        }
    }

    /// Takes the commas (or what stands for them) before an entry; the mark of the last comma.
    fn separators(&mut self, first: bool) -> Option<Mark> {
        let mut comma = None;
        loop {
            self.strays();
            let at = self.lexer.mark();
            match self.lexer.peek(0) {
                Shape::Comma if first || comma.is_some() => {
                    self.lexer.fault(FaultKind::ExtraComma, at);
                }
                Shape::Comma => {}
                Shape::Semicolon => self.lexer.fault(FaultKind::WrongSeparator, at),
                _ => return comma,
            }
            self.lexer.next();
            // An extra comma at the start has its fault: it is not a trailing one too.
            comma = if first { None } else { Some(at) };
        }
    }

    fn trailing(&mut self, comma: Option<Mark>, kind: FaultKind) {
        if let Some(at) = comma {
            self.lexer.fault(kind, at);
        }
    }

    /// One `key: value`, at a token that is no bracket, comma or colon.
    fn entry(&mut self) -> Entry {
        let Token { shape, at } = self.lexer.next();
        let key = match shape {
            Shape::Text(text) => text,
            Shape::Word(text) => {
                self.lexer.fault(FaultKind::UnquotedKey, at);
                text
            }
            Shape::Literal(text) => {
                let kind = if *self.lexer.peek(0) == Shape::Colon {
                    FaultKind::UnquotedKey
                } else {
                    FaultKind::NotAKey
                };
                self.lexer.fault(kind, at);
                if kind == FaultKind::NotAKey {
                    return Entry { key: text, at, value: Node { kind: Kind::Null, at } };
                }
                text
            }
            _ => {
                self.lexer.fault(FaultKind::NotAKey, at);
                String::new()
            }
        };
        let value = if self.colon(at) { self.after_colon(at) } else { None };
        Entry { key, at, value: value.unwrap_or(Node { kind: Kind::Null, at }) }
    }

    /// Takes what stands between a key and its value; whether a value is to follow.
    fn colon(&mut self, key: Mark) -> bool {
        self.strays();
        let at = self.lexer.mark();
        let value_follows = self.value_after_comma();
        let fault = match self.lexer.peek(0) {
            Shape::Colon => {
                self.lexer.next();
                return true;
            }
            Shape::Equals | Shape::Semicolon => FaultKind::WrongColon,
            Shape::Comma if value_follows => FaultKind::CommaForColon,
            Shape::Comma | Shape::Close(_) | Shape::End => {
                self.lexer.fault(FaultKind::MissingValue, key);
                return false;
            }
            _ => {
                self.lexer.fault(FaultKind::MissingColon, at);
                return true;
            }
        };
        self.lexer.fault(fault, at);
        self.lexer.next();
        true
    }

    /// Whether a comma after a key stands for its colon: whether a value follows it, and not the next
    /// key.
    fn value_after_comma(&mut self) -> bool {
        if *self.lexer.peek(0) != Shape::Comma {
            return false;
        }
        match self.lexer.peek(1) {
            Shape::Open(_) | Shape::Null | Shape::Literal(_) => true,
            Shape::Text(_) | Shape::Word(_) => !matches!(self.lexer.peek(2), Shape::Colon),
            _ => false,
        }
    }

    fn after_colon(&mut self, key: Mark) -> Option<Node> {
        self.strays();
        while *self.lexer.peek(0) == Shape::Colon {
            let at = self.lexer.next().at;
            self.lexer.fault(FaultKind::ExtraColon, at);
            self.strays();
        }
        let value = self.value();
        if value.is_none() {
            self.lexer.fault(FaultKind::MissingValue, key);
        }
        value
    }

    /// Closes the innermost bracket at a closing one, which may be the wrong one. Then it is either a
    /// slip of the pen, and taken, or the right one was forgotten, and this one is left to close the
    /// bracket around.
    fn close(&mut self, found: Bracket, wrong: FaultKind) {
        if self.open.last() == Some(&found) {
            self.lexer.next();
            return;
        }
        let at = self.lexer.mark();
        self.lexer.fault(wrong, at);
        if !self.forgotten(found) {
            self.lexer.next();
        }
    }

    /// Whether the closing bracket here fits the bracket around better than the innermost one.
    fn forgotten(&mut self, found: Bracket) -> bool {
        let mut around = self.open.iter().rev().skip(1).copied();
        let (outer, beyond) = (around.next(), around.next());
        if outer != Some(found) {
            return false;
        }
        match self.lexer.peek(1) {
            Shape::End => beyond.is_none(),
            Shape::Close(next) => *next != found,
            // After the outer bracket comes a key if an object stands beyond it; else a value.
            Shape::Comma => {
                let key = matches!(self.lexer.peek(2), Shape::Text(_) | Shape::Word(_))
                    && *self.lexer.peek(3) == Shape::Colon;
                beyond.is_some_and(|beyond| {
                    Some(beyond) != outer && key == (beyond == Bracket::Object)
                })
            }
            _ => false,
        }
    }
}

fn scalar(text: String, quoted: bool) -> Kind {
    Kind::Scalar(Scalar { text: Sensitive::new(text), quoted })
}

/// What is wrong with a word where a value stands.
fn word_fault(word: &str) -> FaultKind {
    let bare = word.trim_start_matches(['-', '+']);
    match bare.to_ascii_lowercase().as_str() {
        "nan" | "infinity" | "inf" => FaultKind::NotANumber,
        "true" | "false" | "null" | "none" | "nil" | "undefined" | "yes" | "no" => {
            FaultKind::ForeignLiteral
        }
        lower => {
            let number = lower.starts_with(|c: char| c.is_ascii_digit() || c == '.')
                && lower.chars().all(|c| c.is_ascii_hexdigit() || "._xobe+-".contains(c));
            if number { FaultKind::NumberForm } else { FaultKind::UnquotedText }
        }
    }
}
