//! Plants identities everywhere in requests and looks for them in what is said about the file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::Value;

use super::tests::catalog;
use super::*;
use crate::manifest::mask::KEYS;

/// Identities that no harmless value looks like.
const PLANTED: [&str; 4] =
    ["Qzx Plant", "qzx.plant@mail.com", "+49 171 Qzx", "Qzx\nPlant: {x, y}\t#"];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(PLANTED.to_vec()).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["access", "gdpr", "purge", "crm-id", "qa-crm-id", "4", "namespaceId", "web"])
            .prop_map(str::to_owned),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(KEYS.to_vec()).prop_map(str::to_owned),
        1 => prop::sample::select(PLANTED.to_vec()).prop_map(str::to_owned),
    ]
}

/// Any value: of the right shape or not.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        8 => word().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<u16>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// A request of about the right shape, with anything in some of its places.
fn request() -> impl Strategy<Value = Value> {
    let identity = prop_oneof![
        3 => (word(), word()).prop_map(|(namespace, value)| serde_json::json!({"namespace": namespace, "value": value})),
        2 => word().prop_map(|value| serde_json::json!({"namespace": "email address", "value": value})),
        1 => (word(), word()).prop_map(|(a, b)| serde_json::json!({"allOf": [{"namespace": "crm-id", "value": a}, {"namespace": "crm-id", "value": b}]})),
        1 => anything(),
    ];
    let user = (
        word(),
        prop::collection::vec(word(), 0..3),
        prop::collection::vec(identity, 0..4),
        anything(),
        any::<bool>(),
    )
        .prop_map(|(key, action, ids, only, narrow)| {
            let mut user = serde_json::json!({"key": key, "action": action, "userIDs": ids});
            if narrow {
                user["only"] = only;
            }
            user
        });
    let more = prop::collection::vec((key(), anything()), 0..4);
    (prop::collection::vec(user, 0..3), more).prop_map(|(users, more)| {
        let mut request = serde_json::json!({"regulation": "gdpr", "users": users});
        for (key, value) in more {
            request[key] = value;
        }
        request
    })
}

/// A value as YAML in block style.
fn block(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                out.push_str(&format!("\n{pad}{}:", serde_json::to_string(key).unwrap()));
                block(value, indent + 2, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                out.push_str(&format!("\n{pad}-"));
                block(item, indent + 2, out);
            }
        }
        // Plain and block scalars where they say the same.
        Value::String(text) if text.starts_with(char::is_alphabetic) && !text.contains('\n') => {
            out.push_str(&format!(" {text}   # Qzx"));
        }
        Value::String(text) => {
            let lines: Vec<String> = text.lines().map(|line| format!("\n{pad}  {line}")).collect();
            out.push_str(&format!(" |-{}", lines.concat()));
        }
        other => out.push_str(&format!(" {other}")),
    }
}

fn nothing_shown(path: &str, text: &str) -> Result<(), TestCaseError> {
    let catalog = catalog();
    let file = SourceFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() };
    let (requests, diagnostics) =
        read_file(&file, Context { catalog: &catalog, now: None, opener: None, spots: None });
    for d in &diagnostics {
        let shown = format!(
            "{}\n{}\n{}",
            d.message,
            d.source.as_deref().unwrap_or_default(),
            d.help.as_deref().unwrap_or_default()
        );
        let lower = shown.to_lowercase();
        prop_assert!(
            !lower.contains("qzx") && !lower.contains("plant") && !lower.contains("171"),
            "{} shows {shown:?} of {text}",
            d.code.id
        );
    }
    for request in &requests {
        prop_assert!(!request.name.as_str().contains("qzx"));
        prop_assert_eq!(request.rejected.is_some(), request.users.is_empty());
        // A key is the controller's own, but for one that identifies the person.
        for user in &request.users {
            // What damage turned into something else (`plan,@mail.com`, `plant@mail,com`) is no address any more.
            let parts = user.key.split_once('@');
            let whole = parts.filter(|(name, _)| name.ends_with(char::is_alphanumeric));
            prop_assert!(whole.is_none_or(|(_, domain)| !domain.contains('.')));
        }
        let shown = format!(
            "{:?}",
            request
                .users
                .iter()
                .map(|user| (&user.identities, &user.only.r#where))
                .collect::<Vec<_>>()
        );
        prop_assert!(!shown.contains("qzx.plant@mail.com"), "{shown}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn adobe_requests_show_nothing(request in request(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&request) } else { serde_json::to_string(&request) };
        nothing_shown("requests/x.json", &text.unwrap())?;
    }

    #[test]
    fn native_requests_show_nothing(request in request(), flow in any::<bool>(), name in word()) {
        let document = serde_json::json!({
            "apiVersion": "amparo/v1", "kind": "SubjectRequest", "metadata": {"name": if flow { name } else { "r".to_owned() }}, "spec": request,
        });
        let mut text = String::new();
        if flow {
            text = serde_json::to_string_pretty(&document).unwrap();
        } else {
            block(&document, 0, &mut text);
        }
        nothing_shown("requests/x.yaml", &text)?;
    }

    #[test]
    fn damaged_requests_show_nothing(request in request(), cut in any::<prop::sample::Index>(), with in 0..5_usize) {
        let text = serde_json::to_string_pretty(&request).unwrap();
        let mut chars: Vec<char> = text.chars().collect();
        let at = cut.index(chars.len());
        chars[at] = [',', '"', '}', '\n', ':'][with];
        let text: String = chars.into_iter().collect();
        nothing_shown("requests/x.json", &text)?;
        nothing_shown("requests/x.yaml", &text)?;
    }
}
