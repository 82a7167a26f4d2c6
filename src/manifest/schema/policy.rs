//! The kinds of policies, and approvals.

use serde_json::{Value, json};

use super::{choice, date, described, filled, flag, list, strict, text, whole, with};
use crate::model::{EraseMethod, Label};

pub(super) const DATASET: &str = "One Parquet table, and what its columns mean.";
pub(super) const NAMESPACE: &str =
    "How identities of one namespace are written, compared and expanded.";
pub(super) const HOLD: &str = "Keeps data from erasure. Access is never held.";
pub(super) const APPROVAL: &str =
    "That a person has looked at what one task would do; in the directory of approvals.";
pub(super) const ROLE: &str = "Who may see what; file permissions are the real boundary.";
pub(super) const SETTINGS: &str = "The deployment's settings; one document at most.";

/// `spec` of a Dataset.
pub(super) fn dataset() -> Value {
    strict(
        "What the table is.",
        json!({
            "product": with(text("Directory in a package, and what a request's `include` names. Compared without case."), json!({"maxLength": 64})),
            "source": text("Data source shown in the history. Default: the dataset's name."),
            "environment": choice("test: reached by `qa-` namespaces only. Default: production.", &["production", "test"]),
            "location": text("A file, a directory (hive partitions are found), a glob, or a file:// URL; relative to the working directory."),
            "format": choice("The table's format. Default: parquet.", &["parquet"]),
            "timestamp": path("The field with the time of a row: packages are sorted by it."),
            "hitId": path("The field by which replicated rows are recognised: a package shows one of them."),
            "erase": choice("What a delete does to a matched row: erase its labelled fields, or remove it. Default: fields.", &["fields", "rows"]),
            "deleteDefaults": strict(
                "Methods for fields without an `erase` of their own.",
                json!({
                    "strings": methods("For strings. Default: pseudonym.", &[EraseMethod::Pseudonym, EraseMethod::Null, EraseMethod::Empty, EraseMethod::StripUrl]),
                    "others": methods("For everything else. Default: null.", &[EraseMethod::Pseudonym, EraseMethod::Null, EraseMethod::Empty, EraseMethod::Coarsen]),
                }),
                &[],
            ),
            "unlabelled": choice("Whether columns that are not mentioned are a warning (allow) or an error (deny). Default: allow.", &["allow", "deny"]),
            "mayBeEmpty": flag("A location without files is no error. Default: false."),
            "sameSubject": flag("Several ID fields of one namespace mean one and the same person. Default: false."),
            "fields": list("The columns, and what they mean.", field()),
        }),
        &["product", "location", "fields"],
    )
}

fn field() -> Value {
    strict(
        "A column, or a group: every leaf below it that no longer path names.",
        json!({
            "path": path("The column's path: props.device.os. List levels do not show; a map has attrs.key and attrs.value."),
            "namespace": text("The namespace of an ID field: identities of it are searched here."),
            "labels": list(
                "I1, I2: identifies (directly, in combination). S1, S2: location. ID-*: can be searched. ACC-*: is shown. DEL-*: is erased.",
                described(
                "A label.",
                Label::ALL.map(|label| (json!(label.as_str()), label.meaning())),
            ),
            ),
            "pii": flag("Personal data: hidden from viewers without the right, and erased on any match. Default: false."),
            "selectable": flag("May be named in `only.where` and `find --by`. Default: false."),
            "party": text("Whose field it is, in a row that holds two people."),
            "elements": choice("all: a match reaches all elements of the list, not the matched ones only.", &["all"]),
            "erase": strict(
                "How the field is erased.",
                json!({
                    "method": methods("What is written in place of the value.", &EraseMethod::ALL),
                    "suffix": text("pseudonym: what follows the digits, such as @erased.invalid."),
                    "value": {"description": "constant: what is written, of the field's type.", "type": ["string", "number", "boolean"]},
                    "key": text("hmac: the name of a key in Settings."),
                    "reason": text("Why; `keep` needs one."),
                }),
                &["method"],
            ),
            "reason": text("Why the field is as it is: silences the warnings about it, and is shown in plans."),
        }),
        &["path"],
    )
}

