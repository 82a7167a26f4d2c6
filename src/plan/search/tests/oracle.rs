//! RULES.md section 3 once more, for one block at a time, as directly as it can be written: every rule is
//! evaluated over every cell of every row, again and again.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    CookieExpansion, Environment, Expansion, IdentityTerm, Leaf, NamespaceName, Reason, Request,
    UserBlock,
};
use crate::plan::testing::{World, comparable};
use crate::plan::{Element, FoundHit, RowKey};

/// An identity: namespace and canonical value.
pub(super) type Id = (NamespaceName, String);

/// What the rules say of a block.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) rows: BTreeMap<(usize, RowKey), BTreeSet<FoundHit>>,
    pub(super) added: BTreeSet<Id>,
    pub(super) conflicts: u64,
    pub(super) stop: Option<Reason>,
    pub(super) searched: Vec<usize>,
}

/// One value of one ID field.
#[derive(Debug, Clone, PartialEq)]
struct Cell {
    dataset: usize,
    at: RowKey,
    leaf: u16,
    shape: Leaf,
    element: Element,
    id: Id,
    person: bool,
    party: Option<String>,
    all_elements: bool,
    same_subject: bool,
    /// Which of the block's given identities it equals, in the column's own type.
    equals: BTreeSet<Id>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Why {
    Given,
    Link,
    Cookie,
}

pub(super) fn oracle(
    world: &World,
    request: &Request,
    user: &UserBlock,
    remembered: &BTreeSet<Id>,
) -> Verdict {
    let mut verdict = Verdict { searched: scope(world, request, user), ..Verdict::default() };
    let all: Vec<Cell> = verdict.searched.iter().flat_map(|d| cells(world, user, *d)).collect();
    let settings = &world.catalog.settings;
    let expansion = |id: &Id| world.catalog.namespace(&id.0).expansion;
    let one = |identity: &crate::model::Identity| {
        (identity.namespace.clone(), identity.canonical.expose().clone())
    };
    if misfits(world, user) {
        verdict.stop = Some(Reason::ValueFormat);
        return verdict;
    }
    let given: BTreeSet<Id> =
        user.identities.iter().flat_map(IdentityTerm::parts).map(one).collect();
    let mut ids: Vec<(Id, Why)> = Vec::new();
    for term in &user.identities {
        if let IdentityTerm::One(identity) = term {
            ids.push((one(identity), Why::Given));
        }
    }
    for id in remembered {
        if !ids.iter().any(|(known, _)| known == id) {
            let why = if expansion(id) == Expansion::Cookie { Why::Cookie } else { Why::Link };
            ids.push((id.clone(), why));
        }
    }
    let composites: Vec<(FoundHit, Cell, bool)> = user
        .identities
        .iter()
        .filter_map(|term| match term {
            IdentityTerm::One(_) => None,
            IdentityTerm::AllOf(parts) => Some(parts.iter().map(one).collect::<BTreeSet<Id>>()),
        })
        .flat_map(|parts| {
            let cookies = parts.iter().all(|part| expansion(part) == Expansion::Cookie);
            combinations(&all, &parts).into_iter().map(move |(hit, cell)| (hit, cell, cookies))
        })
        .collect();
    // The cells that match, why, whether as a person, and whether on a cookie id.
    let matching = |ids: &[(Id, Why)]| {
        let mut hits: Vec<(Cell, Why, bool, bool)> = Vec::new();
        for (id, why) in ids {
            for cell in all.iter().filter(|cell| is(world, cell, id)) {
                hits.push((cell.clone(), *why, cell.person, expansion(id) == Expansion::Cookie));
            }
        }
        hits.extend(
            composites
                .iter()
                .map(|(hit, cell, cookies)| (cell.clone(), Why::Given, hit.person, *cookies)),
        );
        hits
    };
    let reached = |hit: &Cell, expands: Expansion| -> BTreeSet<Id> {
        all.iter()
            .filter(|cell| expansion(&cell.id) == expands && reaches(hit, cell))
            .map(|cell| cell.id.clone())
            .collect()
    };
    let most = usize::try_from(settings.limits.max_expanded_ids).unwrap();
    let count = |ids: &[(Id, Why)]| ids.iter().filter(|(_, why)| *why != Why::Given).count();
    let known = |ids: &[(Id, Why)], id: &Id| ids.iter().any(|(known, _)| known == id);
    let mut stop = None;
    if count(&ids) > most {
        verdict.added =
            ids.iter().filter(|(_, why)| *why != Why::Given).map(|(id, _)| id.clone()).collect();
        verdict.stop = Some(Reason::LimitExceeded);
        return verdict;
    }
    let add = |ids: &mut Vec<(Id, Why)>, new: BTreeSet<Id>, why: Why| {
        let new: Vec<Id> = new.into_iter().filter(|id| !known(ids, id)).collect();
        let fits = count(ids) + new.len() <= most;
        if fits {
            ids.extend(new.into_iter().map(|id| (id, why)));
        }
        fits
    };
    // Links first, to their fixpoint, from person rows only.
    let mut rounds = 0;
    let mut limited = false;
    loop {
        let mut new = BTreeSet::new();
        for (hit, why, person, _) in matching(&ids) {
            if person && why != Why::Cookie {
                new.extend(reached(&hit, Expansion::Always));
            }
        }
        new.retain(|id| !known(&ids, id));
        if new.is_empty() {
            break;
        }
        if rounds == settings.limits.max_hops || !add(&mut ids, new, Why::Link) {
            limited = true;
            break;
        }
        rounds += 1;
    }
    // Linked rows that name somebody else.
    let mut conflicts = BTreeSet::new();
    for (hit, why, _, _) in matching(&ids) {
        for cell in all.iter().filter(|cell| why == Why::Link && reaches(&hit, cell)) {
            let named = given.iter().any(|id| id.0 == cell.id.0);
            let us = |cell: &Cell| given.contains(&cell.id) || !cell.equals.is_empty();
            let sibling = cell.same_subject
                && all.iter().any(|c| reaches(&hit, c) && c.id.0 == cell.id.0 && us(c));
            if named && !us(cell) && !sibling {
                conflicts.insert((cell.dataset, cell.at));
            }
        }
    }
    verdict.conflicts = u64::try_from(conflicts.len()).unwrap();
    if limited {
        stop = Some(Reason::LimitExceeded);
    } else if verdict.conflicts > settings.limits.max_conflicts && !user.accept_conflicts {
        stop = Some(Reason::IdentityConflict);
    }
    if request.expand_ids && !limited {
        let fixpoint = settings.cookie_expansion == CookieExpansion::Fixpoint;
        // Step 1: rows that match on a non-cookie namespace.
        let mut first = BTreeSet::new();
        for (hit, why, _, cookie) in matching(&ids) {
            if !cookie && why != Why::Cookie {
                first.extend(reached(&hit, Expansion::Cookie));
            }
        }
        limited = !add(&mut ids, first.clone(), Why::Cookie);
        // Step 2: rows that match on a cookie id that is given or that step 1 found.
        while !limited {
            let mut second = BTreeSet::new();
            let seeds: Vec<(Id, Why)> = ids
                .iter()
                .filter(|(id, why)| fixpoint || *why == Why::Given || first.contains(id))
                .cloned()
                .collect();
            for (hit, _, _, cookie) in matching(&seeds) {
                if cookie {
                    second.extend(reached(&hit, Expansion::Cookie));
                }
            }
            second.retain(|id| !known(&ids, id));
            if second.is_empty() {
                break;
            }
            limited = !add(&mut ids, second, Why::Cookie);
            if !fixpoint {
                break;
            }
        }
        if limited {
            stop = stop.or(Some(Reason::LimitExceeded));
        }
    }
    for (id, _) in &ids {
        for cell in all.iter().filter(|cell| is(world, cell, id)) {
            let element = cell.element.clone();
            let hit = FoundHit { leaf: cell.leaf, element, person: cell.person };
            verdict.rows.entry((cell.dataset, cell.at)).or_default().insert(hit);
        }
    }
    for (hit, cell, _) in composites {
        verdict.rows.entry((cell.dataset, cell.at)).or_default().insert(hit);
    }
    verdict.added =
        ids.into_iter().filter(|(_, why)| *why != Why::Given).map(|(id, _)| id).collect();
    verdict.stop = stop;
    verdict
}

/// Datasets of the environment that `only` and `include` leave.
fn scope(world: &World, request: &Request, user: &UserBlock) -> Vec<usize> {
    let environment = if user.is_qa() { Environment::Test } else { Environment::Production };
    let datasets = world.catalog.datasets.iter().enumerate();
    datasets
        .filter(|(_, dataset)| {
            let leaves = &world.inventory.datasets[&dataset.name].leaves;
            dataset.environment == environment
                && user.only.datasets.as_ref().is_none_or(|names| names.contains(&dataset.name))
                && user.only.sources.as_ref().is_none_or(|names| names.contains(&dataset.source))
                && request.include.as_ref().is_none_or(|names| names.contains(&dataset.product))
                && user.only.r#where.keys().all(|path| {
                    leaves.iter().any(|leaf| leaf.path == *path)
                        && dataset.fields.iter().any(|f| f.path == *path && f.selectable)
                })
        })
        .map(|(index, _)| index)
        .collect()
}

