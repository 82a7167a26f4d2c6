//! Thrift's compact protocol as a tree: whatever a footer, a page header or an index holds is read,
//! edited and written back without losing a field, known to us or not.

/// The bytes are not what the protocol demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

type Read<T> = Result<T, Malformed>;

/// Deeper trees are refused: a footer must not end the stack.
const DEEPEST: usize = 48;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Bool(bool),
    Byte(u8),
    I16(i16),
    I32(i32),
    I64(i64),
    /// The bits, least significant byte first.
    Double([u8; 8]),
    Bytes(Vec<u8>),
    /// Wire type of the elements (8 bits wide: sets keep theirs), elements.
    List(u8, Vec<Value>),
    Set(u8, Vec<Value>),
    Map(u8, u8, Vec<(Value, Value)>),
    Struct(Struct),
}

/// Fields by id, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Struct(Vec<(i16, Value)>);

/// Wire type of lists of structs.
pub(crate) const STRUCTS: u8 = 12;

impl Struct {
    /// Reads one from the front of `bytes`; also how many bytes it took.
    pub(crate) fn read(bytes: &[u8]) -> Read<(Self, usize)> {
        let mut reader = Reader { bytes, at: 0 };
        let tree = reader.structure(0)?;
        Ok((tree, reader.at))
    }

