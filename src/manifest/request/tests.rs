#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use super::*;
use crate::diagnostic::Severity;
use crate::model::*;

fn name(text: &str) -> NamespaceName {
    NamespaceName::new(text).unwrap()
}

fn id_field(path: &str, namespace: &str) -> Field {
    Field {
        path: FieldPath::dotted(path).unwrap(),
        labels: [Label::I2, Label::IdPerson].into_iter().collect(),
        namespace: Some(name(namespace)),
        pii: false,
        selectable: false,
        party: None,
        all_elements: false,
        erase: None,
        reason: None,
        position: Position::default(),
    }
}

fn selectable(path: FieldPath) -> Field {
    Field {
        path,
        labels: Labels::default(),
        namespace: None,
        selectable: true,
        ..id_field("x", "x")
    }
}

fn dataset(of: &str, product: &str, environment: Environment, fields: Vec<Field>) -> Dataset {
    Dataset {
        name: Name::new(of).unwrap(),
        product: Product::new(product).unwrap(),
        source: format!("{of} source"),
        environment,
        location: String::new(),
        timestamp: None,
        hit_id: None,
        erase: EraseMode::Fields,
        delete_defaults: DeleteDefaults::default(),
        unlabelled: Unlabelled::Allow,
        may_be_empty: false,
        same_subject: false,
        fields,
        position: Position::default(),
    }
}

/// Two production datasets and a test one.
pub(super) fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    let dotted = FieldPath::new(["a.b", "c"]).unwrap();
    let os = FieldPath::dotted("props.device").unwrap();
    catalog.datasets = vec![
        dataset(
            "web",
            "analytics",
            Environment::Production,
            vec![
                id_field("visitor", "AAID"),
                id_field("ecid", "ECID"),
                id_field("crm", "crm-id"),
                id_field("mail", "email address"),
                id_field("mail", "Email"),
                selectable(os),
                selectable(dotted),
            ],
        ),
        dataset("shop", "Shop", Environment::Production, vec![id_field("phone", "phone no")]),
        dataset("qa", "analytics", Environment::Test, vec![id_field("crm", "qa-crm-id")]),
    ];
    let email = Namespace {
        normalize: vec![Normalize::Trim],
        format: Some(regex::Regex::new(r"^[^@\s]+@[^@\s]+$").unwrap()),
        ..Namespace::built_in(&name("email address"))
    };
    let phone = Namespace {
        normalize: vec![Normalize::Digits],
        ignore: BTreeSet::from(["555".to_owned()]),
        ..Namespace::built_in(&name("phone no"))
    };
    catalog.namespaces = [email, phone].into_iter().map(|n| (n.name.clone(), n)).collect();
    catalog
}

fn read(path: &str, text: &str, catalog: &Catalog) -> (Vec<Request>, Vec<Diagnostic>) {
    let file = SourceFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() };
    read_file(
        &file,
        Context {
            catalog,
            now: Some("2026-11-22T00:00:00Z".parse().unwrap()),
            opener: None,
            spots: None,
        },
    )
}

/// A native request with one block of these lines.
fn with_block(block: &str) -> String {
    let indented: String = block.lines().map(|line| format!("      {line}\n")).collect();
    format!(
        "apiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {{name: r1}}\nspec:\n  regulation: gdpr\n  include: [analytics, shop]\n  users:\n    -\n{indented}"
    )
}

