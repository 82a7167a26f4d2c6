//! Labels of a field (RULES.md section 1).

use std::fmt;

/// One label. The names are Adobe's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Label {
    /// Identifies a person directly.
    I1,
    /// Identifies in combination.
    I2,
    /// Precise location.
    S1,
    /// Broad location.
    S2,
    /// Searchable; its value identifies a device, possibly shared.
    IdDevice,
    /// Searchable; its value identifies an authenticated person.
    IdPerson,
    /// Returned for every access request that reaches the row.
    AccAll,
    /// Returned only where the row matched on an `ID-PERSON` field.
    AccPerson,
    /// Erased where the row matched on an `ID-DEVICE` field.
    DelDevice,
    /// Erased where the row matched on an `ID-PERSON` field.
    DelPerson,
}

impl Label {
    /// Every label, in the order of the rules.
    pub const ALL: [Self; 10] = [
        Self::I1,
        Self::I2,
        Self::S1,
        Self::S2,
        Self::IdDevice,
        Self::IdPerson,
        Self::AccAll,
        Self::AccPerson,
        Self::DelDevice,
        Self::DelPerson,
    ];

    /// The label as policies write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::I1 => "I1",
            Self::I2 => "I2",
            Self::S1 => "S1",
            Self::S2 => "S2",
            Self::IdDevice => "ID-DEVICE",
            Self::IdPerson => "ID-PERSON",
            Self::AccAll => "ACC-ALL",
            Self::AccPerson => "ACC-PERSON",
            Self::DelDevice => "DEL-DEVICE",
            Self::DelPerson => "DEL-PERSON",
        }
    }

    /// What it means, in a sentence for people (RULES.md section 1).
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::I1 => "Identifies a person directly: name, e-mail, phone.",
            Self::I2 => "Identifies in combination: loyalty number, CRM id, cookie id, IP address.",
            Self::S1 => "Precise location (100 m or finer).",
            Self::S2 => "Broad location.",
            Self::IdDevice => {
                "Can be searched; its value identifies a device, possibly shared. Needs I1 or I2, and a namespace."
            }
            Self::IdPerson => {
                "Can be searched; its value identifies an authenticated person. Needs I1 or I2, and a namespace."
            }
            Self::AccAll => "Returned for every access request that reaches the row.",
            Self::AccPerson => "Returned only where the row matched on an ID-PERSON field.",
            Self::DelDevice => {
                "Erased where the row matched on an ID-DEVICE field. Needs I1, I2 or S1."
            }
            Self::DelPerson => {
                "Erased where the row matched on an ID-PERSON field. Needs I1, I2 or S1."
            }
        }
    }

    /// The label of that exact spelling.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.as_str() == text)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of labels.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Labels(u16);

impl Labels {
    /// Whether the label is in the set.
    pub const fn has(self, label: Label) -> bool {
        self.0 & (1 << label as u8) != 0
    }

    /// Adds a label.
    pub const fn insert(&mut self, label: Label) {
        self.0 |= 1 << label as u8;
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The labels, in the order of the rules.
    pub fn iter(self) -> impl Iterator<Item = Label> {
        Label::ALL.into_iter().filter(move |label| self.has(*label))
    }

    /// `ID-DEVICE` or `ID-PERSON`.
    pub const fn is_id(self) -> bool {
        self.has(Label::IdDevice) || self.has(Label::IdPerson)
    }

    /// `ACC-ALL` or `ACC-PERSON`.
    pub const fn is_accessible(self) -> bool {
        self.has(Label::AccAll) || self.has(Label::AccPerson)
    }

    /// `DEL-DEVICE` or `DEL-PERSON`.
    pub const fn is_erasable(self) -> bool {
        self.has(Label::DelDevice) || self.has(Label::DelPerson)
    }
}

impl FromIterator<Label> for Labels {
    fn from_iter<I: IntoIterator<Item = Label>>(labels: I) -> Self {
        let mut set = Self::default();
        for label in labels {
            set.insert(label);
        }
        set
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
