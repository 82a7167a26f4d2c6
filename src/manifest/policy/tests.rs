#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::diagnostic::Severity;
use crate::model::{
    CookieExpansion, Deadline, DeleteDefaults, Environment, EraseMethod, EraseMode, Expansion,
    FieldPath, HoldScope, KeySource, Label, NamespaceName, Normalize, Regulation, Unlabelled,
};

const POLICIES: &str = include_str!("../../../tests/manifest_valid/policies/production.yaml");
const NAMESPACES: &str =
    include_str!("../../../tests/manifest_valid/policies/rules/namespaces.yaml");
const HOLDS: &str = include_str!("../../../tests/manifest_valid/policies/rules/holds.yaml");
const SETTINGS: &str = include_str!("../../../tests/manifest_valid/policies/settings.yaml");

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
}

fn load(texts: &[&str]) -> (Catalog, bool, Vec<Diagnostic>) {
    let files: Vec<SourceFile> =
        texts.iter().enumerate().map(|(i, text)| file(&format!("{i}.yaml"), text)).collect();
    let policies = read(&files, None);
    let valid = policies.valid();
    let (catalog, diagnostics) = policies.finish();
    (catalog, valid, diagnostics)
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn path(text: &str) -> FieldPath {
    FieldPath::dotted(text).unwrap()
}

#[test]
fn a_dataset_says_what_its_document_says() {
    let (catalog, valid, _) = load(&[POLICIES, SETTINGS]);
    assert!(valid);
    let web = catalog.dataset(&name("web-events")).unwrap();
    assert_eq!((web.product.as_str(), web.source.as_str()), ("analytics", "eu-web"));
    assert_eq!((web.environment, web.erase), (Environment::Production, EraseMode::Fields));
    assert_eq!(web.location, "lake/web-events/");
    assert_eq!(
        (web.timestamp.clone(), web.hit_id.clone()),
        (Some(path("ts")), Some(path("hit_id")))
    );
    let defaults = DeleteDefaults { strings: EraseMethod::Pseudonym, others: EraseMethod::Null };
    assert_eq!(web.delete_defaults, defaults);
    assert!(web.may_be_empty && !web.same_subject);
    let paths: Vec<String> = web.fields.iter().map(|field| field.path.to_string()).collect();
    let expected = "ts email visitor_id ip props props.device.os \"a.b\".c phone crm_id note items.sku receipt";
    assert_eq!(paths.join(" "), expected);

    let field = |index: usize| &web.fields[index];
    let email = field(1);
    let labels: Vec<Label> = email.labels.iter().collect();
    assert_eq!(labels, [Label::I1, Label::IdPerson, Label::AccPerson, Label::DelPerson]);
    assert_eq!(email.namespace, NamespaceName::new("EMAIL address"));
    let rule = email.erase.as_ref().unwrap();
    assert_eq!(
        (rule.method, rule.suffix.as_deref()),
        (EraseMethod::Pseudonym, Some("@erased.invalid"))
    );
    assert_eq!((email.position.line, email.position.column), (19, 7));
    assert!(field(5).selectable && !field(4).selectable);
    for null in [6, 7] {
        assert!(field(null).pii);
        assert_eq!(field(null).erase.as_ref().unwrap().method, EraseMethod::Null);
    }
    assert_eq!(field(8).erase.as_ref().unwrap().key.as_deref(), Some("crm-join"));
    assert_eq!(field(9).erase.as_ref().unwrap().value.as_deref(), Some("0.50"));
    assert!(field(10).all_elements);
    assert_eq!(field(11).reason.as_deref(), Some("tax records"));

    let messages = catalog.dataset(&name("messages")).unwrap();
    assert_eq!((messages.source.as_str(), messages.erase), ("messages", EraseMode::Rows));
    assert_eq!(messages.unlabelled, Unlabelled::Deny);
    assert_eq!(messages.fields[1].party.as_deref(), Some("recipient"));
    let names: Vec<&str> = catalog.datasets.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["accounts", "messages", "web-events"]);
}

#[test]
fn a_namespace_says_what_its_document_says() {
    let (catalog, valid, _) = load(&[POLICIES, NAMESPACES, SETTINGS]);
    assert!(valid);
    let email = catalog.namespace(&NamespaceName::new("Email Address").unwrap());
    assert_eq!(email.normalize, [Normalize::Trim, Normalize::Lowercase]);
    assert!(email.format.as_ref().unwrap().is_match("john@mail.com"));
    let crm = catalog.namespace(&NamespaceName::new("crm-id").unwrap());
    assert_eq!((crm.expansion, crm.case_sensitive), (Expansion::Always, true));
    assert_eq!(
        crm.ignore.iter().map(String::as_str).collect::<Vec<_>>(),
        ["0", "UNASSIGNED", "null"]
    );
    // `qa-x` has the rules of `x`.
    let qa = catalog.namespace(&NamespaceName::new("qa-email address").unwrap());
    assert_eq!((qa.normalize, qa.name.as_str()), (email.normalize, "qa-email address"));
}

