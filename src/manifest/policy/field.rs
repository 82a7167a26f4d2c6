//! One entry of a dataset's `fields` (RULES.md section 1).

use crate::manifest::codes::dataset::{
    DEL_WITHOUT_IDENTITY, ERASE_METHOD, ID_WITHOUT_IDENTITY, ID_WITHOUT_NAMESPACE,
    KEEP_WITHOUT_REASON, LABEL_TWICE, LABELS_EXCLUDE, NAMESPACE_WITHOUT_ID, PATH,
};
use crate::manifest::codes::files::{DUPLICATE_KEY, EMPTY};
use crate::manifest::codes::namespace::NAMESPACE_NAME;
use crate::manifest::reader::{
    Fields, Report, Text, alternatives, list, not_one_of, text, wrong_type,
};
use crate::manifest::tree::{Kind, Mark, Node};
use crate::model::{EraseMethod, EraseRule, Field, FieldPath, Label, Labels, NamespaceName};

/// A field and the places in its entry that later checks point at.
pub(super) struct FieldDoc {
    pub(super) field: Field,
    /// The path.
    pub(super) path_at: Mark,
    /// The labels; the entry where there are none.
    pub(super) labels_at: Mark,
    /// The namespace; the entry where there is none.
    pub(super) namespace_at: Mark,
    /// The erase rule; the entry where there is none.
    pub(super) erase_at: Mark,
    /// The name of the `hmac` key.
    pub(super) key_at: Option<Mark>,
}

/// Reads an entry. `None` where its path cannot be read.
pub(super) fn read(report: &mut Report<'_>, node: &Node) -> Option<FieldDoc> {
    let mut fields = Fields::open(report, node, "a field")?;
    let path_node = fields.required(report, "path");
    let namespace = fields.text(report, "namespace");
    let labels_node = fields.get("labels");
    let pii = fields.flag(report, "pii").unwrap_or_default();
    let selectable = fields.flag(report, "selectable").unwrap_or_default();
    let party = fields.text(report, "party").map(|party| party.text.to_owned());
    let all_elements = fields.choice(report, "elements", &[("all", true)]).unwrap_or_default();
    let erase_node = fields.get("erase");
    let reason_node = fields.get("reason");
    fields.finish(report);

    let path = path_node.and_then(|node| path(report, node));
    let labels = labels_node.map(|node| labels(report, node)).unwrap_or_default();
    let reason = reason_node.and_then(|node| text(report, node, "`reason`"));
    let mut rule = erase_node.and_then(|node| erase(report, node));
    let inner = rule.as_mut().and_then(|rule| rule.reason.take());
    if let (Some(_), Some(inner)) = (reason, &inner) {
        report.error(DUPLICATE_KEY, inner.1, "the field has two reasons").help("keep one of them");
    }
    let reason = reason.map(|reason| reason.text.to_owned()).or(inner.map(|(text, _)| text));

    let labels_at = labels_node.map_or(node.at, |node| node.at);
    let namespace_at = namespace.map_or(node.at, |namespace| namespace.at);
    let erase_at = erase_node.map_or(node.at, |node| node.at);
    exclusions(report, labels, labels_at);
    needs(report, labels, labels_at, namespace);
    let keeps = rule.as_ref().is_some_and(|rule| rule.rule.method == EraseMethod::Keep);
    if keeps && reason.is_none() && reason_node.is_none() {
        report
            .error(KEEP_WITHOUT_REASON, erase_at, "`method: keep` without a reason")
            .help("write `reason: …` on the field: plans show it");
    }
    let namespace = namespace.and_then(|found| namespace_name(report, found));
    let key_at = rule.as_ref().and_then(|rule| rule.key_at);
    Some(FieldDoc {
        field: Field {
            path: path?,
            labels,
            namespace,
            pii,
            selectable,
            party,
            all_elements,
            erase: rule.map(|rule| rule.rule),
            reason,
            position: report.position(node.at),
        },
        path_at: path_node.map_or(node.at, |node| node.at),
        labels_at,
        namespace_at,
        erase_at,
        key_at,
    })
}

