//! Whether one value looks like personal data: pure functions, one file a kind, no tables of real data.
//!
//! Values are looked at whole, without white space at their ends; only e-mail addresses are found inside longer
//! texts, too.

mod card;
mod digits;
mod email;
mod iban;
mod ip;
mod name;
mod national;
mod phone;
#[cfg(test)]
mod tests;

use super::Likeness;

/// Whether a value looks like it in a column that may hold anything.
pub(super) fn looks(likeness: Likeness, text: &str) -> bool {
    match likeness {
        Likeness::Email => email::looks(text),
        Likeness::EmailInside => email::inside(text),
        Likeness::Phone => phone::looks(text),
        Likeness::Ip => ip::looks(text),
        Likeness::Iban => iban::looks(text),
        Likeness::Card => card::looks(text),
        Likeness::Ssn => national::ssn::looks(text),
        Likeness::Dni => national::dni::looks(text),
        Likeness::Cpf => national::cpf::looks(text),
        Likeness::GermanTaxId => national::german_tax_id::looks(text),
        Likeness::Nino => national::nino::looks(text),
        Likeness::Nir => national::nir::looks(text),
        Likeness::CodiceFiscale => national::codice_fiscale::looks(text),
        Likeness::Bsn => national::bsn::looks(text),
        Likeness::NationalId | Likeness::PersonName | Likeness::BirthDate => false,
    }
}

/// Whether a value looks like it in a column whose name says so.
pub(super) fn fits(likeness: Likeness, text: &str) -> bool {
    match likeness {
        Likeness::Phone => phone::fits(text),
        Likeness::Ssn => national::ssn::fits(text),
        Likeness::PersonName => name::fits(text),
        _ => looks(likeness, text),
    }
}