/// Every value of an ID field that is somebody's, in the rows that `only.where` leaves.
fn cells(world: &World, user: &UserBlock, dataset: usize) -> Vec<Cell> {
    let policy = &world.catalog.datasets[dataset];
    let leaves = &world.inventory.datasets[&policy.name].leaves;
    let mut outside = BTreeSet::new();
    for (index, leaf) in (0..).zip(leaves) {
        if let Some(wanted) = user.only.r#where.get(&leaf.path) {
            for (at, values) in world.column(dataset, index) {
                if !values.iter().any(|(_, value)| leaf.kind.text(value) == *wanted.expose()) {
                    outside.insert(at);
                }
            }
        }
    }
    let prefixes = world.catalog.settings.erased_prefixes();
    let mut cells = Vec::new();
    for (index, leaf) in (0..).zip(leaves) {
        let Some(field) = policy.fields.iter().find(|field| field.path == leaf.path) else {
            continue;
        };
        let Some(name) = field.namespace.as_ref().filter(|_| field.labels.is_id()) else {
            continue;
        };
        let rules = world.catalog.namespace(name);
        for (at, values) in world.column(dataset, index) {
            for (element, value) in values {
                let text = leaf.kind.text(&value);
                let canonical = rules.canonical(&text);
                if outside.contains(&at) || rules.is_placeholder(&canonical, &prefixes) {
                    continue;
                }
                let equals = user.identities.iter().flat_map(IdentityTerm::parts);
                let equals = equals.filter(|given| {
                    given.namespace == *name
                        && leaf.kind.key(&rules, given.given.expose())
                            == comparable(leaf, &rules, &value)
                });
                cells.push(Cell {
                    dataset,
                    at,
                    leaf: index,
                    shape: leaf.clone(),
                    element,
                    id: (name.clone(), canonical),
                    person: field.is_person_id(),
                    party: field.party.clone(),
                    all_elements: field.all_elements,
                    same_subject: policy.same_subject,
                    equals: equals
                        .map(|id| (id.namespace.clone(), id.canonical.expose().clone()))
                        .collect(),
                });
            }
        }
    }
    cells
}

