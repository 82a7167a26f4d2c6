//! Blocks of which not every identity is known.

use crate::model::{UserBlock, Veil, VeiledTerm};

/// Why the identities of a block are not all known, and none of it can be searched: a part of it could be done,
/// and would look like all.
pub fn unread(block: &UserBlock) -> Option<String> {
    let veils: Vec<&Veil> = block.veiled.iter().flat_map(VeiledTerm::veils).collect();
    let sealed = veils.iter().filter(|veil| matches!(veil, Veil::Sealed)).count();
    if sealed > 0 {
        let s = if sealed == 1 { "" } else { "s" };
        return Some(format!(
            "{sealed} sealed value{s} that no key at hand opens: give the key with --identity FILE or \
             AMPARO_IDENTITY"
        ));
    }
    veils.into_iter().find_map(|veil| match veil {
        Veil::Unclear(_, why) => Some(why.clone()),
        Veil::Digest(_) => Some(
            "an identity is given by its digest, and only whoever has the deployment key of the state can \
             look it up"
                .to_owned(),
        ),
        Veil::Sealed | Veil::Absent(_) => None,
    })
}
