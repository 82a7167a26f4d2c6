//! Thrift's compact protocol, as far as headers and footers need it.

/// A reader of Thrift's compact protocol.
#[derive(Clone)]
pub(crate) struct Thrift<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Thrift<'a> {
    /// Type number of a 32-bit integer.
    pub(crate) const I32: u8 = 5;
    /// Type number of a list.
    pub(crate) const LIST: u8 = 9;
    /// Type number of a struct.
    pub(crate) const STRUCT: u8 = 12;
    /// Nested deeper, a header is not a header.
    const DEEPEST: u8 = 64;

    /// Reads from a position.
    pub(crate) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// What comes next.
    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        let raw = self.varint()?;
        Some((raw >> 1) as i64 ^ -((raw & 1) as i64))
    }

    /// A 32-bit integer.
    pub(crate) fn i32(&mut self) -> Option<i32> {
        i32::try_from(self.zigzag()?).ok()
    }

    /// A text or bytes.
    pub(crate) fn binary(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        let bytes = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(bytes)
    }

    /// A boolean in a list.
    pub(crate) fn bool(&mut self) -> Option<bool> {
        Some(self.byte()? == 1)
    }

    /// The type of a list's elements, and how many there are.
    pub(crate) fn list_head(&mut self) -> Option<(u8, u64)> {
        let head = self.byte()?;
        let size = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        Some((head & 0x0f, size))
    }

    /// A list of items of one kind.
    pub(crate) fn list<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let (_, size) = self.list_head()?;
        (0..size).map(|_| item(self)).collect()
    }

    /// The type of the next field, whose number goes into `field`; `Some(None)` at a struct's end.
    pub(crate) fn field(&mut self, field: &mut i16) -> Option<Option<u8>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        *field = match byte >> 4 {
            0 => i16::try_from(self.zigzag()?).ok()?,
            delta => field.checked_add(i16::from(delta))?,
        };
        Some(Some(byte & 0x0f))
    }

    /// Passes over a value of a type.
    pub(crate) fn skip(&mut self, kind: u8) -> Option<()> {
        self.skip_at(kind, 0)
    }

    fn skip_at(&mut self, kind: u8, depth: u8) -> Option<()> {
        if depth > Self::DEEPEST {
            return None;
        }
        match kind {
            1 | 2 => {}
            3 => self.at = self.at.checked_add(1)?,
            4..=6 => {
                self.varint()?;
            }
            7 => self.at = self.at.checked_add(8)?,
            8 => {
                let length = usize::try_from(self.varint()?).ok()?;
                self.at = self.at.checked_add(length)?;
            }
            9 | 10 => {
                let (kind, size) = self.list_head()?;
                for _ in 0..size {
                    self.skip_item(kind, depth)?;
                }
            }
            Self::STRUCT => {
                let mut field = 0;
                while let Some(kind) = self.field(&mut field)? {
                    self.skip_at(kind, depth + 1)?;
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// An element of a list: a boolean takes a byte there.
    fn skip_item(&mut self, kind: u8, depth: u8) -> Option<()> {
        if self.at >= self.bytes.len() {
            return None;
        }
        self.skip_at(if matches!(kind, 1 | 2) { 3 } else { kind }, depth + 1)
    }
}
