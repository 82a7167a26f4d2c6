//! What the simulated world writes: rows about a few people, and requests of theirs.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::dice::Dice;
use super::rows::{Cell, Row};
use super::schema::{Dataset, REGIONS, TENANTS, datasets};

/// How many people there are.
pub(super) const PEOPLE: u64 = 6;

/// An identity of a person, as requests name it.
pub(super) fn identity(namespace: &str, person: u64, dice: &mut Dice) -> String {
    match namespace {
        "email" => format!("zq-mail-{person}@sim.example"),
        "crm" => format!("zq-crm-{person}"),
        "dev" => format!("zq-dev-{person}-{}", dice.below(2)),
        _ => format!("zq-cust-{person}-{}", dice.below(2)),
    }
}

fn text(value: String) -> Cell {
    Cell::Text(value)
}

fn maybe(dice: &mut Dice, times: u64, value: Cell) -> Cell {
    if dice.once_in(times) { Cell::Null } else { value }
}

/// The identity as some row spells it.
fn spelled(namespace: &str, person: u64, dice: &mut Dice) -> Cell {
    let value = identity(namespace, person, dice);
    let value = match dice.below(12) {
        0 => value.to_uppercase(),
        1 if namespace == "email" => format!(" {value}"),
        _ => value,
    };
    maybe(dice, 7, text(value))
}

/// A row of a dataset; the partition is given by the file's path.
pub(super) fn row(dataset: &Dataset, partition: Option<&str>, dice: &mut Dice) -> Row {
    let person = dice.below(PEOPLE);
    let mut row = Row::new();
    for field in dataset.fields.iter().filter(|f| f.group().is_none()) {
        let whose = if dice.once_in(14) { dice.below(PEOPLE) } else { person };
        let cell = match (field.namespace, field.path) {
            (_, path) if dataset.partition == Some(path) => {
                text(partition.unwrap_or_default().to_owned())
            }
            (Some(namespace), _) => spelled(namespace, whose, dice),
            (None, "phone") => {
                let number = i64::try_from(490_000_000 + whose).unwrap();
                maybe(dice, 4, Cell::Int(number))
            }
            (None, "ts") => {
                let seconds = 1_780_000_000 + i64::try_from(dice.below(9_000_000)).unwrap();
                maybe(dice, 6, Cell::Time(seconds * 1_000_000))
            }
            (None, "url") => {
                let value = match dice.below(4) {
                    0 => format!("zq-not-a-url-{whose}"),
                    1 => format!("/search?q=zq-{whose}"),
                    2 => "https://sim.example/plain".to_owned(),
                    _ => format!("https://sim.example/a#zq-{whose}"),
                };
                maybe(dice, 5, text(value))
            }
            (None, "total") => Cell::Int(i64::try_from(dice.below(100)).unwrap()),
            (None, path) => {
                let value = format!("zq-{path}-{whose}-{}", dice.below(3));
                maybe(dice, 5, text(value))
            }
        };
        row.insert(field.path, cell);
    }
    if dataset.fields.iter().any(|f| f.group().is_some()) {
        let elements = (0..dice.below(4)).map(|_| {
            let whose = dice.below(PEOPLE);
            let msg = format!("zq-msg-{whose}-{}", dice.below(3));
            Row::from([
                ("sku", text(format!("sku-{}", dice.below(9)))),
                ("gift", spelled("email", whose, dice)),
                ("msg", maybe(dice, 4, text(msg))),
            ])
        });
        let elements = elements.collect();
        row.insert("items", Cell::List(elements));
    }
    row
}

/// A request file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) regulation: Option<&'static str>,
    pub(super) received: Option<Timestamp>,
    pub(super) expand: bool,
    pub(super) purge: bool,
    pub(super) include: Option<Vec<&'static str>>,
    pub(super) suspend: bool,
    pub(super) withdrawn: bool,
    /// The day until which the due date is moved.
    pub(super) extension: Option<jiff::civil::Date>,
    /// The file does not say anything valid for a while.
    pub(super) broken: bool,
    pub(super) blocks: Vec<Block>,
}