/// Whether a cell is an identity's, in the column's own type.
fn is(world: &World, cell: &Cell, id: &Id) -> bool {
    let rules = world.catalog.namespace(&id.0);
    let key = |text| cell.shape.kind.key(&rules, text);
    cell.id.0 == id.0 && key(&id.1).is_some_and(|wanted| Some(wanted) == key(&cell.id.1))
}

/// Whether a match on one cell reaches another cell of its row.
fn reaches(hit: &Cell, cell: &Cell) -> bool {
    hit.dataset == cell.dataset
        && hit.at == cell.at
        && (hit.party.is_none() || cell.party.is_none() || hit.party == cell.party)
        && (cell.all_elements || same_elements(hit, cell))
}

/// Whether two cells lie in the same elements of the lists that they share.
fn same_elements(a: &Cell, b: &Cell) -> bool {
    let groups = |cell: &Cell| -> Vec<(Vec<String>, u32)> {
        let parts = cell.shape.path.parts();
        let lists = cell.shape.lists.iter().zip(&cell.element);
        lists.map(|(length, index)| (parts[..*length].to_vec(), *index)).collect()
    };
    groups(a).iter().zip(groups(b).iter()).take_while(|(a, b)| a.0 == b.0).all(|(a, b)| a.1 == b.1)
}