#[test]
fn a_hold_says_what_its_document_says() {
    let (catalog, valid, _) = load(&[POLICIES, HOLDS, SETTINGS]);
    assert!(valid);
    let hold = |wanted: &str| catalog.holds.iter().find(|hold| hold.name == name(wanted)).unwrap();
    let fields = vec![path("props.device.os"), path("receipt"), path("props")];
    let scope = HoldScope::Datasets { datasets: vec![name("web-events")], fields };
    assert_eq!(hold("litigation-2026-07").scope, scope);
    assert_eq!(hold("litigation-2026-07").until, Some(jiff::civil::date(2027, 7, 1)));
    assert_eq!(hold("forever").until, None);
    let scope = HoldScope::Requests {
        requests: vec![name("2026-11-acme")],
        keys: vec!["GDPR-1236".to_owned()],
    };
    assert_eq!(
        (&hold("one-subject").scope, hold("one-subject").reason.as_str()),
        (&scope, "open invoice")
    );
}

#[test]
fn settings_say_what_their_document_says() {
    let (catalog, valid, _) = load(&[POLICIES, SETTINGS]);
    assert!(valid);
    let settings = &catalog.settings;
    assert_eq!(
        (settings.state.as_str(), settings.exports.as_str()),
        ("state", "file:///srv/exports")
    );
    assert_eq!((settings.export_retention_days, settings.pseudonym_prefix.as_str()), (30, "GDPR-"));
    assert_eq!(settings.cookie_expansion, CookieExpansion::Fixpoint);
    assert_eq!(settings.deadline(Some(&Regulation::new("ccpa"))), Deadline::Months(1));
    let limits = &settings.limits;
    assert_eq!((limits.users_per_request, limits.ids_per_user, limits.max_hops), (10, 3, 2));
    assert_eq!(
        (limits.max_conflicts, limits.max_expanded_ids, limits.max_rows_per_user),
        (1, 5, 7)
    );
    assert!((limits.max_fraction_erased - 0.25).abs() < f64::EPSILON);
    assert_eq!(settings.keys.get("crm-join"), Some(&KeySource::Env("AMPARO_CRM_KEY".to_owned())));
    assert_eq!(settings.keys.get("other"), Some(&KeySource::File("keys/other.key".into())));
    assert_eq!(settings.company_contexts.len(), 1);
    assert!(settings.retired.contains(&name("old-events")));
}

#[test]
fn one_broken_file_does_not_look_like_many() {
    // The dataset and the keys that the others name cannot be read: they are not called missing.
    let (_, valid, diagnostics) = load(&["apiVersion: [", HOLDS, NAMESPACES]);
    assert!(!valid);
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    let broken = POLICIES.replacen("namespace: AAID", "namespace: A/AID", 1);
    let (_, valid, diagnostics) = load(&[&broken, NAMESPACES, HOLDS, SETTINGS]);
    assert!(!valid);
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
}

#[test]
fn missing_documents_are_called_missing() {
    let (_, valid, diagnostics) = load(&[HOLDS]);
    assert!(!valid);
    let errors: Vec<&str> = diagnostics.iter().map(|d| d.code.id).collect();
    assert_eq!(errors, ["AMP0502", "AMP0502", "AMP0502"]);
    let (_, valid, diagnostics) = load(&[POLICIES]);
    assert!(!valid, "the hmac key is missing: {diagnostics:?}");
}

#[test]
fn no_policies_at_all_is_a_warning() {
    let (_, valid, diagnostics) = load(&[]);
    assert!(valid);
    assert_eq!(diagnostics.len(), 1);
    assert_eq!((diagnostics[0].code, diagnostics[0].severity), (NO_POLICIES, Severity::Warning));
}

#[test]
fn names_are_unique_a_kind() {
    let text = "apiVersion: amparo/v1\nkind: Hold\nmetadata: {name: web-events}\n\
                spec: {datasets: [web-events], reason: x}\n";
    assert!(load(&[POLICIES, SETTINGS, text]).1, "a hold may have the name of a dataset");
    assert!(!load(&[POLICIES, SETTINGS, text, text]).1);
}

#[test]
fn a_value_left_out_is_not_the_method_null() {
    for (erase, accepted) in [
        ("null", true),
        ("NULL", true),
        ("'null'", true),
        ("", false),
        ("~", false),
        ("nil", false),
    ] {
        let text = format!(
            "apiVersion: amparo/v1\nkind: Dataset\nmetadata: {{name: web}}\nspec:\n  product: p\n  location: l\n  \
             fields:\n    - path: a\n      pii: true\n      reason: r\n      erase: {{method: {erase} }}\n"
        );
        assert_eq!(load(&[&text]).1, accepted, "method: {erase}");
    }
}

