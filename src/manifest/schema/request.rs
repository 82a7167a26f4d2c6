//! Requests: the native kind, and Adobe's JSON. Both take the same keys; Adobe's also takes others.

use serde_json::{Value, json};

use super::{choice, date, filled, flag, list, open, strict, text, with};
use crate::manifest::request::{MAX_IDENTITIES, MAX_KEY, MAX_USERS, TYPES};
use crate::model::Regulation;

pub(super) const NATIVE: &str =
    "A data-subject request: whose data is wanted (access) or must be forgotten (delete).";

/// How a mapping of the kind takes unknown keys.
type Mapping = fn(&str, Value, &[&str]) -> Value;

/// `spec` of a SubjectRequest.
pub(super) fn native() -> Value {
    request("What is asked, and for whom.", strict)
}

/// An Adobe Privacy Service request, which may hold keys that are not known here.
pub(super) fn adobe() -> Value {
    request("An Adobe Privacy Service request. The file's name without its ending names it.", open)
}

fn request(description: &str, mapping: Mapping) -> Value {
    let expand =
        "Follow the cookies of the rows that match, to the rows that carry them. Default: false.";
    let method =
        "anonymize (default): labelled fields are erased. purge: every matched row is removed.";
    let methods = ["anonymize", "purge"];
    let known: Vec<&str> = Regulation::known().collect();
    let context = mapping(
        "An organisation.",
        json!({
            "namespace": text("Such as imsOrgID."),
            "value": text("The organisation."),
        }),
        &["namespace", "value"],
    );
    mapping(
        description,
        json!({
            "companyContexts": list("The organisation that the request is addressed to. Rejected where Settings names its own and this is another.", context),
            "regulation": with(text("The law under which the person asks; it sets the due date. An unknown or missing one counts as 30 days."), json!({"examples": known})),
            "receivedAt": {"description": "When the request was received: a date (midnight UTC) or an RFC 3339 time. Default: when the ledger first saw it.", "type": "string", "examples": ["2026-11-20", "2026-11-20T09:30:00Z"]},
            "extension": mapping(
                "Moves the due date.",
                json!({
                    "until": date("The new due date."),
                    "reason": text("Why it moves; never empty."),
                }),
                &["until", "reason"],
            ),
            "expandIds": flag(expand),
            "expandIDs": flag(&format!("{expand} The same as expandIds.")),
            "deleteMethod": choice(method, &methods),
            "analyticsDeleteMethod": choice(&format!("{method} The same as deleteMethod."), &methods),
            "include": filled("The products that the request is about, compared without case. Unknown ones are ignored; absent, all are meant, with a warning.", text("A dataset's `product`.")),
            "suspend": flag("Stops the request where it is."),
            "withdrawn": flag("Cancels what has not been done."),
            "priority": {"description": "Accepted and ignored."},
            "mergePolicyId": {"description": "Accepted and ignored."},
            "users": with(filled("One block for each data subject.", user(mapping)), json!({"maxItems": MAX_USERS})),
        }),
        &["users"],
    )
}

fn user(mapping: Mapping) -> Value {
    let key = "Your own reference for the person, unique in the request and shown in statuses: any text that identifies nobody.";
    let only = mapping(
        "Narrows the block; rows outside neither match nor expand.",
        json!({
            "datasets": filled("These datasets only.", text("A dataset's name.")),
            "sources": filled("These data sources only.", text("A dataset's `source`.")),
            "where": {
                "description": "Only rows whose selectable fields have these values: {props.device.os: iOS 17}.",
                "type": "object",
                "minProperties": 1,
                "additionalProperties": text("The value."),
            },
        }),
        &[],
    );
    mapping(
        "One data subject.",
        json!({
            "key": with(text(key), json!({"maxLength": MAX_KEY})),
            "action": filled("access: a package of the person's data. delete: erasure. Access is compiled before anything is erased.", choice("What to do.", &["access", "delete"])),
            "userIDs": with(filled("The person's identities.", identity(mapping)), json!({"maxItems": MAX_IDENTITIES})),
            "only": only,
            "standing": flag("Keeps the erasure in force for data that arrives later. Default: false."),
            "acceptConflicts": flag("A person has looked at the block's identity conflicts. Default: false."),
        }),
        &["key", "action", "userIDs"],
    )
}

/// An identity, or several that only together mean one person.
fn identity(mapping: Mapping) -> Value {
    let single = keys();
    let part = with(
        mapping("One of the identities that together mean one person.", single.clone(), &[]),
        json!({"anyOf": named(&["value", "digest"])}),
    );
    let all_of = with(
        filled("A composite identity: a row matches where all parts match in it.", part),
        json!({"minItems": 2, "maxItems": MAX_IDENTITIES}),
    );
    with(
        mapping(
            "An identity: a namespace and a value; or `allOf`.",
            with(single, json!({"allOf": all_of})),
            &[],
        ),
        json!({"anyOf": named(&["value", "digest"]).into_iter().chain([json!({"required": ["allOf"]})]).collect::<Vec<_>>()}),
    )
}

/// A value in one of these keys, with the namespace's name or id.
fn named(values: &[&str]) -> Vec<Value> {
    let pairs = values.iter().flat_map(|value| {
        ["namespace", "namespaceId"].map(|namespace| json!({"required": [value, namespace]}))
    });
    pairs.collect()
}

fn keys() -> Value {
    json!({
        "namespace": text("The namespace, compared without case; with `type: namespaceId` its numeric id."),
        "namespaceId": with(text("The id of a well-known namespace, in place of its name or beside it."), json!({"examples": [4, 10]})),
        "type": choice("Adobe's kind of namespace. Only namespaceId changes what is read.", &TYPES),
        "value": text("The value, as text: quotes keep what YAML would read otherwise. Sealed, as `amparo seal` prints it, it starts with sealed:age:."),
        "digest": with(text("In place of a value: hmac-sha256:…, as `amparo retire` writes it."), json!({"type": "string", "minLength": 1})),
        "description": {"description": "Accepted and ignored."},
        "company": {"description": "Accepted and ignored."},
        "name": {"description": "Accepted and ignored."},
        "isDeletedClientSide": {"description": "Accepted and ignored."},
    })
}
