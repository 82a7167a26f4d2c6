#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use jiff::Timestamp;

use super::*;
use crate::model::{
    Extension, FieldPath, IdentityTerm, Name, NamespaceName, Position, Product, Regulation,
    Sensitive, Veil, VeiledTerm,
};
use crate::store::{KeyStore, LocalDisk};

fn identity(namespace: &str, value: &str) -> Identity {
    Identity {
        namespace: NamespaceName::new(namespace).unwrap(),
        given: Sensitive::new(value.to_owned()),
        canonical: Sensitive::new(value.to_lowercase()),
    }
}

fn one(namespace: &str, value: &str) -> IdentityTerm {
    IdentityTerm::One(identity(namespace, value))
}

fn all(parts: &[(&str, &str)]) -> IdentityTerm {
    IdentityTerm::AllOf(parts.iter().map(|(n, v)| identity(n, v)).collect())
}

fn request() -> Request {
    let block = UserBlock {
        key: "K-1".to_owned(),
        actions: BTreeSet::from([Action::Access, Action::Delete]),
        identities: vec![
            one("crm", "A-1"),
            one("email", "x@y.z"),
            all(&[("l", "Doe"), ("b", "1")]),
        ],
        veiled: Vec::new(),
        only: Only::default(),
        standing: false,
        accept_conflicts: false,
        rejected: None,
        position: Position::default(),
    };
    Request {
        name: Name::new("acme").unwrap(),
        named: true,
        regulation: None,
        received_at: None,
        extension: None,
        expand_ids: false,
        delete_method: DeleteMethod::Anonymize,
        include: None,
        suspend: false,
        withdrawn: false,
        users: vec![block],
        rejected: None,
        position: Position::default(),
    }
}

fn print(request: &Request) -> Vec<u8> {
    let digest = |i: &Identity| format!("{}={}", i.namespace.folded(), i.canonical.expose());
    encoding(request, &request.users[0], Action::Delete, &digest).unwrap()
}

fn changed(change: impl FnOnce(&mut Request)) -> bool {
    let mut request = request();
    change(&mut request);
    print(&request) != print(&self::request())
}

fn block_changed(change: impl FnOnce(&mut UserBlock)) -> bool {
    changed(|request| change(&mut request.users[0]))
}

#[test]
fn what_the_rules_name_counts() {
    assert!(changed(|r| r.expand_ids = true));
    assert!(changed(|r| r.delete_method = DeleteMethod::Purge));
    assert!(changed(|r| r.include = Some(BTreeSet::from([Product::new("analytics").unwrap()]))));
    assert!(changed(|r| r.include = Some(BTreeSet::new())));
    assert!(block_changed(|b| b.identities[0] = one("crm", "A-2")));
    assert!(block_changed(|b| b.identities[0] = one("crm2", "A-1")));
    assert!(block_changed(|b| drop(b.identities.pop())));
    assert!(block_changed(|b| b.identities.push(one("l", "Doe"))));
    assert!(block_changed(|b| b.only.datasets = Some(BTreeSet::from([Name::new("d").unwrap()]))));
    assert!(block_changed(|b| b.only.sources = Some(BTreeSet::from(["d".to_owned()]))));
    assert!(block_changed(|b| {
        let value = Sensitive::new("iOS".to_owned());
        b.only.r#where.insert(FieldPath::dotted("os").unwrap(), value);
    }));
    let request = request();
    let digest = |_: &Identity| String::new();
    let of = |action| encoding(&request, &request.users[0], action, &digest);
    assert_ne!(of(Action::Access), of(Action::Delete));
}

#[test]
fn nothing_else_does() {
    assert!(!changed(|r| r.suspend = true));
    assert!(!changed(|r| r.withdrawn = true));
    assert!(!changed(|r| r.received_at = Some(Timestamp::UNIX_EPOCH)));
    assert!(!changed(|r| r.regulation = Some(Regulation::new("gdpr"))));
    assert!(!changed(|r| {
        let until = jiff::civil::date(2030, 1, 1);
        r.extension = Some(Extension { until, reason: "late".to_owned() });
    }));
    assert!(!changed(|r| r.position.line = 7));
    assert!(!block_changed(|b| b.accept_conflicts = true));
    assert!(!block_changed(|b| b.standing = true));
    assert!(!block_changed(|b| b.actions = BTreeSet::from([Action::Access])));
}