/// One user block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) key: String,
    pub(super) access: bool,
    pub(super) delete: bool,
    pub(super) ids: Vec<(&'static str, String)>,
    /// Two that mean somebody only together, in one row; the second is a device.
    pub(super) both: Option<[(&'static str, String); 2]>,
    pub(super) datasets: Option<Vec<&'static str>>,
    pub(super) region: Option<&'static str>,
    pub(super) standing: bool,
    pub(super) accept: bool,
}

impl Request {
    /// A request of one or two people.
    pub(super) fn new(dice: &mut Dice, now: Timestamp) -> Self {
        let blocks = 1 + u64::from(dice.once_in(3));
        Self {
            regulation: match dice.below(6) {
                0 => None,
                1 => Some("ccpa"),
                2 => Some("nzpa_nzl"),
                3 => Some("lgpd_bra"),
                _ => Some("gdpr"),
            },
            received: (!dice.once_in(4)).then(|| {
                let hours = i64::try_from(dice.below(24 * 20)).unwrap();
                now - jiff::Span::new().hours(hours)
            }),
            expand: dice.once_in(3),
            purge: dice.once_in(7),
            include: dice.once_in(3).then(|| {
                let one = dice.of(&["crm", "shop", "web"]);
                let two = dice.of(&["crm", "shop", "web"]);
                if one == two { vec![one] } else { vec![one, two] }
            }),
            suspend: dice.once_in(10),
            withdrawn: false,
            extension: None,
            broken: false,
            blocks: (0..blocks).map(|n| Block::new(format!("K{n}"), dice)).collect(),
        }
    }

    /// The file's text.
    pub(super) fn yaml(&self, name: &str) -> String {
        let head = format!(
            "apiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {{name: {name}}}\nspec: "
        );
        if self.broken {
            return head + "{users: 7}\n";
        }
        let mut spec = json!({
            "expandIds": self.expand,
            "deleteMethod": if self.purge { "purge" } else { "anonymize" },
            "suspend": self.suspend,
            "withdrawn": self.withdrawn,
            "users": self.blocks.iter().map(Block::json).collect::<Vec<_>>(),
        });
        let fields = spec.as_object_mut().unwrap();
        if let Some(regulation) = self.regulation {
            fields.insert("regulation".into(), regulation.into());
        }
        if let Some(received) = self.received {
            fields.insert("receivedAt".into(), received.to_string().into());
        }
        if let Some(include) = &self.include {
            fields.insert("include".into(), include.clone().into());
        }
        if let Some(until) = self.extension {
            let extension = json!({"until": until.to_string(), "reason": "many requests"});
            fields.insert("extension".into(), extension);
        }
        format!("{head}{spec}\n")
    }
}

impl Block {
    fn new(key: String, dice: &mut Dice) -> Self {
        let person = dice.below(PEOPLE);
        let ids = (0..1 + dice.below(2)).map(|_| {
            let namespace = dice.of(&["email", "email", "crm", "dev", "customer"]);
            (namespace, identity(namespace, person, dice))
        });
        let mut ids: Vec<_> = ids.collect();
        if dice.once_in(25) {
            // Not an address: the block is rejected.
            ids.push(("email", format!("zq-no-mail-{person}")));
        }
        let both = dice.once_in(4).then(|| {
            let namespace = dice.of(&["email", "crm"]);
            [namespace, "dev"].map(|namespace| (namespace, identity(namespace, person, dice)))
        });
        if both.is_some() && dice.once_in(2) {
            ids.clear();
        }
        let (access, delete) = match dice.below(5) {
            0 => (true, false),
            1 => (true, true),
            _ => (false, true),
        };
        // A block that names a dataset without a policy is rejected; the others are not.
        let names: Vec<&'static str> =
            datasets().iter().map(|d| d.name).filter(|name| *name != TENANTS).collect();
        Self {
            key,
            access,
            delete,
            ids,
            both,
            datasets: dice.once_in(6).then(|| vec![dice.of(&names)]),
            region: dice.once_in(12).then(|| dice.of(&REGIONS)),
            standing: dice.once_in(4),
            accept: dice.once_in(4),
        }
    }

    /// Every identity that it names, also as a part of another.
    pub(super) fn named(&self) -> impl Iterator<Item = &(&'static str, String)> {
        self.ids.iter().chain(self.both.iter().flatten())
    }

    fn json(&self) -> Value {
        let mut actions = Vec::new();
        actions.extend(self.access.then_some("access"));
        actions.extend(self.delete.then_some("delete"));
        let id =
            |(namespace, value): &(&str, String)| json!({"namespace": namespace, "value": value});
        let mut only = json!({});
        if let Some(datasets) = &self.datasets {
            only["datasets"] = datasets.clone().into();
        }
        if let Some(region) = self.region {
            only["where"] = json!({"region": region});
        }
        let mut ids: Vec<Value> = self.ids.iter().map(id).collect();
        ids.extend(self.both.iter().map(|parts| json!({"allOf": parts.each_ref().map(id)})));
        let mut block = json!({
            "key": self.key,
            "action": actions,
            "userIDs": ids,
            "standing": self.standing,
            "acceptConflicts": self.accept,
        });
        if only != json!({}) {
            block["only"] = only;
        }
        block
    }
}
