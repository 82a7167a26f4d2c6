//! The simulated lake's datasets, as the policies name them. Everything personal in it begins with
//! [`MARK`], so that a stray value is found by one search.

use super::dice::Dice;
use super::people::{PEOPLE, identity};

/// How every personal value begins, in small letters.
pub(super) const MARK: &str = "zq-";

/// What a field is erased by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Pseudonym,
    Null,
    Empty,
    Constant(&'static str),
    StripUrl,
    Coarsen,
    /// Not erased at all.
    None,
}

/// A column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Int,
    Time,
}

/// A leaf column; `a.b` is the leaf `b` of a list of structs `a`.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) path: &'static str,
    pub(super) kind: Kind,
    labels: &'static str,
    pub(super) namespace: Option<&'static str>,
    pub(super) pii: bool,
    pub(super) selectable: bool,
    pub(super) method: Method,
    /// The `DEL-PERSON` label comes only when the policy is widened.
    pub(super) later: bool,
}

impl Field {
    fn new(path: &'static str, kind: Kind, labels: &'static str) -> Self {
        Self {
            path,
            kind,
            labels,
            namespace: None,
            pii: false,
            selectable: false,
            method: Method::None,
            later: false,
        }
    }

    fn id(path: &'static str, namespace: &'static str, labels: &'static str) -> Self {
        Self { namespace: Some(namespace), ..Self::new(path, Kind::Text, labels) }
    }

    fn by(self, method: Method) -> Self {
        Self { method, ..self }
    }

    pub(super) fn labels(&self, wide: bool) -> Vec<&'static str> {
        let later = (self.later && wide).then_some("DEL-PERSON");
        self.labels.split(' ').filter(|label| !label.is_empty()).chain(later).collect()
    }

    pub(super) fn has(&self, label: &str, wide: bool) -> bool {
        self.labels(wide).contains(&label)
    }

    /// The list that it lies in, and its name there.
    pub(super) fn group(&self) -> Option<(&'static str, &'static str)> {
        self.path.split_once('.')
    }
}

/// A table.
#[derive(Debug, Clone)]
pub(super) struct Dataset {
    pub(super) name: &'static str,
    pub(super) product: &'static str,
    /// A delete removes rows.
    pub(super) erase_rows: bool,
    pub(super) may_be_empty: bool,
    pub(super) timestamp: bool,
    /// The column that stands in the path.
    pub(super) partition: Option<&'static str>,
    pub(super) fields: Vec<Field>,
}

/// The namespaces: name, and whether they are links or cookies.
pub(super) const NAMESPACES: [(&str, &str); 4] =
    [("email", "never"), ("crm", "never"), ("dev", "cookie"), ("customer", "always")];

/// The dataset whose paths name people, and whose policy may disappear.
pub(super) const TENANTS: &str = "tenants";

/// The partitions of `visits`.
pub(super) const REGIONS: [&str; 2] = ["eu", "us"];