    /// Appends it to `out`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut last = 0_i16;
        for (id, value) in &self.0 {
            let kind = match value {
                Value::Bool(true) => 1,
                Value::Bool(false) => 2,
                other => other.kind(),
            };
            match id.checked_sub(last) {
                Some(delta @ 1..=15) => out.push((delta.to_le_bytes()[0] << 4) | kind),
                _ => {
                    out.push(kind);
                    write_varint(out, zigzag(i64::from(*id)));
                }
            }
            last = *id;
            if !matches!(value, Value::Bool(_)) {
                value.write(out);
            }
        }
        out.push(0);
    }

    pub(crate) fn get(&self, id: i16) -> Option<&Value> {
        self.0.iter().find(|(field, _)| *field == id).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, id: i16) -> Option<&mut Value> {
        self.0.iter_mut().find(|(field, _)| *field == id).map(|(_, value)| value)
    }

    pub(crate) fn has(&self, id: i16) -> bool {
        self.get(id).is_some()
    }

    /// Puts a field, in place where it stands, else in the order of ids.
    pub(crate) fn set(&mut self, id: i16, value: Value) {
        match self.get_mut(id) {
            Some(place) => *place = value,
            None => {
                let at = self.0.iter().position(|(field, _)| *field > id).unwrap_or(self.0.len());
                self.0.insert(at, (id, value));
            }
        }
    }

    pub(crate) fn remove(&mut self, id: i16) {
        self.0.retain(|(field, _)| *field != id);
    }

    pub(crate) fn i32(&self, id: i16) -> Option<i32> {
        match self.get(id) {
            Some(Value::I32(number)) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn i64(&self, id: i16) -> Option<i64> {
        match self.get(id) {
            Some(Value::I64(number)) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn bool(&self, id: i16) -> Option<bool> {
        match self.get(id) {
            Some(Value::Bool(flag)) => Some(*flag),
            _ => None,
        }
    }

    pub(crate) fn bytes(&self, id: i16) -> Option<&[u8]> {
        match self.get(id) {
            Some(Value::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    pub(crate) fn structure(&self, id: i16) -> Option<&Self> {
        match self.get(id) {
            Some(Value::Struct(inner)) => Some(inner),
            _ => None,
        }
    }

    pub(crate) fn structure_mut(&mut self, id: i16) -> Option<&mut Self> {
        match self.get_mut(id) {
            Some(Value::Struct(inner)) => Some(inner),
            _ => None,
        }
    }

    pub(crate) fn list(&self, id: i16) -> Option<&[Value]> {
        match self.get(id) {
            Some(Value::List(_, items)) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn list_mut(&mut self, id: i16) -> Option<&mut Vec<Value>> {
        match self.get_mut(id) {
            Some(Value::List(_, items)) => Some(items),
            _ => None,
        }
    }

    /// The first field: what a union holds.
    pub(crate) fn first(&self) -> Option<i16> {
        self.0.first().map(|(id, _)| *id)
    }
}

impl Value {
    pub(crate) fn structure(&self) -> Option<&Struct> {
        match self {
            Self::Struct(inner) => Some(inner),
            _ => None,
        }
    }

    pub(crate) fn structure_mut(&mut self) -> Option<&mut Struct> {
        match self {
            Self::Struct(inner) => Some(inner),
            _ => None,
        }
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Bool(_) => 1,
            Self::Byte(_) => 3,
            Self::I16(_) => 4,
            Self::I32(_) => 5,
            Self::I64(_) => 6,
            Self::Double(_) => 7,
            Self::Bytes(_) => 8,
            Self::List(..) => 9,
            Self::Set(..) => 10,
            Self::Map(..) => 11,
            Self::Struct(_) => 12,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bool(flag) => out.push(if *flag { 1 } else { 2 }),
            Self::Byte(byte) => out.push(*byte),
            Self::I16(number) => write_varint(out, zigzag(i64::from(*number))),
            Self::I32(number) => write_varint(out, zigzag(i64::from(*number))),
            Self::I64(number) => write_varint(out, zigzag(*number)),
            Self::Double(bits) => out.extend_from_slice(bits),
            Self::Bytes(bytes) => {
                write_varint(out, bytes.len() as u64);
                out.extend_from_slice(bytes);
            }
            Self::List(kind, items) | Self::Set(kind, items) => {
                match u8::try_from(items.len()) {
                    Ok(short @ 0..=14) => out.push((short << 4) | kind),
                    _ => {
                        out.push(0xf0 | kind);
                        write_varint(out, items.len() as u64);
                    }
                }
                for item in items {
                    item.write(out);
                }
            }
            Self::Map(key, value, entries) => {
                write_varint(out, entries.len() as u64);
                if !entries.is_empty() {
                    out.push((key << 4) | value);
                }
                for (key, value) in entries {
                    key.write(out);
                    value.write(out);
                }
            }
            Self::Struct(inner) => inner.write(out),
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Read<u8> {
        let byte = *self.bytes.get(self.at).ok_or(Malformed)?;
        self.at += 1;
        Ok(byte)
    }

    fn take(&mut self, count: usize) -> Read<&[u8]> {
        let end = self.at.checked_add(count).ok_or(Malformed)?;
        let taken = self.bytes.get(self.at..end).ok_or(Malformed)?;
        self.at = end;
        Ok(taken)
    }

    fn varint(&mut self) -> Read<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn integer(&mut self) -> Read<i64> {
        let raw = self.varint()?;
        Ok((raw >> 1).cast_signed() ^ -((raw & 1).cast_signed()))
    }

    /// A count of things of which each takes at least one byte.
    fn count(&mut self) -> Read<usize> {
        let count = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
        if count > self.bytes.len().saturating_sub(self.at) { Err(Malformed) } else { Ok(count) }
    }

    fn structure(&mut self, depth: usize) -> Read<Struct> {
        if depth > DEEPEST {
            return Err(Malformed);
        }
        let mut fields: Vec<(i16, Value)> = Vec::new();
        let mut last = 0_i16;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(Struct(fields));
            }
            let id = match head >> 4 {
                0 => i16::try_from(self.integer()?).map_err(|_| Malformed)?,
                delta => last.checked_add(i16::from(delta)).ok_or(Malformed)?,
            };
            if fields.iter().any(|(known, _)| *known == id) {
                return Err(Malformed);
            }
            let value = match head & 0x0f {
                1 => Value::Bool(true),
                2 => Value::Bool(false),
                kind => self.value(kind, depth)?,
            };
            fields.push((id, value));
            last = id;
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Read<Value> {
        if depth > DEEPEST {
            return Err(Malformed);
        }
        Ok(match kind {
            1 | 2 => Value::Bool(self.byte()? == 1),
            3 => Value::Byte(self.byte()?),
            4 => Value::I16(i16::try_from(self.integer()?).map_err(|_| Malformed)?),
            5 => Value::I32(i32::try_from(self.integer()?).map_err(|_| Malformed)?),
            6 => Value::I64(self.integer()?),
            7 => Value::Double(self.take(8)?.try_into().map_err(|_| Malformed)?),
            8 => {
                let length = self.count()?;
                Value::Bytes(self.take(length)?.to_vec())
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = match head >> 4 {
                    15 => self.count()?,
                    short => usize::from(short),
                };
                let mut items = Vec::with_capacity(count.min(1024));
                for _ in 0..count {
                    items.push(self.value(head & 0x0f, depth + 1)?);
                }
                if kind == 9 {
                    Value::List(head & 0x0f, items)
                } else {
                    Value::Set(head & 0x0f, items)
                }
            }
            11 => {
                let count = self.count()?;
                let kinds = if count == 0 { 0 } else { self.byte()? };
                let mut entries = Vec::with_capacity(count.min(1024));
                for _ in 0..count {
                    let key = self.value(kinds >> 4, depth + 1)?;
                    entries.push((key, self.value(kinds & 0x0f, depth + 1)?));
                }
                Value::Map(kinds >> 4, kinds & 0x0f, entries)
            }
            12 => Value::Struct(self.structure(depth + 1)?),
            _ => return Err(Malformed),
        })
    }
}

const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// Appends an unsigned LEB128 number.
pub(crate) fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