#[test]
fn order_case_and_repetition_do_not_count() {
    assert!(!block_changed(|b| b.identities.reverse()));
    assert!(!block_changed(|b| b.identities.push(one("CRM", "a-1"))));
    assert!(!block_changed(|b| b.identities[2] = all(&[("b", "1"), ("l", "DOE")])));
    let includes = |name: &str| {
        let mut request = request();
        request.include = Some(BTreeSet::from([Product::new(name).unwrap()]));
        print(&request)
    };
    assert_eq!(includes("Analytics"), includes("analytics"));
}

#[test]
fn parts_cannot_be_taken_for_one_another() {
    let with = |terms: Vec<IdentityTerm>| {
        let mut request = request();
        request.users[0].identities = terms;
        print(&request)
    };
    let forms = [
        with(vec![one("a", "1"), one("b", "2")]),
        with(vec![all(&[("a", "1"), ("b", "2")])]),
        with(vec![one("a", "1")]),
        with(vec![all(&[("a", "1"), ("b", "2")]), one("a", "1")]),
        with(vec![all(&[("a", "1"), ("b", "2")]), all(&[("a", "1"), ("c", "2")])]),
        with(vec![all(&[("a", "1"), ("b", "2"), ("c", "2")])]),
    ];
    assert_eq!(forms.iter().collect::<BTreeSet<_>>().len(), forms.len());
}

#[test]
fn the_fingerprint_is_keyed_and_differs_between_requests() {
    let dir = tempfile::tempdir().unwrap();
    let disk = LocalDisk::new(dir.path());
    let key = KeyStore::new(&disk).deployment_or_make(true).unwrap();
    let request = request();
    let of = |request: &Request| fingerprint(&key, request, &request.users[0], Action::Delete);
    assert_eq!(of(&request), of(&request.clone()));
    assert_eq!(of(&request).unwrap().len(), 64);
    let mut other = request.clone();
    other.name = Name::new("other").unwrap();
    assert_ne!(of(&request), of(&other));
    let dir = tempfile::tempdir().unwrap();
    let disk = LocalDisk::new(dir.path());
    let key = KeyStore::new(&disk).deployment_or_make(true).unwrap();
    assert_ne!(of(&request), fingerprint(&key, &request, &request.users[0], Action::Delete));
}

#[test]
fn a_digest_in_place_of_a_value_is_the_same_task() {
    let dir = tempfile::tempdir().unwrap();
    let disk = LocalDisk::new(dir.path());
    let key = KeyStore::new(&disk).deployment_or_make(true).unwrap();
    let plain = request();
    let of = |request: &Request| fingerprint(&key, request, &request.users[0], Action::Delete);
    let veiled = |veil: &dyn Fn(String) -> Veil| {
        let mut request = plain.clone();
        let block = &mut request.users[0];
        let term = block.identities.pop().unwrap();
        let part = |identity: &Identity| Part::Veiled {
            namespace: identity.namespace.clone(),
            veil: veil(key.identity(&identity.namespace, &identity.canonical)),
        };
        // One part of the composite identity is still known.
        let [first, second] = term.parts() else { panic!("not two parts") };
        block.veiled.push(VeiledTerm(vec![Part::Known(first.clone()), part(second)]));
        block
            .veiled
            .push(VeiledTerm(block.identities.remove(0).parts().iter().map(part).collect()));
        request
    };
    assert_eq!(of(&veiled(&Veil::Digest)), of(&plain));
    assert_eq!(of(&veiled(&Veil::Absent)), of(&plain));
    assert_eq!(of(&veiled(&|_| Veil::Sealed)), None);
    assert_ne!(of(&veiled(&|digest| Veil::Digest(digest.replace('0', "1")))), of(&plain));
}
