//! Which elements of a field a match reaches (RULES.md section 2: repeated groups, rows that hold two
//! people). One rule for access, erasure and the values that expansion follows.

use super::resolve::ResolvedLeaf;
use super::{Element, FoundHit, Reach, Resolved};

/// What of a leaf the eligible hits of one row reach; `None` where they reach nothing.
///
/// With `c` the number of list levels that target and hit share, a hit reaches exactly the elements
/// whose first `c` indices are the hit's; a hit outside the target's lists (`c` = 0) reaches all. A
/// hit on a field with a party reaches fields of that party or of none; a hit without one reaches all.
pub fn reach<'h>(
    resolved: &Resolved<'_>,
    target: &ResolvedLeaf<'_>,
    eligible: impl IntoIterator<Item = &'h FoundHit>,
) -> Option<Reach> {
    let mut prefixes: Vec<Element> = Vec::new();
    for hit in eligible {
        let Some(source) = resolved.leaf(hit.leaf) else { continue };
        if !same_party(source.party(), target.party()) {
            continue;
        }
        let shared = target.leaf.shared_lists(source.leaf);
        if shared == 0 || target.all_elements() {
            return Some(Reach::All);
        }
        // A hit has one index for each list level of its leaf; the guard refuses any other.
        prefixes.extend(hit.element.get(..shared).map(Element::from));
    }
    (!prefixes.is_empty()).then(|| Reach::Within(minimal(prefixes)))
}

/// Whether a match on a field of party `source` reaches a field of party `target`.
pub fn same_party(source: Option<&str>, target: Option<&str>) -> bool {
    match (source, target) {
        (Some(source), Some(target)) => source == target,
        _ => true,
    }
}

/// Sorted, without repetition, and without prefixes that a shorter one covers.
fn minimal(mut prefixes: Vec<Element>) -> Vec<Element> {
    prefixes.sort_unstable();
    let mut kept: Vec<Element> = Vec::with_capacity(prefixes.len());
    for prefix in prefixes {
        if !kept.last().is_some_and(|shorter| prefix.starts_with(shorter)) {
            kept.push(prefix);
        }
    }
    kept
}
