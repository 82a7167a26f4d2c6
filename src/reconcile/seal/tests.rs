#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use proptest::prelude::*;

use super::*;
use crate::manifest::request::read_file;
use crate::manifest::sealed::{Opener, is_sealed};
use crate::model::{IdentityTerm, Request};
use crate::reconcile::{Clock, Tries};
use crate::store::{Identities, create_key};

struct Place {
    dir: tempfile::TempDir,
    keys: Identities,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("key");
        let recipient = create_key(&key, jiff::Timestamp::UNIX_EPOCH).unwrap();
        fs::create_dir(dir.path().join("policies")).unwrap();
        let settings = format!(
            "apiVersion: amparo/v1\nkind: Settings\nmetadata: {{name: default}}\nspec:\n  sealing: {{recipients: [{recipient}], required: true}}\n"
        );
        fs::write(dir.path().join("policies/settings.yaml"), settings).unwrap();
        let keys = Identities::read(&key).unwrap();
        Self { dir, keys }
    }

    fn workspace(&self) -> Workspace {
        Workspace {
            policies: self.dir.path().join("policies"),
            requests: self.dir.path().join("requests"),
            approvals: self.dir.path().join("approvals"),
            state: None,
            exports: None,
            scratch: None,
            identity: None,
            lock_wait: std::time::Duration::ZERO,
            clock: Clock::Fixed(jiff::Timestamp::UNIX_EPOCH),
            tries: Tries::All,
            memory: 64 << 20,
            jobs: 1,
            stop: Default::default(),
        }
    }

    /// The requests of a file as they are read with the key, sealing not required.
    fn read(&self, file: &SourceFile) -> Vec<Request> {
        let mut catalog = catalog(&self.workspace()).unwrap();
        catalog.settings.sealing.required = false;
        let opener = Some(&self.keys as &dyn Opener);
        let context = Context { catalog: &catalog, now: None, opener, spots: None };
        let (requests, diagnostics) = read_file(file, context);
        assert!(!has_errors(&diagnostics), "{diagnostics:#?}");
        requests
    }
}

/// What a request asks, but for where it stands.
fn meaning(requests: &[Request]) -> String {
    let term = |term: &IdentityTerm| -> Vec<String> {
        let part = |i: &crate::model::Identity| {
            format!("{}={:?}/{:?}", i.namespace, i.given.expose(), i.canonical.expose())
        };
        term.parts().iter().map(part).collect()
    };
    let request = |request: &Request| {
        let users = request.users.iter().map(|user| {
            assert!(user.veiled.is_empty());
            let identities: Vec<_> = user.identities.iter().map(term).collect();
            format!("{} {:?} {identities:?} {:?}", user.key, user.actions, user.only)
        });
        let users: Vec<String> = users.collect();
        format!("{} {:?} {:?} {users:#?}", request.name, request.include, request.received_at)
    };
    requests.iter().map(request).collect()
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy)]
enum Style {
    Plain,
    Single,
    Double,
    Folded,
}

fn value() -> impl Strategy<Value = (String, Style)> {
    let style =
        prop::sample::select(vec![Style::Plain, Style::Single, Style::Double, Style::Folded]);
    // Letters in front, so that it is no placeholder, and text in every style.
    ("v[a-z0-9é@._+-]{0,14}( [a-z'\"#:{}-]{1,6})?", style)
}

/// A value in a style, where that can say it; else in double quotes.
fn written(value: &str, style: Style, flow: bool) -> String {
    let special = value.contains(['\'', '"', '#', ':', '{', '}']);
    match style {
        Style::Plain if !special => value.to_owned(),
        Style::Single => format!("'{}'", value.replace('\'', "''")),
        Style::Folded if !flow => format!(">-  # folded\n                  {value}"),
        _ => format!("\"{}\"", value.replace('"', "\\u0022").replace('é', "\\xe9")),
    }
}

/// A request of a few blocks in YAML; values in every style.
fn yaml(blocks: &[Vec<(String, Style)>], flow: bool, crlf: bool) -> String {
    let mut text = String::from(
        "# a comment: value: x\napiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {name: r}\nspec:\n  regulation: gdpr   # why\n  include: [e]\n  receivedAt: 2026-11-20\n  users:\n",
    );
    for (index, values) in blocks.iter().enumerate() {
        text.push_str(&format!(
            "    - key: \"K-{index}\"\n      action: [access]\n      userIDs:\n"
        ));
        for (at, (value, style)) in values.iter().enumerate() {
            let a = written(value, *style, flow);
            let b = &a;
            match (flow, at % 3) {
                (true, 2) => text.push_str(&format!(
                    "        - {{allOf: [{{namespace: a, value: {a}}}, {{value: {b}, namespace: b{at}}}]}}  # both\n"
                )),
                (false, 2) => text.push_str(&format!(
                    "        - allOf:\n            - namespace: a\n              value: {a}\n            - value: {b}\n              namespace: b{at}\n"
                )),
                (true, _) => text.push_str(&format!("        - {{ value: {a} , namespace: n{at} }}\n")),
                (false, _) => text.push_str(&format!("        - namespace: n{at}\n          value: {a}\n")),
            }
        }
    }
    if crlf { text.replace('\n', "\r\n") } else { text }
}