/// A path: text with dots, or a list of names.
pub(super) fn path(report: &mut Report<'_>, node: &Node) -> Option<FieldPath> {
    let path = match &node.kind {
        Kind::Scalar(scalar) => FieldPath::dotted(scalar.text.expose()),
        Kind::List(parts) => {
            let names: Option<Vec<&str>> = parts.iter().map(name_of).collect();
            names.and_then(FieldPath::new)
        }
        Kind::Null | Kind::Map(_) => {
            wrong_type(report, node, "a path", "text or a list of names");
            return None;
        }
    };
    if path.is_none() {
        report
            .error(PATH, node.at, "a path with an empty part")
            .help("write names joined by single dots, such as props.device.os, or a list of names");
    }
    path
}

fn name_of(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Scalar(scalar) => Some(scalar.text.expose()),
        _ => None,
    }
}

/// A namespace's name.
pub(super) fn namespace_name(report: &mut Report<'_>, found: Text<'_>) -> Option<NamespaceName> {
    let name = NamespaceName::new(found.text);
    if name.is_none() {
        let message = format!("{} is no namespace", report.quote(found.text));
        report
            .error(NAMESPACE_NAME, found.at, message)
            .help("write 1 to 64 letters, digits, `_`, `-` and spaces");
    }
    name
}

fn labels(report: &mut Report<'_>, node: &Node) -> Labels {
    let mut labels = Labels::default();
    for item in list(report, node, "`labels`").unwrap_or_default() {
        let Some(found) = text(report, item, "a label") else { continue };
        match Label::parse(found.text) {
            None => not_one_of(report, found, "label", &Label::ALL.map(Label::as_str)),
            Some(label) if labels.has(label) => {
                let message = format!("the label {label} is there twice");
                report.warning(LABEL_TWICE, found.at, message).help("remove one");
            }
            Some(label) => labels.insert(label),
        }
    }
    labels
}

/// Labels that exclude each other.
fn exclusions(report: &mut Report<'_>, labels: Labels, at: Mark) {
    for (a, b) in [
        (Label::I1, Label::I2),
        (Label::S1, Label::S2),
        (Label::IdDevice, Label::IdPerson),
        (Label::AccAll, Label::AccPerson),
    ] {
        if labels.has(a) && labels.has(b) {
            report
                .error(LABELS_EXCLUDE, at, format!("{a} and {b} exclude each other"))
                .help("keep the one that holds");
        }
    }
}

/// What an ID label, a namespace and a DEL label need.
fn needs(report: &mut Report<'_>, labels: Labels, at: Mark, namespace: Option<Text<'_>>) {
    let id = labels.iter().find(|label| matches!(label, Label::IdDevice | Label::IdPerson));
    let identifies = labels.has(Label::I1) || labels.has(Label::I2);
    match (id, namespace) {
        (Some(id), None) => report
            .error(ID_WITHOUT_NAMESPACE, at, format!("{id} without a namespace"))
            .help("add `namespace: …`: which identities of a request are compared with the field"),
        (None, Some(namespace)) => report
            .error(NAMESPACE_WITHOUT_ID, namespace.at, "a namespace without an ID label")
            .help("add ID-DEVICE or ID-PERSON to the labels, or remove the namespace"),
        _ => {}
    }
    if let Some(id) = id.filter(|_| !identifies) {
        report
            .error(ID_WITHOUT_IDENTITY, at, format!("{id} without I1 or I2"))
            .help("add I1 (identifies directly) or I2 (identifies in combination)");
    }
    let delete = labels.iter().find(|label| matches!(label, Label::DelDevice | Label::DelPerson));
    if let Some(delete) = delete.filter(|_| !identifies && !labels.has(Label::S1)) {
        report
            .error(DEL_WITHOUT_IDENTITY, at, format!("{delete} without I1, I2 or S1"))
            .help("add the one that holds, or mark the field `pii: true` in place of the label");
    }
}