/// All of them.
pub(super) fn datasets() -> Vec<Dataset> {
    use Kind::{Int, Text, Time};
    let plain = Dataset {
        name: "",
        product: "",
        erase_rows: false,
        may_be_empty: true,
        timestamp: false,
        partition: None,
        fields: Vec::new(),
    };
    vec![
        Dataset {
            name: "people",
            product: "crm",
            timestamp: true,
            fields: vec![
                Field::id("email", "email", "I1 ID-PERSON DEL-PERSON ACC-PERSON")
                    .by(Method::Pseudonym),
                Field::id("dev", "dev", "I2 ID-DEVICE DEL-DEVICE ACC-ALL").by(Method::Pseudonym),
                Field { pii: true, ..Field::new("phone", Int, "ACC-PERSON").by(Method::Pseudonym) },
                Field {
                    later: true,
                    ..Field::new("nick", Text, "I2 ACC-PERSON").by(Method::Constant("(gone)"))
                },
                Field::new("url", Text, "I2 DEL-DEVICE DEL-PERSON ACC-ALL").by(Method::StripUrl),
                Field::new("ts", Time, "I2 DEL-PERSON ACC-ALL").by(Method::Coarsen),
            ],
            ..plain.clone()
        },
        Dataset {
            name: "orders",
            product: "shop",
            fields: vec![
                Field::id("crm", "crm", "I2 ID-PERSON DEL-PERSON ACC-PERSON").by(Method::Pseudonym),
                Field::new("note", Text, "I2 DEL-PERSON ACC-PERSON").by(Method::Null),
                Field::new("items.sku", Text, "ACC-ALL"),
                Field::id("items.gift", "email", "I1 ID-PERSON DEL-PERSON ACC-PERSON")
                    .by(Method::Pseudonym),
                Field::new("items.msg", Text, "I1 DEL-PERSON ACC-PERSON")
                    .by(Method::Constant("(erased)")),
            ],
            ..plain.clone()
        },
        Dataset {
            name: "visits",
            product: "web",
            may_be_empty: false,
            partition: Some("region"),
            fields: vec![
                Field { selectable: true, ..Field::new("region", Text, "ACC-ALL") },
                Field::id("crm", "crm", "I2 ID-PERSON DEL-PERSON ACC-PERSON").by(Method::Null),
                Field::id("dev", "dev", "I2 ID-DEVICE ACC-ALL"),
                Field::new("page", Text, "I2 DEL-DEVICE ACC-ALL").by(Method::Empty),
            ],
            ..plain.clone()
        },
        Dataset {
            name: "log",
            product: "web",
            erase_rows: true,
            fields: vec![
                Field::id("email", "email", "I1 ID-PERSON DEL-PERSON ACC-PERSON"),
                Field::id("dev", "dev", "I2 ID-DEVICE DEL-DEVICE ACC-ALL"),
                Field::new("line", Text, "ACC-ALL"),
            ],
            ..plain.clone()
        },
        Dataset {
            name: "accounts",
            product: "crm",
            fields: vec![
                Field::id("email", "email", "I1 ID-PERSON DEL-PERSON ACC-PERSON")
                    .by(Method::Pseudonym),
                Field::id("customer", "customer", "I2 ID-PERSON DEL-PERSON ACC-PERSON")
                    .by(Method::Pseudonym),
                Field::new("name", Text, "I1 DEL-PERSON ACC-PERSON").by(Method::Constant("gone")),
            ],
            ..plain.clone()
        },
        Dataset {
            name: "purchases",
            product: "shop",
            fields: vec![
                Field::id("customer", "customer", "I2 ID-PERSON DEL-PERSON ACC-PERSON")
                    .by(Method::Pseudonym),
                Field { pii: true, ..Field::new("memo", Text, "").by(Method::Null) },
                Field::new("total", Int, "ACC-PERSON"),
            ],
            ..plain.clone()
        },
        Dataset {
            name: TENANTS,
            product: "shop",
            erase_rows: true,
            partition: Some("crm"),
            fields: vec![
                Field::id("crm", "crm", "I2 ID-PERSON ACC-ALL"),
                Field::id("dev", "dev", "I2 ID-DEVICE DEL-DEVICE ACC-ALL"),
                Field::new("state", Text, "ACC-ALL"),
            ],
            ..plain
        },
    ]
}

impl Dataset {
    /// Whether the path of a file names a person: it goes with its last row.
    pub(super) fn names_people(&self) -> bool {
        let id = |field: &Field| field.namespace.is_some() && self.partition == Some(field.path);
        self.fields.iter().any(id)
    }

    /// The policy document.
    pub(super) fn yaml(&self, location: &str, wide: bool) -> String {
        let mut text = format!(
            "apiVersion: amparo/v1\nkind: Dataset\nmetadata: {{name: {}}}\nspec:\n  product: {}\n  \
             location: {location}\n  format: parquet\n  mayBeEmpty: {}\n",
            self.name, self.product, self.may_be_empty
        );
        if self.erase_rows {
            text += "  erase: rows\n";
        }
        if self.timestamp {
            text += "  timestamp: ts\n";
        }
        text += "  fields:\n";
        for field in &self.fields {
            text += &format!("    - {{path: {}, ", field.path);
            if let Some(namespace) = field.namespace {
                text += &format!("namespace: {namespace}, ");
            }
            text += &format!(
                "labels: [{}], pii: {}, selectable: {}",
                field.labels(wide).join(", "),
                field.pii,
                field.selectable
            );
            let method = match field.method {
                Method::None => "",
                Method::Pseudonym => ", erase: {method: pseudonym}",
                Method::Null => ", erase: {method: \"null\"}",
                Method::Empty => ", erase: {method: empty}",
                Method::StripUrl => ", erase: {method: strip-url}",
                Method::Coarsen => ", erase: {method: coarsen}",
                Method::Constant(value) => {
                    text += &format!(", erase: {{method: constant, value: \"{value}\"}}");
                    ""
                }
            };
            text += method;
            text += ", reason: simulated}\n";
        }
        text
    }

    /// Where a new file of it would lie, below its directory.
    pub(super) fn file_name(&self, number: u64, dice: &mut Dice) -> String {
        match self.partition {
            Some(column) => {
                let value = match self.name {
                    TENANTS => identity("crm", dice.below(PEOPLE), dice),
                    _ => dice.of(&REGIONS).to_owned(),
                };
                format!("{column}={value}/part-{number}.parquet")
            }
            None => format!("part-{number}.parquet"),
        }
    }
}
