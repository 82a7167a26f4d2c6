//! `profile.json`: every row, typed and nested, in one document (RULES.md section 4).
//!
//! Structs are objects, lists are lists, maps are lists of `{key, value}` in their order (keys need
//! not be strings, and may repeat). Integers and decimals keep every digit. An object is there even
//! where all its fields are null; what is somebody else's is left out.

use std::path::Path;

use crate::model::{FieldPath, Identity, IdentityTerm};

use super::archive::Content;
use super::layout::{DatasetPart, Layout};
use super::sorter::Sorter;
use super::value::{Instants, Value, decode, push_json_string};
use super::{AccessError, AccessTask};

/// Keeps the rows of a package until they are written dataset by dataset.
pub(super) struct Profile {
    sorter: Sorter,
    rows: u64,
}

impl Profile {
    /// Spills into `dir` beyond `budget` bytes.
    pub(super) fn new(dir: &Path, budget: usize) -> Self {
        Self { sorter: Sorter::new(dir, budget), rows: 0 }
    }

    /// Adds a row, in the order of the sheets.
    pub(super) fn add(
        &mut self,
        dataset: u32,
        device: bool,
        cells: &[u8],
    ) -> Result<(), AccessError> {
        let mut key = [0; 13];
        key[..4].copy_from_slice(&dataset.to_be_bytes());
        key[4] = u8::from(device);
        key[5..].copy_from_slice(&self.rows.to_be_bytes());
        self.rows += 1;
        self.sorter.push(&key, cells)
    }

    /// Writes the document.
    pub(super) fn write(
        self,
        task: &AccessTask<'_>,
        layout: &Layout,
        out: &mut Content<'_>,
    ) -> Result<(), AccessError> {
        push_head(&mut out.buffer, task);
        let mut rows = self.sorter.finish()?;
        let mut separator = "";
        for (index, part) in layout.datasets.iter().enumerate().filter(|(_, p)| p.rows() > 0) {
            let work = &task.work.datasets[index];
            out.buffer.push_str(separator);
            separator = ",";
            for (open, text) in [
                ("\n    {\"dataset\": ", work.dataset.as_str()),
                (", \"product\": ", work.product.as_str()),
                (", \"source\": ", work.source.as_str()),
            ] {
                out.buffer.push_str(open);
                push_json_string(&mut out.buffer, text);
            }
            for (kind, name) in ["person", "device"].into_iter().enumerate() {
                out.buffer.push_str(",\n     \"");
                out.buffer.push_str(name);
                out.buffer.push_str("\": [");
                let mut prefix = [0; 5];
                prefix[..4].copy_from_slice(&super::record::number(index).to_be_bytes());
                prefix[4] = u8::from(kind == 1);
                let shape = Shape::of(part, kind);
                let mut separator = "\n      ";
                while let Some((key, cells)) = rows.current()
                    && key.starts_with(&prefix)
                {
                    out.buffer.push_str(separator);
                    separator = ",\n      ";
                    shape.push_row(&mut out.buffer, cells)?;
                    out.flush_if_full()?;
                    rows.advance()?;
                }
                out.buffer.push_str(if separator.starts_with(',') { "\n     ]" } else { "]" });
            }
            out.buffer.push('}');
        }
        out.buffer.push_str("\n  ]\n}\n");
        if rows.current().is_some() {
            return Err(AccessError::Bug("a row of the profile belongs to no dataset"));
        }
        Ok(())
    }
}

fn push_head(out: &mut String, task: &AccessTask<'_>) {
    out.push_str("{\n  \"request\": ");
    push_json_string(out, task.request.as_str());
    out.push_str(",\n  \"key\": ");
    push_json_string(out, task.key);
    out.push_str(",\n  \"regulation\": ");
    match task.regulation {
        Some(regulation) => push_json_string(out, regulation.as_str()),
        None => out.push_str("null"),
    }
    out.push_str(",\n  \"compiledAt\": ");
    push_json_string(out, &task.compiled_at.to_string());
    out.push_str(",\n  \"identities\": [");
    for (index, term) in task.identities.iter().enumerate() {
        out.push_str(if index == 0 { "\n    " } else { ",\n    " });
        match term {
            IdentityTerm::One(identity) => push_identity(out, identity),
            IdentityTerm::AllOf(parts) => {
                out.push_str("{\"allOf\": [");
                for (index, part) in parts.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    push_identity(out, part);
                }
                out.push_str("]}");
            }
        }
    }
    out.push_str("\n  ],\n  \"datasets\": [");
}

fn push_identity(out: &mut String, identity: &Identity) {
    out.push_str("{\"namespace\": ");
    push_json_string(out, identity.namespace.as_str());
    out.push_str(", \"value\": ");
    push_json_string(out, identity.given.expose());
    out.push('}');
}

