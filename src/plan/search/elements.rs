//! List indices, each distinct one once: matches and cells then hold a number in place of a box.

use std::collections::HashMap;

use crate::plan::Element;

/// Index into [`Elements`]; 0 is the element outside all lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ElementId(u32);

/// Interned elements.
#[derive(Debug)]
pub(super) struct Elements {
    list: Vec<Element>,
    index: HashMap<Element, ElementId>,
}

impl Default for Elements {
    fn default() -> Self {
        let outside = Element::default();
        Self { list: vec![outside.clone()], index: HashMap::from([(outside, ElementId(0))]) }
    }
}

impl Elements {
    pub(super) fn intern(&mut self, element: Element) -> ElementId {
        if element.is_empty() {
            return ElementId(0);
        }
        if let Some(known) = self.index.get(&element) {
            return *known;
        }
        let id = ElementId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        self.list.push(element.clone());
        self.index.insert(element, id);
        id
    }

    pub(super) fn get(&self, id: ElementId) -> &Element {
        &self.list[id.0 as usize]
    }

    /// Whether the first `levels` indices of the two are the same and there.
    pub(super) fn agree(&self, a: ElementId, b: ElementId, levels: usize) -> bool {
        match (self.get(a).get(..levels), self.get(b).get(..levels)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        }
    }
}
