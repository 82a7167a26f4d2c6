//! National identifiers, by the check that each country's number carries.

pub(super) mod bsn;
pub(super) mod codice_fiscale;
pub(super) mod cpf;
pub(super) mod dni;
pub(super) mod german_tax_id;
pub(super) mod nino;
pub(super) mod nir;
pub(super) mod ssn;
