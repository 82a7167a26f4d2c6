//! What a policy says about erasing, as one digest: when it differs from the digest of the policies under
//! which an erasure was completed, the erasure may no longer be what the policies want.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::model::{Catalog, Dataset, Namespace, hex};

/// SHA-256, in hex, over all that decides what an erasure reaches and writes: not over holds, limits,
/// and what only access needs.
pub fn erasure_rules(catalog: &Catalog) -> String {
    let mut text = format!("{:?}\n", catalog.settings.pseudonym_prefix);
    for dataset in &catalog.datasets {
        rules_of(dataset, &mut text);
    }
    for namespace in catalog.namespaces.values() {
        let Namespace { name, normalize, case_sensitive, expansion, ignore, .. } = namespace;
        let _ = writeln!(
            text,
            "{name} {normalize:?} {case_sensitive} {expansion:?} {:?}",
            std::collections::BTreeSet::from_iter(ignore)
        );
    }
    hex(&Sha256::digest(text.as_bytes()))
}

fn rules_of(dataset: &Dataset, text: &mut String) {
    let Dataset { name, location, environment, erase, delete_defaults, fields, .. } = dataset;
    let _ = writeln!(text, "{name} {location:?} {environment:?} {erase:?} {delete_defaults:?}");
    for field in fields {
        let _ = writeln!(
            text,
            "  {:?} {:?} {:?} {} {:?} {} {:?}",
            field.path,
            field.labels,
            field.namespace,
            field.pii,
            field.party,
            field.all_elements,
            field.erase
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::erasure_rules;
    use crate::model::{Hold, HoldScope, Name, Position};
    use crate::plan::testing::{World, field};

    fn digest(change: impl FnOnce(&mut World)) -> String {
        let mut world = World::default();
        world.dataset("e", vec![field("mail", "mail", "I1 ID-PERSON"), field("tel", "", "I1")]);
        change(&mut world);
        erasure_rules(&world.catalog)
    }

    #[test]
    fn what_decides_an_erasure_is_in_it_and_nothing_else() {
        let plain = digest(|_| {});
        assert_eq!(plain, digest(|_| {}));
        let fields = |world: &mut World, change: fn(&mut crate::model::Field)| {
            change(&mut world.catalog.datasets[0].fields[1]);
        };
        assert_ne!(plain, digest(|world| fields(world, |field| field.pii = true)));
        assert_eq!(plain, digest(|world| fields(world, |field| field.selectable = true)));
        assert_eq!(plain, digest(|world| fields(world, |field| field.position.line = 7)));
        let hold = Hold {
            name: Name::new("h").unwrap(),
            scope: HoldScope::Datasets { datasets: Vec::new(), fields: Vec::new() },
            until: None,
            reason: "r".to_owned(),
            position: Position::default(),
        };
        assert_eq!(plain, digest(|world| world.catalog.holds.push(hold)));
    }
}
