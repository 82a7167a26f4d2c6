//! Which rows are a block's (naively): hits, links, cookies, conflicts.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{FileId, Model};
use super::people::{Block, Request};
use super::rows::{Cell, Row};
use super::schema::{Dataset, NAMESPACES};

/// (namespace, value as compared).
pub(super) type Id = (String, String);

/// A match of one ID field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) person: bool,
    /// The element of the list in which it lies.
    pub(super) element: Option<usize>,
}

/// The rows of a block.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) rows: BTreeMap<(FileId, usize), Vec<Hit>>,
    /// What expansion added.
    pub(super) added: BTreeSet<Id>,
    /// More linked rows name somebody else than may.
    pub(super) conflict: bool,
    /// A dataset that it needs cannot be read.
    pub(super) unreadable: bool,
    /// Something was left out by `only` or `include`.
    pub(super) narrowed: bool,
}

/// Whether a text is in the form of a pseudonym.
pub(super) fn is_pseudonym(text: &str) -> bool {
    text.strip_prefix("Privacy-").is_some_and(|rest| {
        rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b))
    })
}

struct IdCell {
    id: Id,
    hit: Hit,
}

/// The identities in a row; nobody's are left out.
fn id_cells(dataset: &Dataset, row: &Row) -> Vec<IdCell> {
    let mut cells = Vec::new();
    for field in &dataset.fields {
        let Some(namespace) = field.namespace else { continue };
        let person = field.has("ID-PERSON", false);
        let mut add = |cell: &Cell, element| {
            let Cell::Text(text) = cell else { return };
            if text.is_empty() || is_pseudonym(text) {
                return;
            }
            let id = (namespace.to_owned(), canonical(namespace, text));
            cells.push(IdCell { id, hit: Hit { person, element } });
        };
        match field.group() {
            None => add(&row[field.path], None),
            Some((list, leaf)) => {
                let Cell::List(elements) = &row[list] else { continue };
                for (index, element) in elements.iter().enumerate() {
                    add(&element[leaf], Some(index));
                }
            }
        }
    }
    cells
}

/// What a block names.
pub(super) fn given(block: &Block) -> BTreeSet<Id> {
    block.ids.iter().map(|(ns, v)| ((*ns).to_owned(), canonical(ns, v))).collect()
}

/// Everything that a block names, the parts of what only matches together as one.
pub(super) fn named(block: &Block) -> BTreeSet<Id> {
    let both = block.both.iter().map(|parts| {
        let parts: BTreeSet<Id> =
            parts.iter().map(|(ns, v)| ((*ns).to_owned(), canonical(ns, v))).collect();
        ("both".to_owned(), format!("{parts:?}"))
    });
    given(block).into_iter().chain(both).collect()
}

/// A value as it is compared: the policy trims addresses, and nothing is case-sensitive.
fn canonical(namespace: &str, value: &str) -> String {
    let value = if namespace == "email" { value.trim() } else { value };
    value.to_lowercase()
}

pub(super) fn expansion(namespace: &str) -> &'static str {
    NAMESPACES.iter().find(|(name, _)| *name == namespace).unwrap().1
}

