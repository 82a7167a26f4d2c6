//! The registry of diagnostic codes: what `amparo explain CODE` knows.
//!
//! Codes are grouped by hundred, one file a group: 00xx files and envelope, 01xx datasets, fields and
//! labels, 02xx namespaces, 03xx requests, 04xx values and blocks, 05xx holds and settings, 06xx data,
//! 07xx Adobe JSON, 09xx approvals, 10xx roles; 08xx is set aside for the ledger. A code that was once published is never reused.

use crate::diagnostic::Code;

/// Declares the codes of a group: `NAME = "AMP0123", "title", "explanation";`, and their list `ALL`.
macro_rules! codes {
    ($($name:ident = $id:literal, $title:literal, $explanation:literal;)*) => {
        $(
            #[doc = concat!("`", $id, "`: ", $title, ".")]
            pub const $name: crate::diagnostic::Code =
                crate::diagnostic::Code { id: $id, title: $title, explanation: $explanation };
        )*
        /// Every code of this group.
        pub const ALL: &[crate::diagnostic::Code] = &[$($name),*];
    };
}

pub mod approval;
pub mod data;
pub mod dataset;
pub mod files;
pub mod hold;
pub mod namespace;
pub mod request;
pub mod role;

/// Every code, by id.
pub fn all() -> Vec<Code> {
    let groups = [
        files::ALL,
        dataset::ALL,
        namespace::ALL,
        request::ALL,
        hold::ALL,
        data::ALL,
        approval::ALL,
        role::ALL,
    ];
    let mut codes = groups.concat();
    codes.sort_by_key(|code| code.id);
    codes
}

/// The code of that id, compared without case: `AMP0123`, `amp0123`, or the digits alone.
pub fn find(id: &str) -> Option<Code> {
    let upper = id.trim().to_uppercase();
    let full = if upper.starts_with("AMP") { upper } else { format!("AMP{upper:0>4}") };
    all().into_iter().find(|code| code.id == full)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_well_formed() {
        let mut seen = BTreeSet::new();
        for code in all() {
            assert!(seen.insert(code.id), "{} is there twice", code.id);
            let digits = code.id.strip_prefix("AMP").unwrap_or_default();
            assert!(digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()), "{}", code.id);
        }
    }

    #[test]
    fn explanations_explain() {
        for code in all() {
            assert!(code.explanation.len() > 60, "{} explains too little", code.id);
            assert!(!code.title.is_empty() && !code.title.ends_with('.'), "{}", code.id);
        }
    }

    #[test]
    fn codes_are_found_in_every_spelling() {
        assert_eq!(find("amp0004"), Some(files::SYNTAX));
        assert_eq!(find("4"), Some(files::SYNTAX));
        assert_eq!(find("AMP9999"), None);
    }
}