/// Combinations of cells that together are a composite identity: the hits that they leave.
fn combinations(all: &[Cell], parts: &BTreeSet<Id>) -> Vec<(FoundHit, Cell)> {
    let mut found = Vec::new();
    let rows: BTreeSet<(usize, RowKey)> = all.iter().map(|cell| (cell.dataset, cell.at)).collect();
    for row in rows {
        let mut chosen: Vec<Vec<&Cell>> = vec![Vec::new()];
        for part in parts {
            let candidates = all.iter().filter(|cell| {
                (cell.dataset, cell.at) == row && (cell.id == *part || cell.equals.contains(part))
            });
            let candidates: Vec<&Cell> = candidates.collect();
            chosen = chosen
                .into_iter()
                .flat_map(|sofar| {
                    candidates.iter().map(move |cell| [sofar.clone(), vec![*cell]].concat())
                })
                .filter(|cells| {
                    cells.iter().all(|a| {
                        cells.iter().all(|b| {
                            let parties = a.party.is_none() || b.party.is_none();
                            same_elements(a, b) && (parties || a.party == b.party)
                        })
                    })
                })
                .collect();
        }
        for cells in chosen {
            let person = cells.iter().all(|cell| cell.person);
            for cell in &cells {
                let narrower = |inner: &&Cell| {
                    let outer_lists = &cell.shape.lists;
                    let nested = inner.shape.lists.starts_with(outer_lists)
                        && outer_lists.iter().all(|length| {
                            inner.shape.path.parts()[..*length]
                                == cell.shape.path.parts()[..*length]
                        });
                    let party_within = cell.party.is_none() || cell.party == inner.party;
                    let deeper = inner.shape.lists.len() > outer_lists.len();
                    nested && party_within && (deeper || cell.party != inner.party)
                };
                if !cells.iter().copied().any(|inner| narrower(&inner)) {
                    let element = cell.element.clone();
                    found.push((FoundHit { leaf: cell.leaf, element, person }, (*cell).clone()));
                }
            }
        }
    }
    found
}

/// Whether a given value is nobody, or fits no column of its namespace.
fn misfits(world: &World, user: &UserBlock) -> bool {
    let environment = if user.is_qa() { Environment::Test } else { Environment::Production };
    let prefixes = world.catalog.settings.erased_prefixes();
    user.identities.iter().flat_map(IdentityTerm::parts).any(|given| {
        let rules = world.catalog.namespace(&given.namespace);
        let mut columns = Vec::new();
        for dataset in world.catalog.in_environment(environment) {
            for field in dataset.fields.iter().filter(|field| field.labels.is_id()) {
                if field.namespace.as_ref() == Some(&given.namespace) {
                    let leaves = &world.inventory.datasets[&dataset.name].leaves;
                    columns.extend(leaves.iter().filter(|leaf| leaf.path == field.path));
                }
            }
        }
        let fits = |leaf: &&Leaf| leaf.kind.key(&rules, given.given.expose()).is_some();
        rules.is_placeholder(given.canonical.expose(), &prefixes)
            || !columns.is_empty() && !columns.iter().any(fits)
    })
}