/// A path: names joined by dots, or a list of names.
fn path(description: &str) -> Value {
    let description =
        &format!("{description} A name that holds a dot is written in a list: [a.b, c].");
    // Editors show the text of the alternative that fits, so both have it.
    json!({
        "description": description,
        "anyOf": [text(description), filled(description, text("A name."))],
    })
}

/// Erase methods; an unquoted `null` is one too.
fn methods(description: &str, methods: &[EraseMethod]) -> Value {
    let words = methods.iter().map(|method| (json!(method.as_str()), method.meaning()));
    described(description, words.chain([(Value::Null, EraseMethod::Null.meaning())]))
}

/// `spec` of a Namespace.
pub(super) fn namespace() -> Value {
    strict(
        "How its identities are written.",
        json!({
            "namespace": with(text("The namespace, compared without case: letters, digits, `_`, `-` and spaces."), json!({"maxLength": 64})),
            "normalize": list("Steps before comparing, on both sides, in order.", described("A step.", [
                (json!("trim"), "Blanks at both ends go."),
                (json!("lowercase"), "Lower case, by Unicode's rules."),
                (json!("digits"), "Only digits stay."),
            ])),
            "format": text("A regular expression that a value must match after normalising; one that does not rejects its block."),
            "expansion": choice("never (default); cookie: added by `expandIds`; always: a link, added from every person row.", &["never", "cookie", "always"]),
            "caseSensitive": flag("Compare exactly. Default: false."),
            "ignore": list("Values that are nobody: they never match.", json!({"description": "A placeholder.", "type": ["string", "number", "boolean", "null"]})),
        }),
        &["namespace"],
    )
}

/// `spec` of a Hold.
pub(super) fn hold() -> Value {
    let spec = strict(
        "What is kept, why, and until when.",
        json!({
            "datasets": filled("Keeps the rows of these datasets, or their `fields`.", text("A dataset's name.")),
            "fields": filled("Keeps these fields and the ID fields; the rest of a row is erased.", path("A field.")),
            "requests": filled("Keeps the rows of these requests, in every dataset.", text("A request's name.")),
            "keys": filled("Only these blocks of the requests.", text("A block's key.")),
            "until": date("The first day, in UTC, on which it holds no more. Absent: until it is removed."),
            "reason": text("Why: plans show it."),
        }),
        &["reason"],
    );
    with(spec, json!({"oneOf": [{"required": ["datasets"]}, {"required": ["requests"]}]}))
}

/// `spec` of a Role.
pub(super) fn role() -> Value {
    let labels = Label::ALL.map(|label| (json!(label.as_str()), label.meaning()));
    let kinds = labels.into_iter().chain([(json!("pii"), "Fields with `pii: true`.")]);
    let name = text("A name, as the operating system has it.");
    let personal = "false: no personal data. true: all of it. A list: fields of which every label I1, I2, S1, S2, and pii, is in it.";
    strict(
        "What its members may see.",
        json!({
            "personalData": {
                "description": personal,
                "anyOf": [flag(personal), list(personal, described("A kind of personal data.", kinds))],
            },
            "members": strict(
                "Who may look under it; everybody else gets the most restricted role.",
                json!({
                    "users": list("Operating-system users.", name.clone()),
                    "groups": list("Operating-system groups.", name),
                }),
                &[],
            ),
            "unlabelled": choice("Columns that the dataset's policy does not mention. Default: mask; show where personalData is true.", &["mask", "show"]),
        }),
        &["personalData"],
    )
}

fn recipients(description: &str) -> Value {
    let recipient = json!({"description": "An age recipient.", "type": "string", "minLength": 1, "pattern": "^age1[0-9a-z]{58}$"});
    filled(description, recipient)
}

/// `spec` of an Approval.
pub(super) fn approval() -> Value {
    strict(
        "What a person has looked at.",
        json!({
            "request": text("The request's name."),
            "key": text("The block's key."),
            "effectId": with(text("What the task would do, as `amparo plan` shows it."), json!({"type": "string", "pattern": "^[0-9a-f]{16}(-[0-9a-f]{16}){3}$"})),
            "liftLimits": flag("The block may go beyond the safety limits; needs a reason. Default: false."),
            "acceptConflicts": flag("Rows that name somebody else are no conflict; needs a reason. Default: false."),
            "reason": text("Why a limit is lifted or a conflict accepted."),
        }),
        &["request", "key", "effectId"],
    )
}