impl Model {
    /// The rows of a block, with what an unfinished erasure remembers of it.
    pub(super) fn find(
        &self,
        request: &Request,
        block: &Block,
        remembered: &BTreeSet<Id>,
    ) -> Found {
        let allowed: BTreeSet<usize> =
            self.datasets().map(|(d, _)| d).filter(|d| self.allows(request, block, *d)).collect();
        let mut found = Found {
            narrowed: allowed.len() < self.datasets().count() || block.region.is_some(),
            unreadable: self
                .needs(request, block, &allowed)
                .iter()
                .any(|d| self.unreadable().contains(d)),
            ..Found::default()
        };
        let rows: Vec<(FileId, usize, Vec<IdCell>)> = self
            .files
            .iter()
            .filter(|((dataset, _), file)| allowed.contains(dataset) && !file.broken)
            .flat_map(|(id, file)| file.rows.iter().enumerate().map(move |(n, row)| (id, n, row)))
            .filter(|(_, _, row)| {
                let value = |region: &str| Cell::Text(region.to_owned());
                block.region.is_none_or(|region| row.get("region") == Some(&value(region)))
            })
            .map(|(id, n, row)| (id.clone(), n, id_cells(&self.schema[id.0], row)))
            .collect();

        let given = given(block);
        let id = |(ns, v): &(&str, String)| ((*ns).to_owned(), canonical(ns, v));
        let both: BTreeSet<Id> = block.both.iter().flatten().map(id).collect();
        let together = |cells: &[IdCell]| {
            !both.is_empty() && both.iter().all(|part| cells.iter().any(|c| c.id == *part))
        };
        let of = |kind: &'static str| {
            remembered.iter().filter(move |(ns, _)| expansion(ns) == kind).cloned()
        };
        let mut links: BTreeSet<Id> = of("always").collect();
        loop {
            let before = links.len();
            for (_, _, cells) in &rows {
                let reached = |c: &IdCell| given.contains(&c.id) || links.contains(&c.id);
                if cells.iter().any(|c| c.hit.person && reached(c)) {
                    links.extend(
                        cells
                            .iter()
                            .filter(|c| expansion(&c.id.0) == "always")
                            .map(|c| c.id.clone()),
                    );
                }
            }
            if links.len() == before {
                break;
            }
        }
        let named: BTreeSet<Id> = block.named().map(id).collect();
        let spaces: BTreeSet<&str> = named.iter().map(|(ns, _)| ns.as_str()).collect();
        found.conflict = !block.accept
            && rows.iter().any(|(_, _, cells)| {
                cells.iter().any(|c| links.contains(&c.id) && !given.contains(&c.id))
                    && cells
                        .iter()
                        .any(|c| spaces.contains(c.id.0.as_str()) && !named.contains(&c.id))
            });
        let mut cookies: BTreeSet<Id> = of("cookie").collect();
        if request.expand {
            let is_cookie = |c: &&IdCell| expansion(&c.id.0) == "cookie";
            let matched = |c: &IdCell| given.contains(&c.id) || links.contains(&c.id);
            let first: BTreeSet<Id> = rows
                .iter()
                .filter(|(_, _, cells)| {
                    together(cells) || cells.iter().any(|c| !is_cookie(&c) && matched(c))
                })
                .flat_map(|(_, _, cells)| cells.iter().filter(is_cookie).map(|c| c.id.clone()))
                .collect();
            let second: BTreeSet<Id> = rows
                .iter()
                .filter(|(_, _, cells)| {
                    let mut cookies = cells.iter().filter(is_cookie);
                    cookies.any(|c| first.contains(&c.id) || given.contains(&c.id))
                })
                .flat_map(|(_, _, cells)| cells.iter().filter(is_cookie).map(|c| c.id.clone()))
                .collect();
            cookies.extend(first);
            cookies.extend(second);
        }
        let all = |id: &Id| given.contains(id) || links.contains(id) || cookies.contains(id);
        for (file, index, cells) in &rows {
            let mut hits: Vec<Hit> = cells.iter().filter(|c| all(&c.id)).map(|c| c.hit).collect();
            if together(cells) {
                // One of the two is a device, and so are both.
                let parts = cells.iter().filter(|c| both.contains(&c.id));
                hits.extend(parts.map(|c| Hit { person: false, ..c.hit }));
            }
            if !hits.is_empty() {
                found.rows.insert((file.clone(), *index), hits);
            }
        }
        found.added = links.union(&cookies).filter(|id| !given.contains(*id)).cloned().collect();
        found
    }

    /// The datasets in which the block could find something: a fault of any other is nothing to it.
    fn needs(
        &self,
        request: &Request,
        block: &Block,
        allowed: &BTreeSet<usize>,
    ) -> BTreeSet<usize> {
        let mut namespaces: BTreeSet<&str> = block.named().map(|(ns, _)| *ns).collect();
        let mut reached = BTreeSet::new();
        loop {
            let before = (namespaces.len(), reached.len());
            for index in allowed {
                let mut carried: Vec<&str> =
                    self.schema[*index].fields.iter().filter_map(|f| f.namespace).collect();
                if !carried.iter().any(|ns| namespaces.contains(ns)) {
                    continue;
                }
                reached.insert(*index);
                carried.retain(|ns| match expansion(ns) {
                    "always" => true,
                    "cookie" => request.expand,
                    _ => false,
                });
                namespaces.extend(carried);
            }
            if (namespaces.len(), reached.len()) == before {
                return reached;
            }
        }
    }
}