fn adobe(blocks: &[Vec<(String, Style)>], pretty: bool) -> String {
    let users: Vec<serde_json::Value> = blocks
        .iter()
        .enumerate()
        .map(|(index, values)| {
            let ids: Vec<serde_json::Value> = values
                .iter()
                .enumerate()
                .map(|(at, (value, _))| {
                    serde_json::json!({"namespace": format!("n{at}"), "type": "standard", "value": value})
                })
                .collect();
            serde_json::json!({"key": format!("K-{index}"), "action": ["access"], "userIDs": ids})
        })
        .collect();
    let request = serde_json::json!({"regulation": "gdpr", "include": ["e"], "users": users});
    if pretty { serde_json::to_string_pretty(&request) } else { serde_json::to_string(&request) }
        .unwrap()
}

/// Seals a file and holds it against what it was.
fn sealed_in_place(name: &str, text: &str) -> Result<(), TestCaseError> {
    let place = Place::new();
    let path = place.dir.path().join(name);
    fs::write(&path, text).unwrap();
    let file = |bytes: Vec<u8>| SourceFile { path: path.display().to_string(), bytes };
    let before = place.read(&file(text.as_bytes().to_vec()));
    let report = seal_file(&place.workspace(), &path).unwrap();
    prop_assert!(report.diagnostics.is_empty(), "{:#?}\n{text}", report.diagnostics);
    let after = fs::read_to_string(&path).unwrap();
    prop_assert_eq!(meaning(&place.read(&file(after.clone().into_bytes()))), meaning(&before));
    // The parts between the sealed scalars stand in the old text, in that order and with nothing between them
    // but the old scalars.
    let pieces: Vec<&str> = after.split("sealed:age:").collect();
    prop_assert_eq!(pieces.len() as u64, report.sealed + 1);
    let mut rest = text;
    for (index, piece) in pieces.iter().enumerate() {
        let kept = match index {
            0 => piece,
            _ => piece.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "+/=".contains(c)),
        };
        let at = rest.find(kept);
        prop_assert!(at.is_some() && (index > 0 || at == Some(0)), "{kept:?} is not in {rest:?}");
        let at = at.unwrap_or_default();
        prop_assert!(at < 80, "more than a value was replaced: {:?}", &rest[..at]);
        rest = &rest[at + kept.len()..];
    }
    prop_assert_eq!(rest, "");
    // Once is enough.
    let again = seal_file(&place.workspace(), &path).unwrap();
    prop_assert_eq!((again.sealed, again.before), (0, report.sealed));
    prop_assert_eq!(fs::read_to_string(&path).unwrap(), after);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn yaml_says_the_same_when_it_is_sealed(
        blocks in prop::collection::vec(prop::collection::vec(value(), 1..5), 1..3),
        flow in any::<bool>(),
        crlf in any::<bool>(),
    ) {
        sealed_in_place("r.yaml", &yaml(&blocks, flow, crlf))?;
    }

    #[test]
    fn json_says_the_same_when_it_is_sealed(
        blocks in prop::collection::vec(prop::collection::vec(value(), 1..5), 1..3),
        pretty in any::<bool>(),
    ) {
        sealed_in_place("r.json", &adobe(&blocks, pretty))?;
    }
}

#[test]
fn a_value_that_an_anchor_shares_is_sealed_once() {
    let place = Place::new();
    let path = place.dir.path().join("r.yaml");
    let text = |key: &str| {
        format!(
            "apiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {{name: r}}\nspec:\n  regulation: gdpr\n  users:\n    - {{key: A, action: [access], userIDs: [{{namespace: n, value: &v vx}}]}}\n    - {{key: {key}, action: [access], userIDs: [{{namespace: n, value: *v}}]}}\n"
        )
    };
    fs::write(&path, text("B")).unwrap();
    assert_eq!(seal_file(&place.workspace(), &path).unwrap().sealed, 2);
    let after = fs::read_to_string(&path).unwrap();
    assert_eq!(after.matches("sealed:age:").count(), 1);
    assert!(after.contains("value: *v"));
    // As a key the value would be shown: it is refused before that.
    fs::write(&path, text("*v")).unwrap();
    let report = seal_file(&place.workspace(), &path).unwrap();
    assert!(!report.diagnostics.is_empty());
    assert_eq!(fs::read_to_string(&path).unwrap(), text("*v"));
    // Of two namespaces it would have to be sealed twice.
    fs::write(&path, text("B").replace("namespace: n, value: *v", "namespace: m, value: *v"))
        .unwrap();
    let error = seal_file(&place.workspace(), &path).unwrap_err();
    assert!(error.to_string().starts_with("cannot edit"), "{error}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("shared by a YAML anchor"), "{source}");
}

#[test]
fn values_are_sealed_for_their_request() {
    let place = Place::new();
    let name = Name::new("acme").unwrap();
    let namespace = NamespaceName::new("CRM-ID").unwrap();
    let values = [(namespace.clone(), Sensitive::new("ACME-1".to_owned()))];
    let sealed = seal_values(&place.workspace(), &name, &values).unwrap().remove(0);
    assert!(is_sealed(&sealed));
    let read = crate::manifest::sealed::Sealed::read(&sealed).unwrap();
    assert_eq!(read.open(&place.keys, &namespace, "acme").unwrap().expose(), "ACME-1");
    // Equal values do not look equal.
    assert_ne!(seal_values(&place.workspace(), &name, &values).unwrap().remove(0), sealed);
    let settings = place.dir.path().join("policies/settings.yaml");
    fs::write(settings, "apiVersion: amparo/v1\nkind: Settings\nmetadata: {name: d}\nspec: {}\n")
        .unwrap();
    let error = seal_values(&place.workspace(), &name, &values).unwrap_err();
    assert!(matches!(error, PassError::Argument { .. }));
}