/// `spec` of Settings.
pub(super) fn settings() -> Value {
    let period = "^[0-9]+(d|mo|wd)$";
    let from =
        |key: &str, description: &str| json!({"required": [key], "description": description});
    strict(
        "What holds for the whole deployment.",
        json!({
            "state": text("Where ledger, keys and plans lie. Default: state."),
            "exports": text("Where packages lie. Default: exports."),
            "exportRetention": {"description": "How long a package lives, from when it was compiled. Default: 14d.", "type": "string", "pattern": "^[0-9]+d$"},
            "pseudonymPrefix": with(text("What pseudonyms of strings start with. Default: Privacy-."), json!({"maxLength": 64})),
            "cookieExpansion": choice("Whether `expandIds` goes from cookie to cookie once, or until nothing is added. Default: one-hop.", &["one-hop", "fixpoint"]),
            "deadlines": {
                "description": "Deadlines that differ from the law's, by regulation: {gdpr: 30d, nzpa_nzl: 20wd}.",
                "type": "object",
                "additionalProperties": {"description": "Days (30d), months (1mo) or working days (20wd).", "type": "string", "pattern": period},
            },
            "limits": strict(
                "Safety limits; a task beyond one is Blocked.",
                json!({
                    "usersPerRequest": whole("User blocks of a request.", 1, Some(1000)),
                    "idsPerUser": whole("Identities of a block.", 1, Some(9)),
                    "maxHops": whole("Rounds of link expansion. Default: 8.", 0, Some(1000)),
                    "maxConflicts": whole("Identity conflicts of a block. Default: 0.", 0, None),
                    "maxExpandedIds": whole("Identities that expansion may add to a task. Default: 1000.", 0, None),
                    "maxRowsPerUser": whole("Matched rows of a task. Default: 1000000.", 0, None),
                    "maxFractionErased": {"description": "Share of a dataset of over 10,000 rows that a task may match. Default: 0.1.", "type": "number", "minimum": 0, "maximum": 1},
                }),
                &[],
            ),
            "keys": {
                "description": "Keys of `hmac` methods, by name: {crm-join: {env: AMPARO_CRM_KEY}}.",
                "type": "object",
                "additionalProperties": with(
                    strict(
                        "Where the key comes from.",
                        json!({
                            "file": text("A file, relative to the working directory."),
                            "env": text("An environment variable."),
                        }),
                        &[],
                    ),
                    json!({"oneOf": [from("file", "From a file."), from("env", "From the environment.")]}),
                ),
            },
            "companyContexts": filled(
                "The own organisations: requests for others are rejected.",
                strict(
                    "An organisation.",
                    json!({"namespace": text("Such as imsOrgID."), "value": text("The organisation.")}),
                    &["namespace", "value"],
                ),
            ),
            "sealing": strict(
                "How identities of requests are sealed.",
                json!({
                    "recipients": recipients("Who can open them: age recipients, as `amparo keygen` prints them."),
                    "required": flag("A plain identity in a request is an error. Default: false."),
                }),
                &[],
            ),
            "packageEncryption": strict(
                "Packages are encrypted with age, and end in .zip.age.",
                json!({"recipients": recipients("Who can open them: age recipients, as `amparo keygen` prints them.")}),
                &["recipients"],
            ),
            "coverage": strict(
                "What `check --root DIR` says nothing about.",
                json!({
                    "ignore": list(
                        "Places that no dataset covers on purpose, with everything below them.",
                        strict(
                            "A place.",
                            json!({
                                "location": text("A file, directory or glob, as of a Dataset."),
                                "reason": text("Why no dataset covers it."),
                            }),
                            &["location", "reason"],
                        ),
                    ),
                }),
                &["ignore"],
            ),
            "approval": choice("required: a delete runs only where an Approval names its effectId. Default: none.", &["none", "required"]),
            "retired": list("Datasets and holds that the ledger knows and that are gone on purpose.", text("A name.")),
        }),
        &[],
    )
}