/// How the cells of a row nest.
struct Shape {
    cells: usize,
    children: Vec<Node>,
}

/// A struct, or a cell, under its name.
struct Node {
    name: String,
    /// Lists around it.
    lists: usize,
    /// The cells that lie in it.
    cells: Vec<usize>,
    /// Empty: it is a cell.
    children: Vec<Node>,
}

/// What a cell shows at some place: `None` where it is hidden there.
type Shown<'a> = Option<&'a Value<'a>>;

impl Shape {
    fn of(part: &DatasetPart, kind: usize) -> Self {
        let mut children = Vec::new();
        for (cell, (path, lists)) in part.cells[kind].iter().zip(&part.lists[kind]).enumerate() {
            insert(&mut children, cell, path, lists, 0);
        }
        Self { cells: part.cells[kind].len(), children }
    }

    fn push_row(&self, out: &mut String, mut bytes: &[u8]) -> Result<(), AccessError> {
        let mut cells = Vec::with_capacity(self.cells);
        for _ in 0..self.cells {
            let cell = decode(&mut bytes).ok_or(AccessError::Bug("a row's record is damaged"))?;
            cells.push(cell);
        }
        let shown: Vec<Shown<'_>> = cells.iter().map(show).collect();
        push_object(out, &self.children, &shown);
        Ok(())
    }
}

/// Puts a cell into the tree. Files that disagree on a column's shape make siblings of one name.
fn insert(nodes: &mut Vec<Node>, cell: usize, path: &FieldPath, lists: &[usize], depth: usize) {
    let Some(name) = path.parts().get(depth) else { return };
    let levels = lists.iter().filter(|level| **level == depth + 1).count();
    let is_cell = path.parts().len() == depth + 1;
    let found = nodes.iter().position(|node| {
        node.name == *name && node.lists == levels && !is_cell && !node.children.is_empty()
    });
    let index = found.unwrap_or_else(|| {
        let (cells, children) = (Vec::new(), Vec::new());
        nodes.push(Node { name: name.clone(), lists: levels, cells, children });
        nodes.len() - 1
    });
    nodes[index].cells.push(cell);
    if !is_cell {
        insert(&mut nodes[index].children, cell, path, lists, depth + 1);
    }
}

fn show<'a>(value: &'a Value<'a>) -> Shown<'a> {
    (!matches!(value, Value::Hidden)).then_some(value)
}

fn push_object(out: &mut String, nodes: &[Node], shown: &[Shown<'_>]) {
    let visible = |node: &&Node| node.cells.iter().any(|cell| shown[*cell].is_some());
    let filled = |node: &Node| {
        node.cells.iter().any(|cell| shown[*cell].is_some_and(|value| !value.is_blank()))
    };
    let mut separator = '{';
    for (index, node) in nodes.iter().enumerate().filter(|(_, node)| visible(node)) {
        let mut namesakes =
            nodes.iter().enumerate().filter(|(_, other)| other.name == node.name && visible(other));
        let several = namesakes.clone().nth(1).is_some();
        if several {
            // One of them shows: the first that holds something, else the first.
            let best = namesakes.clone().find(|(_, other)| filled(other)).or(namesakes.next());
            if best.is_none_or(|(best, _)| best != index) {
                continue;
            }
        }
        out.push(separator);
        separator = ',';
        push_json_string(out, &node.name);
        out.push(':');
        push_node(out, node, 0, shown);
    }
    out.push_str(if separator == '{' { "{}" } else { "}" });
}

/// A node below `level` of its lists.
fn push_node(out: &mut String, node: &Node, level: usize, shown: &[Shown<'_>]) {
    if level == node.lists {
        match node.children.as_slice() {
            [] => match node.cells.first().and_then(|cell| shown[*cell]) {
                Some(value) => value.push_json(out, Instants::Exact),
                None => out.push_str("null"),
            },
            children => push_object(out, children, shown),
        }
        return;
    }
    let lists = node.cells.iter().filter_map(|cell| match shown[*cell] {
        Some(Value::List(items)) => Some(items.len()),
        _ => None,
    });
    let Some(length) = lists.max() else {
        out.push_str("null");
        return;
    };
    let mut element = shown.to_vec();
    let mut separator = '[';
    for index in 0..length {
        for cell in &node.cells {
            element[*cell] = match shown[*cell] {
                Some(Value::List(items)) => items.get(index).map_or(Some(&Value::Null), show),
                // The file lacks this part of the elements.
                Some(_) => Some(&Value::Null),
                None => None,
            };
        }
        if node.cells.iter().any(|cell| element[*cell].is_some()) {
            out.push(separator);
            separator = ',';
            push_node(out, node, level + 1, &element);
        }
    }
    out.push_str(if separator == '[' { "[]" } else { "]" });
}