/// A native request with these lines in its spec, and a plain block.
fn with_spec(spec: &str) -> String {
    let mut text =
        "apiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {name: r1}\nspec:\n".to_owned();
    for (key, line) in [("regulation", "regulation: gdpr"), ("include", "include: [analytics]")] {
        if !spec.contains(&format!("{key}:")) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    spec.lines().for_each(|line| text.push_str(&format!("  {line}\n")));
    if !spec.contains("users:") {
        text.push_str("  users:\n    - {key: K-1, action: [access], userIDs: [{namespace: crm-id, value: A1}]}\n");
    }
    text
}

fn codes(diagnostics: &[Diagnostic]) -> Vec<(&'static str, Severity)> {
    diagnostics.iter().map(|d| (d.code.id, d.severity)).collect()
}

/// What becomes of a block: `Ok` and its reason, or the file's rejection.
fn verdict(block: &str) -> (Option<Reason>, Option<Reason>, Vec<(&'static str, Severity)>) {
    let (requests, diagnostics) = read("requests/r1.yaml", &with_block(block), &catalog());
    let [request] = requests.as_slice() else { panic!("one request") };
    (request.rejected, request.users.first().and_then(|user| user.rejected), codes(&diagnostics))
}

const E: Severity = Severity::Error;
const W: Severity = Severity::Warning;
const N: Severity = Severity::Note;

#[test]
fn a_full_block_is_read() {
    let text = with_block(
        "key: 1236\naction: [access, delete]\nuserIDs:\n  - {namespace: CRM-ID, value: 0012}\n  - {namespaceId: 6, value: a@b}\n  - allOf: [{namespace: crm-id, value: Doe}, {namespace: crm-id, value: 1980-02-29}]\nonly: {datasets: [web], sources: [web source], where: {props.device.os: 17, '\"a.b\".c': x}}\nstanding: true\nacceptConflicts: true",
    );
    let (requests, diagnostics) = read("r.yaml", &text, &catalog());
    assert_eq!(codes(&diagnostics), []);
    let request = &requests[0];
    assert_eq!((request.name.as_str(), request.rejected), ("r1", None));
    let user = &request.users[0];
    assert_eq!((user.key.as_str(), user.rejected), ("1236", None));
    assert_eq!(user.actions, BTreeSet::from([Action::Access, Action::Delete]));
    assert!(user.standing && user.accept_conflicts);
    let values: Vec<Vec<(&str, &str)>> = user
        .identities
        .iter()
        .map(|term| {
            term.parts().iter().map(|i| (i.namespace.as_str(), i.given.expose().as_str())).collect()
        })
        .collect();
    let expected = vec![
        vec![("CRM-ID", "0012")],
        vec![("Email", "a@b")],
        vec![("crm-id", "Doe"), ("crm-id", "1980-02-29")],
    ];
    assert_eq!(values, expected);
    let conditions: Vec<_> =
        user.only.r#where.iter().map(|(p, v)| (p.to_string(), v.expose().clone())).collect();
    assert_eq!(
        conditions,
        [("\"a.b\".c".to_owned(), "x".to_owned()), ("props.device.os".to_owned(), "17".to_owned())]
    );
    assert_eq!(user.position.line, 9);
}

/// Blocks with one thing wrong: (the block, why it is rejected, code). The file goes on.
#[test]
fn what_is_wrong_with_values_rejects_the_block() {
    let invalid = Some(Reason::Invalid);
    let format = Some(Reason::ValueFormat);
    let ids = |ids: &str| format!("key: K\naction: [access]\nuserIDs: [{ids}]");
    let good = "{namespace: crm-id, value: A1}";
    let cases = [
        (
            format!("key: K\naction: [access, rectify]\nuserIDs: [{good}]"),
            Some(Reason::UnknownAction),
            "AMP0401",
        ),
        (format!("key: K\naction: []\nuserIDs: [{good}]"), invalid, "AMP0402"),
        (ids(""), invalid, "AMP0403"),
        (
            ids(&(0..10)
                .map(|i| format!("{{namespace: crm-id, value: A{i}}}"))
                .collect::<Vec<_>>()
                .join(",")),
            invalid,
            "AMP0404",
        ),
        (ids("{namespace: crm/id, value: x}"), invalid, "AMP0405"),
        (ids("{namespaceId: 99, value: x}"), invalid, "AMP0406"),
        (ids("{namespace: '0', type: namespaceId, value: x}"), invalid, "AMP0406"),
        (ids("{namespace: ECID, type: namespaceId, value: x}"), invalid, "AMP0406"),
        (ids("{namespace: ECID, namespaceId: 10, value: x}"), invalid, "AMP0407"),
        (ids("{namespace: crm-id, namespaceId: 4, value: x}"), invalid, "AMP0407"),
        (ids("{namespace: ECID, namespaceId: x, value: x}"), invalid, "AMP0407"),
        (ids("{namespace: 4, namespaceId: 6, type: namespaceId, value: x}"), invalid, "AMP0407"),
        (ids("{namespace: crm-id, type: other, value: x}"), invalid, "AMP0408"),
        (
            ids("{namespace: crm-id, value: x}, {namespace: qa-crm-id, value: x}"),
            invalid,
            "AMP0409",
        ),
        (
            ids("{allOf: [{namespace: crm-id, value: x}, {namespace: qa-crm-id, value: x}]}"),
            invalid,
            "AMP0409",
        ),
        (ids("{namespace: qa-aaid, value: x}"), invalid, "AMP0410"),
        (ids("{namespace: crm-id, value: ''}"), format, "AMP0411"),
        (ids("{namespace: crm-id, value: }"), format, "AMP0411"),
        (ids("{namespace: crm-id, value: null}"), format, "AMP0411"),
        (ids("{namespace: email address, value: john}"), format, "AMP0412"),
        (ids("{namespace: qa-email address, value: john}"), format, "AMP0412"),
        (ids("{namespace: AAID, value: 2d783E5885312539-4000010360000181}"), format, "AMP0412"),
        (ids("{namespaceId: 10, value: 02783E5885312539-4000010360000181}"), format, "AMP0412"),
        (ids("{namespace: ecid, value: 4}"), format, "AMP0412"),
        (ids("{namespace: crm-id, value: N/A}"), format, "AMP0413"),
        (ids("{namespace: crm-id, value: ' '}"), format, "AMP0413"),
        (
            ids("{namespace: crm-id, value: 00000000-0000-0000-0000-000000000000}"),
            format,
            "AMP0413",
        ),
        (ids("{namespace: crm-id, value: 'null'}"), format, "AMP0413"),
        (ids("{namespace: phone no, value: 5-5-5}"), format, "AMP0413"),
        (ids("{namespace: phone no, value: none given}"), format, "AMP0413"),
        (
            ids("{namespace: crm-id, value: Privacy-0123456789ABCDEF0123456789ABCDEF}"),
            format,
            "AMP0413",
        ),
        (ids("{allOf: [{namespace: crm-id, value: x}]}"), invalid, "AMP0414"),
        (
            ids("{allOf: [{namespace: crm-id, value: x}, {namespace: CRM-ID, value: X}]}"),
            invalid,
            "AMP0414",
        ),
        (
            ids(
                "{allOf: [{namespace: crm-id, value: x}, {namespace: crm-id, value: y}, {allOf: []}]}",
            ),
            invalid,
            "AMP0414",
        ),
        (
            ids(
                "{value: z, allOf: [{namespace: crm-id, value: x}, {namespace: crm-id, value: y}]}",
            ),
            invalid,
            "AMP0414",
        ),
        (ids(good) + "\nonly: {datasets: [wep]}", invalid, "AMP0417"),
        (ids(good) + "\nonly: {sources: [x]}", invalid, "AMP0417"),
        (ids(good) + "\nonly: {where: {mail: x}}", invalid, "AMP0418"),
        (ids(good) + "\nonly: {where: {props: x}}", invalid, "AMP0418"),
        (ids(good) + "\nonly: {datasets: [shop], where: {props.device.os: x}}", invalid, "AMP0418"),
        (format!("key: john@mail.com\naction: [access]\nuserIDs: [{good}]"), invalid, "AMP0304"),
        (format!("key: Case of <j@m>\naction: [access]\nuserIDs: [{good}]"), invalid, "AMP0304"),
        (format!("key: a1\naction: [access]\nuserIDs: [{good}]"), invalid, "AMP0304"),
        (
            format!("key: {}\naction: [access]\nuserIDs: [{good}]", "k".repeat(257)),
            invalid,
            "AMP0306",
        ),
    ];
    for (block, reason, code) in cases {
        let (file, found, codes) = verdict(&block);
        assert_eq!((file, found), (None, reason), "{block}");
        let errors: Vec<_> = codes.iter().filter(|c| c.1 == E).map(|c| c.0).collect();
        let wanted =
            if code == "AMP0414" && block.contains("value: X}") || block.contains("{allOf: []}") {
                vec!["AMP0414"]
            } else {
                vec![code]
            };
        assert_eq!(errors, wanted, "{block}");
    }
}

#[test]
fn what_is_wrong_with_the_form_rejects_the_file() {
    let good = "{namespace: crm-id, value: A1}";
    let blocks = [
        (format!("action: [access]\nuserIDs: [{good}]"), "AMP0018"),
        (format!("key: K\nuserIDs: [{good}]"), "AMP0018"),
        ("key: K\naction: [access]".to_owned(), "AMP0018"),
        (format!("key: K\naction: access\nuserIDs: [{good}]"), "AMP0019"),
        (format!("key: K\naction: [access]\nuserIDs: [{good}]\nonyl: {{}}"), "AMP0016"),
        (format!("key: K\nkey: L\naction: [access]\nuserIDs: [{good}]"), "AMP0017"),
        (format!("key: K\naction: [access]\nuserIDs: [{good}]\nstanding: maybe"), "AMP0019"),
        ("key: K\naction: [access]\nuserIDs: [{value: x}]".to_owned(), "AMP0018"),
        ("key: K\naction: [access]\nuserIDs: [{namespace: x}]".to_owned(), "AMP0018"),
        ("key: K\naction: [access]\nuserIDs: [{namespace: x, value: [y]}]".to_owned(), "AMP0019"),
        ("key: K\naction: [access]\nuserIDs: [{namespace: x, digest: [x]}]".to_owned(), "AMP0019"),
        ("key: K\naction: [access]\nuserIDs: [x]".to_owned(), "AMP0019"),
        (format!("key: K\naction: [access]\nuserIDs: [{good}]\nonly: {{datasets: []}}"), "AMP0023"),
    ];
    for (block, code) in blocks {
        let (file, _, codes) = verdict(&block);
        assert_eq!(file, Some(Reason::Invalid), "{block}");
        assert!(codes.contains(&(code, E)), "{block}: {codes:?}");
    }
    let specs = [
        ("users: []", "AMP0301"),
        ("users: {}", "AMP0019"),
        ("extension: {until: 2026-12-31}", "AMP0018"),
        ("extension: {until: 2026-12-31, reason: ' '}", "AMP0023"),
        ("extension: {until: soon, reason: x}", "AMP0022"),
        ("receivedAt: yesterday", "AMP0022"),
        ("receivedAt: 2026-13-01", "AMP0022"),
        ("deleteMethod: erase", "AMP0020"),
        ("deleteMethod: purge\nanalyticsDeleteMethod: anonymize", "AMP0017"),
        ("expandIds: true\nexpandIDs: false", "AMP0017"),
        ("expandIds: 'true'", "AMP0019"),
        ("include: []", "AMP0023"),
        ("unknown: 1", "AMP0016"),
    ];
    for (spec, code) in specs {
        let (requests, diagnostics) = read("r.yaml", &with_spec(spec), &catalog());
        assert_eq!(requests[0].rejected, Some(Reason::Invalid), "{spec}");
        assert!(requests[0].users.is_empty());
        assert!(codes(&diagnostics).contains(&(code, E)), "{spec}: {:?}", codes(&diagnostics));
    }
}

#[test]
fn the_rest_goes_on_where_one_block_is_rejected() {
    let text = with_spec(
        "users:\n  - {key: john@mail.com, action: [access], userIDs: [{namespace: crm-id, value: A}]}\n  - {key: '#1', action: [delete], userIDs: [{namespace: crm-id, value: B}]}",
    );
    let (requests, diagnostics) = read("r.yaml", &text, &catalog());
    let keys: Vec<_> =
        requests[0].users.iter().map(|user| (user.key.as_str(), user.rejected)).collect();
    assert_eq!(keys, [("#1#", Some(Reason::Invalid)), ("#1", None)]);
    assert_eq!(codes(&diagnostics), [("AMP0304", E)]);
}

#[test]
fn accepted_with_a_warning_or_note() {
    let cases = [
        ("regulation: klingon", vec![("AMP0308", W)]),
        ("include: [analytics, AudienceManager]", vec![("AMP0310", N)]),
        ("include: [AudienceManager, 'a/b']", vec![("AMP0310", N), ("AMP0310", N), ("AMP0311", W)]),
        ("priority: normal\nmergePolicyId: 12", vec![("AMP0313", N), ("AMP0313", N)]),
        ("receivedAt: 2026-11-23", vec![("AMP0314", W)]),
        ("receivedAt: 2026-11-20", vec![]),
        ("include: [shop]", vec![("AMP0416", W)]),
        ("companyContexts: [{namespace: imsOrgID, value: X@AdobeOrg}]", vec![]),
    ];
    for (spec, expected) in cases {
        let (requests, diagnostics) = read("r.yaml", &with_spec(spec), &catalog());
        assert_eq!(requests[0].rejected, None, "{spec}");
        assert_eq!(codes(&diagnostics), expected, "{spec}");
    }
    let block = |more: &str| {
        format!(
            "key: K\naction: [access, access]\nuserIDs: [{{namespace: crm-id, value: a}}, {{namespace: CRM-ID, value: A}}]\n{more}"
        )
    };
    assert_eq!(verdict(&block("")), (None, None, vec![("AMP0415", N), ("AMP0415", N)]));
    let (_, _, standing) = verdict(&block("standing: true"));
    assert!(standing.contains(&("AMP0420", W)));
    let (_, _, narrowed) = verdict(&block("only: {datasets: [qa]}"));
    assert!(narrowed.contains(&("AMP0419", W)), "{narrowed:?}");
}

#[test]
fn unknown_regulations_with_a_deadline_in_settings_are_known() {
    let mut catalog = catalog();
    catalog.settings.deadlines.insert(Regulation::new("house"), Deadline::Days(3));
    let (_, diagnostics) = read("r.yaml", &with_spec("regulation: House"), &catalog);
    assert_eq!(codes(&diagnostics), []);
}

#[test]
fn received_at_takes_dates_and_timestamps() {
    for (written, instant) in [
        ("2026-11-20", "2026-11-20T00:00:00Z"),
        ("2026-11-20T10:00:00+02:00", "2026-11-20T08:00:00Z"),
        ("'2026-11-20T10:00:00'", "2026-11-20T10:00:00Z"),
        ("2026-11-20 10:00:00.5Z", "2026-11-20T10:00:00.5Z"),
    ] {
        let (requests, _) =
            read("r.yaml", &with_spec(&format!("receivedAt: {written}")), &catalog());
        assert_eq!(requests[0].received_at, Some(instant.parse().unwrap()), "{written}");
    }
    let zone = with_spec("receivedAt: '2026-11-20T10:00:00[Europe/Berlin]'");
    let (requests, diagnostics) = read("r.yaml", &zone, &catalog());
    assert!(requests[0].rejected.is_some() && !diagnostics.is_empty());
}

#[test]
fn other_organisations_are_rejected() {
    let mut catalog = catalog();
    catalog.settings.company_contexts =
        vec![CompanyContext { namespace: name("imsOrgID"), value: "X@AdobeOrg".to_owned() }];
    let cases = [
        ("[{namespace: imsorgid, value: X@AdobeOrg}]", None),
        ("[{namespace: imsOrgID, value: X@AdobeOrg}, {namespace: analytics, value: Y}]", None),
        ("[]", None),
        ("[{namespace: imsOrgID, value: Y@AdobeOrg}]", Some(Reason::Invalid)),
        (
            "[{namespace: imsOrgID, value: X@AdobeOrg}, {namespace: imsOrgID, value: Y@AdobeOrg}]",
            Some(Reason::Invalid),
        ),
        ("[{namespace: analytics, value: Y}]", Some(Reason::Invalid)),
    ];
    for (contexts, rejected) in cases {
        let (requests, diagnostics) =
            read("r.yaml", &with_spec(&format!("companyContexts: {contexts}")), &catalog);
        assert_eq!(requests[0].rejected, rejected, "{contexts}");
        assert_eq!(diagnostics.len(), usize::from(rejected.is_some()), "{contexts}");
    }
}

#[test]
fn limits_may_be_lowered_but_not_raised() {
    let users = |n: usize| {
        let blocks: String = (0..n)
            .map(|i| format!("  - {{key: K-{i}, action: [access], userIDs: [{{namespace: crm-id, value: A{i}}}]}}\n"))
            .collect();
        with_spec(&format!("users:\n{blocks}"))
    };
    let rejected = |limit: usize, n: usize| {
        let mut catalog = catalog();
        catalog.settings.limits.users_per_request = limit;
        let (requests, diagnostics) = read("r.yaml", &users(n), &catalog);
        assert_eq!(codes(&diagnostics).contains(&("AMP0302", E)), requests[0].rejected.is_some());
        requests[0].rejected.is_some()
    };
    assert!(!rejected(1000, 1000));
    assert!(rejected(5000, 1001));
    assert!(rejected(2, 3));
    let mut catalog = catalog();
    catalog.settings.limits.ids_per_user = 1;
    let block = with_block(
        "key: K\naction: [access]\nuserIDs: [{namespace: crm-id, value: a}, {namespace: crm-id, value: b}]",
    );
    assert_eq!(read("r.yaml", &block, &catalog).0[0].users[0].rejected, Some(Reason::Invalid));
}

#[test]
fn keys_are_unique_in_a_request() {
    let text = with_spec(
        "users:\n  - {key: K, action: [access], userIDs: [{namespace: crm-id, value: A}]}\n  - {key: K, action: [delete], userIDs: [{namespace: crm-id, value: B}]}",
    );
    let (requests, diagnostics) = read("r.yaml", &text, &catalog());
    assert_eq!(requests[0].rejected, Some(Reason::Invalid));
    assert_eq!(codes(&diagnostics), [("AMP0303", E)]);
}

#[test]
fn personal_names_are_refused_and_replaced() {
    let body = r#"{"regulation": "gdpr", "include": ["analytics"], "users": [{"key": "K", "action": ["access"], "userIDs": [{"namespace": "crm-id", "value": "ACME 12"}]}]}"#;
    for path in ["requests/john@mail.com.json", "requests/acme-12.json", "requests/ACME 12.json"] {
        let (requests, diagnostics) = read(path, body, &catalog());
        let personal = path != "requests/acme-12.json";
        assert_eq!(requests[0].rejected.is_some(), personal, "{path}");
        if personal {
            assert_eq!(requests[0].name.as_str(), "unnamed-request-1");
            assert_eq!(codes(&diagnostics), [("AMP0305", E)], "{path}");
        } else {
            assert_eq!(requests[0].name.as_str(), "acme-12");
        }
    }
    let text = with_block("key: K\naction: [access]\nuserIDs: [{namespace: crm-id, value: R1}]");
    let (requests, diagnostics) = read("x.yaml", &text, &catalog());
    assert_eq!(
        (requests[0].name.as_str(), codes(&diagnostics)),
        ("unnamed-request-1", vec![("AMP0305", E)])
    );
    assert_eq!((diagnostics[0].position.line, diagnostics[0].position.column), (3, 18));
}

#[test]
fn keys_and_names_that_equal_a_wrong_value_identify_a_person_too() {
    let (file, block, codes) =
        verdict("key: John\naction: [access]\nuserIDs: [{namespace: email address, value: john}]");
    assert_eq!((file, block), (None, Some(Reason::ValueFormat)));
    assert_eq!(codes, [("AMP0412", E), ("AMP0304", E)]);
    let (requests, _) = read("x.yaml", &with_block("key: 1\nuserIDs: [{value: R1}]"), &catalog());
    assert_eq!(requests[0].name.as_str(), "unnamed-request-1");
}

#[test]
fn files_without_a_valid_name_are_named_after_the_file() {
    let text = "apiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {name: A_B}\nspec: {}\n---\nkind: x\n";
    let (requests, _) = read("dir/My File.yaml", text, &catalog());
    let names: Vec<_> = requests.iter().map(|r| (r.name.as_str(), r.rejected)).collect();
    assert_eq!(names, [("my-file", Some(Reason::Invalid)), ("my-file-2", Some(Reason::Invalid))]);
    let (requests, diagnostics) = read("a b.json", "{", &catalog());
    assert_eq!((requests[0].name.as_str(), requests[0].rejected), ("a-b", Some(Reason::Invalid)));
    assert!(diagnostics.iter().all(|d| d.source.is_none()));
    let (requests, diagnostics) = read("x.yaml", "{a: [", &catalog());
    assert_eq!((requests.len(), diagnostics.len(), &diagnostics[0].source), (1, 1, &None));
    let (requests, diagnostics) = read("x.yaml", "# nothing\n", &catalog());
    assert_eq!((requests.len(), codes(&diagnostics)), (0, vec![("AMP0008", W)]));
}

#[test]
fn unknown_keys_are_warnings_in_adobe_json_only() {
    let body = r#"{"regulation": "gdpr", "include": ["analytics"], "new": 1, "users": [{"key": "K", "action": ["access"], "userIDs": [{"namespace": "crm-id", "value": 12, "type": "custom", "description": "d", "company": "c", "name": "n", "isDeletedClientSide": true, "more": {}}]}]}"#;
    let (requests, diagnostics) = read("x.json", body, &catalog());
    assert_eq!(codes(&diagnostics), [("AMP0016", W), ("AMP0016", W)]);
    assert_eq!(requests[0].rejected, None);
    assert_eq!(requests[0].users[0].identities[0].parts()[0].given.expose(), "12");
    let doubled = body.replace("\"new\": 1", "\"new\": 1, \"new\": 2");
    let (requests, diagnostics) = read("x.json", &doubled, &catalog());
    assert_eq!(requests[0].rejected, Some(Reason::Invalid));
    assert!(codes(&diagnostics).contains(&("AMP0017", E)));
}

#[test]
fn the_published_sample_gives_five_diagnostics_and_runs_repaired() {
    let broken =
        include_str!("../../../tests/manifest_invalid/requests/AMP0701-adobe-published.json");
    let (requests, diagnostics) = read("requests/adobe-published.json", broken, &catalog());
    assert_eq!(requests[0].rejected, Some(Reason::Invalid));
    assert_eq!(codes(&diagnostics), [("AMP0701", E); 5]);
    let repaired = include_str!("../../../tests/manifest_valid/requests/adobe-repaired.json");
    let (requests, diagnostics) = read("requests/adobe-repaired.json", repaired, &catalog());
    assert_eq!(codes(&diagnostics), [("AMP0307", W), ("AMP0309", W)]);
    let request = &requests[0];
    assert_eq!((request.name.as_str(), request.rejected), ("adobe-repaired", None));
    assert!(request.expand_ids && request.users.iter().all(|user| user.rejected.is_none()));
    let namespaces: Vec<Vec<&str>> = request
        .users
        .iter()
        .map(|u| {
            u.identities.iter().flat_map(|t| t.parts()).map(|i| i.namespace.as_str()).collect()
        })
        .collect();
    assert_eq!(namespaces, [vec!["AAID"], vec!["ECID"], vec!["CRM-ID", "email address"]]);
}
