//! The leaves of a file as the erasure needs them: levels, lists, physical types.

use parquet::schema::types::Type;

use crate::engine::schema::layout;
use crate::model::{FieldPath, LeafType};

use super::error::{Outcome, Problem};
use super::order::Order;
use super::thrift::Struct;
use super::values::Physical;

/// A leaf column.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// Logical path, as work names it.
    pub(crate) path: FieldPath,
    /// Names in the file's schema.
    pub(crate) names: Vec<Vec<u8>>,
    pub(crate) kind: LeafType,
    pub(crate) physical: Physical,
    /// How its statistics compare.
    pub(crate) order: Order,
    /// Definition level of a value.
    pub(crate) max_def: u8,
    /// Repetition level of its innermost list.
    pub(crate) max_rep: u8,
    /// Whether the leaf itself may be null.
    pub(crate) optional: bool,
    /// The repeated nodes above it, outermost first.
    pub(crate) lists: Vec<Repeated>,
}

/// A repeated node of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Repeated {
    /// Its place in the schema: leaves below the same node share their elements.
    pub(crate) node: usize,
    /// Definition level from which on an element exists.
    pub(crate) def: u8,
}

/// The leaves of a footer, in column order. `root` is the same schema as the `parquet` crate reads it.
pub(crate) fn shapes(footer: &Struct, root: &Type) -> Outcome<Vec<Shape>> {
    let named = layout(root).map_err(|what| Problem::unreadable(format!("its schema {what}")))?;
    let mut walk = Walk { footer, at: 0, shapes: Vec::with_capacity(named.len()) };
    walk.group(&mut Above::default())?;
    if walk.shapes.len() != named.len() {
        return Err(broken());
    }
    for (shape, leaf) in walk.shapes.iter_mut().zip(named) {
        shape.order = Order::of(shape.physical, &leaf.kind);
        shape.path = leaf.path;
        shape.kind = leaf.kind;
        // The levels rest on the schema's own repetitions; both readers must agree on them.
        if shape.lists.len() != leaf.lists.len() || shape.optional != leaf.nullable {
            return Err(broken());
        }
    }
    Ok(walk.shapes)
}

fn broken() -> Problem {
    Problem::unreadable("its schema is malformed")
}

#[derive(Default, Clone)]
struct Above {
    names: Vec<Vec<u8>>,
    lists: Vec<Repeated>,
    def: u8,
    depth: usize,
}

struct Walk<'a> {
    footer: &'a Struct,
    at: usize,
    shapes: Vec<Shape>,
}

impl Walk<'_> {
    fn group(&mut self, above: &mut Above) -> Outcome<()> {
        let element = self.next()?;
        let children = element.i32(5).filter(|n| *n >= 0).ok_or_else(broken)?;
        if above.depth > 100 {
            return Err(broken());
        }
        for _ in 0..children {
            self.child(above)?;
        }
        Ok(())
    }

    fn next(&self) -> Outcome<&Struct> {
        self.footer
            .list(2)
            .and_then(|elements| elements.get(self.at))
            .and_then(|element| element.structure())
            .ok_or_else(broken)
    }

    fn child(&mut self, above: &Above) -> Outcome<()> {
        self.at += 1;
        let element = self.next()?;
        let mut here = above.clone();
        here.depth += 1;
        here.names.push(element.bytes(4).ok_or_else(broken)?.to_vec());
        let repetition = element.i32(3).unwrap_or(0);
        if repetition != 0 {
            here.def = here.def.checked_add(1).ok_or_else(broken)?;
        }
        if repetition == 2 {
            here.lists.push(Repeated { node: self.at, def: here.def });
        }
        let Some(physical) = element.i32(1).filter(|_| element.i32(5).unwrap_or(0) == 0) else {
            return self.group(&mut here);
        };
        let physical = match (physical, element.i32(2)) {
            (0, _) => Physical::Bool,
            (1, _) => Physical::I32,
            (2, _) => Physical::I64,
            (3, _) => Physical::I96,
            (4, _) => Physical::F32,
            (5, _) => Physical::F64,
            (6, _) => Physical::Bytes,
            (7, Some(length @ 1..)) => Physical::Fixed(length.unsigned_abs() as usize),
            _ => return Err(broken()),
        };
        let path = FieldPath::new(["?"]).ok_or_else(broken)?;
        self.shapes.push(Shape {
            path,
            names: here.names,
            kind: LeafType::Bool,
            physical,
            order: Order::Unknown,
            max_def: here.def,
            max_rep: u8::try_from(here.lists.len()).map_err(|_| broken())?,
            optional: repetition == 1,
            lists: here.lists,
        });
        Ok(())
    }
}