/// An erase rule, its own reason, and where its key is named.
struct RuleDoc {
    rule: EraseRule,
    reason: Option<(String, Mark)>,
    key_at: Option<Mark>,
}

/// The method of a field or a default: a word, or null itself where YAML read `null` as nothing.
pub(super) fn method(report: &mut Report<'_>, node: &Node, what: &str) -> Option<EraseMethod> {
    // An unquoted `null` is four characters; a value left out is none, and is not taken for it.
    if node.kind == Kind::Null && node.at.length == 4 {
        return Some(EraseMethod::Null);
    }
    if node.kind == Kind::Null {
        report
            .error(EMPTY, node.at, format!("{what} is empty"))
            .help(format!("it takes {}", alternatives(&EraseMethod::ALL.map(EraseMethod::as_str))));
        return None;
    }
    let found = text(report, node, what)?;
    let method = EraseMethod::parse(found.text);
    if method.is_none() {
        not_one_of(report, found, what, &EraseMethod::ALL.map(EraseMethod::as_str));
    }
    method
}

fn erase(report: &mut Report<'_>, node: &Node) -> Option<RuleDoc> {
    if let Kind::Scalar(_) = node.kind {
        report
            .error(ERASE_METHOD, node.at, "`erase` of a field is a mapping")
            .help("write `erase: {method: …}`");
        return None;
    }
    let mut fields = Fields::open(report, node, "`erase`")?;
    let method_node = fields.required(report, "method");
    let suffix = fields.get("suffix");
    let value = fields.get("value");
    let key = fields.get("key");
    let reason = fields.text(report, "reason");
    fields.finish(report);
    let method = method_node.and_then(|node| method(report, node, "`method`"))?;

    let method_at = method_node.map_or(node.at, |node| node.at);
    for (name, found, belongs) in [
        ("suffix", suffix, EraseMethod::Pseudonym),
        ("value", value, EraseMethod::Constant),
        ("key", key, EraseMethod::Hmac),
    ] {
        match found {
            Some(found) if method != belongs => report
                .error(ERASE_METHOD, found.at, format!("`{name}` does not go with `{method}`"))
                .help(format!("it belongs to `method: {belongs}`")),
            None if method == belongs && belongs != EraseMethod::Pseudonym => report
                .error(ERASE_METHOD, method_at, format!("`{method}` needs a `{name}`"))
                .help(format!("write `erase: {{method: {method}, {name}: …}}`")),
            _ => {}
        }
    }
    let plain = |report: &mut Report<'_>, node: Option<&Node>, name: &str| {
        node.and_then(|node| text(report, node, name)).map(|found| found.text.to_owned())
    };
    let suffix = plain(report, suffix, "`suffix`").filter(|_| method == EraseMethod::Pseudonym);
    let key_at = key.map(|node| node.at);
    let key = plain(report, key, "`key`").filter(|_| method == EraseMethod::Hmac);
    let value = value.filter(|_| method == EraseMethod::Constant);
    let value = value.and_then(|node| constant(report, node));
    Some(RuleDoc {
        rule: EraseRule { method, suffix, value, key },
        reason: reason.map(|reason| (reason.text.to_owned(), reason.at)),
        key_at,
    })
}

/// A constant as text; the empty text only in quotes.
fn constant(report: &mut Report<'_>, node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Scalar(scalar) => Some(scalar.text.expose().clone()),
        Kind::Null => {
            report
                .error(ERASE_METHOD, node.at, "null is no constant")
                .help("use `method: \"null\"`, or put the text in quotes");
            None
        }
        _ => {
            wrong_type(report, node, "`value`", "text");
            None
        }
    }
}