#[test]
fn a_keep_finds_its_reason_in_either_place() {
    let text = |outer: &str, inner: &str| {
        format!(
            "apiVersion: amparo/v1\nkind: Dataset\nmetadata: {{name: web}}\nspec:\n  product: p\n  location: l\n  \
             fields:\n    - {{path: a, labels: [I2, DEL-DEVICE]{outer}, erase: {{method: keep{inner}}}}}\n"
        )
    };
    for (outer, inner, accepted) in [
        (", reason: tax", "", true),
        ("", ", reason: tax", true),
        ("", "", false),
        (", reason: tax", ", reason: law", false),
    ] {
        let (catalog, valid, _) = load(&[&text(outer, inner)]);
        assert_eq!(valid, accepted, "{outer} {inner}");
        if accepted {
            assert_eq!(catalog.datasets[0].fields[0].reason.as_deref(), Some("tax"));
        }
    }
}

#[test]
fn labels_follow_their_table() {
    // Every set of labels on one field with a namespace where it has an ID label, against the rules said plainly.
    for bits in 0_u32..1024 {
        let has = |label: Label| bits & (1 << label as u32) != 0;
        let chosen: Vec<&str> =
            Label::ALL.into_iter().filter(|l| has(*l)).map(Label::as_str).collect();
        let id = has(Label::IdDevice) || has(Label::IdPerson);
        let text = format!(
            "apiVersion: amparo/v1\nkind: Dataset\nmetadata: {{name: web}}\nspec:\n  product: p\n  location: l\n  \
             fields:\n    - {{path: a, labels: [{}]{}}}\n",
            chosen.join(", "),
            if id { ", namespace: n" } else { "" }
        );
        let delete = has(Label::DelDevice) || has(Label::DelPerson);
        let identity = has(Label::I1) || has(Label::I2);
        let wrong = (has(Label::I1) && has(Label::I2))
            || (has(Label::S1) && has(Label::S2))
            || (has(Label::IdDevice) && has(Label::IdPerson))
            || (has(Label::AccAll) && has(Label::AccPerson))
            || (id && !identity)
            || (delete && !identity && !has(Label::S1));
        let (_, valid, diagnostics) = load(&[&text]);
        assert_eq!(valid, !wrong, "{chosen:?}: {diagnostics:?}");
        let warns = |code: &str| diagnostics.iter().any(|d| d.code.id == code);
        let personal = identity || has(Label::S1);
        let access = has(Label::AccAll) || has(Label::AccPerson);
        assert_eq!(warns("AMP0112"), personal && !delete && !id, "{chosen:?}");
        assert_eq!(warns("AMP0113"), id && !delete, "{chosen:?}");
        assert_eq!(warns("AMP0115"), (personal || id) && !access, "{chosen:?}");
        let person_only = has(Label::AccPerson) || has(Label::DelPerson);
        assert_eq!(warns("AMP0114"), person_only && !has(Label::IdPerson), "{chosen:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn mutated_policies_never_panic_and_never_pass_with_errors(
        which in 0..4_usize,
        cuts in proptest::collection::vec(
            (0..3000_usize, 0..12_usize, "[-:\\[\\]{}&*!|>'\"#,\n .~0aé]{0,6}"), 1..6)
    ) {
        let mut texts = [POLICIES, NAMESPACES, HOLDS, SETTINGS].map(|text| text.as_bytes().to_vec());
        for (at, length, put) in cuts {
            let text = &mut texts[which];
            let at = at % (text.len() + 1);
            let end = (at + length).min(text.len());
            text.splice(at..end, put.bytes());
        }
        let files: Vec<SourceFile> = texts
            .into_iter()
            .enumerate()
            .map(|(i, bytes)| SourceFile { path: format!("{i}.yaml"), bytes })
            .collect();
        let policies = read(&files, None);
        let valid = policies.valid();
        let (_, diagnostics) = policies.finish();
        prop_assert_eq!(valid, !has_errors(&diagnostics));
        for diagnostic in &diagnostics {
            prop_assert!(!diagnostic.message.is_empty() && !diagnostic.message.contains('\n'));
            prop_assert!(diagnostic.help.is_some(), "{:?}", diagnostic);
        }
    }

    #[test]
    fn arbitrary_policies_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let files = [SourceFile { path: "a.yaml".to_owned(), bytes }];
        let policies = read(&files, None);
        let valid = policies.valid();
        prop_assert_eq!(valid, !has_errors(&policies.finish().1));
    }
}

#[test]
fn large_policies_are_checked_soon() {
    let head = "apiVersion: amparo/v1\nkind: Dataset\nmetadata: {name: web}\nspec:\n  product: p\n  location: l\n  fields:\n";
    let field = |i: usize| {
        format!("  - {{path: f{i}, party: p{i}, namespace: n, labels: [I2, ID-DEVICE, x]}}\n")
    };
    let dataset: String = head.to_owned() + &(0..10_000).map(field).collect::<String>();
    let paths: String = (0..10_000).map(|i| format!("g{i}, ")).collect();
    let hold = format!(
        "apiVersion: amparo/v1\nkind: Hold\nmetadata: {{name: keep}}\nspec: {{datasets: [web], fields: [{paths}], reason: r}}\n"
    );
    let start = std::time::Instant::now();
    let (_, valid, diagnostics) = load(&[&dataset, &hold]);
    assert!(!valid && diagnostics.len() > 2000);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    let whole = dataset.replace(", x]", "]");
    let start = std::time::Instant::now();
    assert!(!load(&[&whole, &hold]).1);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}
