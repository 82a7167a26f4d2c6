//! What personal data looks like: the kinds that the coverage lint knows.

use crate::model::Label;

/// A kind of personal data that a column may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Likeness {
    /// E-mail addresses.
    Email,
    /// Longer texts, URLs among them, that hold an e-mail address.
    EmailInside,
    /// Telephone numbers.
    Phone,
    /// IP addresses, version 4 or 6.
    Ip,
    /// Bank accounts.
    Iban,
    /// Payment cards.
    Card,
    /// Social security numbers (US).
    Ssn,
    /// DNI and NIE (Spain).
    Dni,
    /// CPF (Brazil).
    Cpf,
    /// Tax identification numbers (Germany).
    GermanTaxId,
    /// National Insurance numbers (UK).
    Nino,
    /// NIR, the social security number (France).
    Nir,
    /// Codice fiscale (Italy).
    CodiceFiscale,
    /// BSN (Netherlands).
    Bsn,
    /// National identifiers that only a column's name tells: passports, identity cards, tax numbers.
    NationalId,
    /// Names of people. Only in columns whose name says so.
    PersonName,
    /// Dates of birth. Only a column's name tells.
    BirthDate,
}

/// From when on values alone speak for a likeness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Threshold {
    /// Share of the sampled values, in per cent.
    pub(super) per_cent: u64,
    /// So many values at least.
    pub(super) least: u64,
}

impl Likeness {
    /// All of them, the most telling first: of two that fit equally well the first counts.
    pub const ALL: [Self; 17] = [
        Self::Email,
        Self::EmailInside,
        Self::Iban,
        Self::CodiceFiscale,
        Self::Nir,
        Self::Ip,
        Self::Cpf,
        Self::Dni,
        Self::Nino,
        Self::Ssn,
        Self::Card,
        Self::Phone,
        Self::GermanTaxId,
        Self::Bsn,
        Self::NationalId,
        Self::PersonName,
        Self::BirthDate,
    ];

    /// One of its values in words.
    pub const fn one(self) -> &'static str {
        match self {
            Self::Email => "an e-mail address",
            Self::EmailInside => "a text with an e-mail address",
            Self::Phone => "a phone number",
            Self::Ip => "an IP address",
            Self::Iban => "an IBAN",
            Self::Card => "a payment card number",
            Self::Ssn => "a US social security number",
            Self::Dni => "a Spanish DNI or NIE",
            Self::Cpf => "a Brazilian CPF",
            Self::GermanTaxId => "a German tax identification number",
            Self::Nino => "a UK National Insurance number",
            Self::Nir => "a French social security number (NIR)",
            Self::CodiceFiscale => "an Italian codice fiscale",
            Self::Bsn => "a Dutch BSN",
            Self::NationalId => "a national identifier",
            Self::PersonName => "a person's name",
            Self::BirthDate => "a date of birth",
        }
    }

    /// Its values in words.
    pub const fn many(self) -> &'static str {
        match self {
            Self::Email => "e-mail addresses",
            Self::EmailInside => "texts with e-mail addresses",
            Self::Phone => "phone numbers",
            Self::Ip => "IP addresses",
            Self::Iban => "IBANs",
            Self::Card => "payment card numbers",
            Self::Ssn => "US social security numbers",
            Self::Dni => "Spanish DNI or NIE numbers",
            Self::Cpf => "Brazilian CPF numbers",
            Self::GermanTaxId => "German tax identification numbers",
            Self::Nino => "UK National Insurance numbers",
            Self::Nir => "French social security numbers (NIR)",
            Self::CodiceFiscale => "Italian codici fiscali",
            Self::Bsn => "Dutch BSN numbers",
            Self::NationalId => "national identifiers",
            Self::PersonName => "names of people",
            Self::BirthDate => "dates of birth",
        }
    }

    /// From when on values alone speak for it, whatever the column is called; `None`: never. The more
    /// values of other kinds pass the test by chance, the more must pass: one in 97 numbers of the right
    /// form is an IBAN, one in ten a card number, one in eleven a BSN.
    pub(super) const fn threshold(self) -> Option<Threshold> {
        let (per_cent, least) = match self {
            Self::Email => (5, 1),
            Self::EmailInside => (5, 2),
            Self::Iban | Self::CodiceFiscale => (10, 1),
            Self::Ip | Self::Nir => (20, 1),
            Self::Dni | Self::Cpf | Self::Phone => (30, 2),
            Self::Nino | Self::Ssn | Self::Card => (50, 2),
            Self::GermanTaxId | Self::Bsn => (50, 3),
            Self::NationalId | Self::PersonName | Self::BirthDate => return None,
        };
        Some(Threshold { per_cent, least })
    }

    /// From when on values bear out a name that alone says little: [`super::names::Hint::sure`] is false.
    pub(super) const fn threshold_if_named(self) -> Threshold {
        match self {
            Self::PersonName => Threshold { per_cent: 50, least: 1 },
            _ => Threshold { per_cent: 10, least: 1 },
        }
    }

    /// Whether values tell at all.
    pub(super) const fn can_be_counted(self) -> bool {
        !matches!(self, Self::NationalId | Self::BirthDate)
    }

    /// The label that says how it identifies: directly or in combination.
    pub(super) const fn label(self) -> Label {
        match self {
            Self::Ip | Self::BirthDate => Label::I2,
            _ => Label::I1,
        }
    }

    /// Whether integers and floats can hold it.
    pub(super) const fn fits_numbers(self) -> bool {
        !matches!(
            self,
            Self::Email
                | Self::EmailInside
                | Self::Iban
                | Self::Dni
                | Self::Nino
                | Self::CodiceFiscale
                | Self::PersonName
        )
    }
}

impl Threshold {
    /// Whether `like` of `values` reach it.
    pub(super) const fn met(self, like: u64, values: u64) -> bool {
        like >= self.least && like.saturating_mul(100) >= values.saturating_mul(self.per_cent)
    }
}
