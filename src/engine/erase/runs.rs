//! Positions in a dictionary taken out or replaced where they lie: in the run-length form of a page,
//! only the groups of eight that hold one are written anew, so that all else can be taken over as it is,
//! compressed.

use super::levels::{pack, varint};
use super::snappy::Patch;
use super::thrift::write_varint;

/// A position that goes (`None`) or becomes another, by its place among the page's values.
pub(crate) type Step = (u32, Option<u32>);

/// With more than one change in so many values, encoding all of them is as good and smaller.
const SPARSE: usize = 32;

/// The run-length form that begins at `start` of `plain` with its width, with the steps taken; and what
/// that does to the bytes of `plain`. `old` is what it decodes to, `steps` are in order. `None` where
/// all of it is better encoded again.
pub(crate) fn edit(
    plain: &[u8],
    start: usize,
    old: &[u32],
    steps: &[Step],
) -> Option<(Vec<u8>, Vec<Patch>)> {
    let width = u32::from(*plain.get(start)?);
    let fits = |to: u32| u64::from(to) < 1 << width;
    let sparse = steps.len().checked_mul(SPARSE)? <= old.len();
    if !(1..=32).contains(&width) || !sparse || !steps.iter().all(|step| step.1.is_none_or(fits)) {
        return None;
    }
    let mut editor = Editor {
        plain,
        width,
        out: Vec::with_capacity(plain.len()),
        patches: Vec::new(),
        at: start,
    };
    let (mut at, mut value, mut rest) = (start + 1, 0, steps);
    while value < old.len() && !rest.is_empty() {
        let begin = at;
        let head = varint(plain, &mut at)?;
        let count = usize::try_from(head >> 1).ok()?;
        let packed = head & 1 == 1;
        let (values, size) = match packed {
            true => (count.checked_mul(8)?, count.checked_mul(width as usize)?),
            false => (count, width.div_ceil(8) as usize),
        };
        let values = values.min(old.len() - value);
        let body = at..at.checked_add(size)?.min(plain.len());
        at = body.end;
        let here = rest.partition_point(|step| (step.0 as usize) < value + values);
        let (steps, later) = rest.split_at(here);
        if !steps.is_empty() {
            let run = Run { begin, body, first: value, old: &old[value..value + values], steps };
            if packed { editor.groups(&run)? } else { editor.repeated(&run)? }
        }
        rest = later;
        value += values;
    }
    if !rest.is_empty() {
        return None;
    }
    Some(editor.finish())
}

/// A run that holds a change.
struct Run<'a> {
    /// Where its head begins, and its values lie.
    begin: usize,
    body: std::ops::Range<usize>,
    /// Which value of the page is its first.
    first: usize,
    old: &'a [u32],
    steps: &'a [Step],
}

impl Run<'_> {
    /// What becomes of the values from `from` on, up to `to`.
    fn after(&self, from: usize, to: usize) -> Vec<Option<u32>> {
        let mut after: Vec<Option<u32>> = self.old[from..to].iter().copied().map(Some).collect();
        for (at, put) in self.steps {
            if let Some(value) =
                (*at as usize - self.first).checked_sub(from).and_then(|at| after.get_mut(at))
            {
                *value = *put;
            }
        }
        after
    }
}

struct Editor<'a> {
    plain: &'a [u8],
    width: u32,
    out: Vec<u8>,
    patches: Vec<Patch>,
    /// Up to where `plain` is in `out`.
    at: usize,
}

impl Editor<'_> {
    /// Replaces bytes of the old form.
    fn put(&mut self, old: std::ops::Range<usize>, new: &[u8]) {
        self.out.extend_from_slice(&self.plain[self.at..old.start]);
        self.out.extend_from_slice(new);
        self.at = old.end;
        self.patches.push((old, new.len()));
    }

    fn finish(mut self) -> (Vec<u8>, Vec<Patch>) {
        self.out.extend_from_slice(&self.plain[self.at..]);
        (self.out, self.patches)
    }

    /// One value, repeated: all that stay must stay alike.
    fn repeated(&mut self, run: &Run<'_>) -> Option<()> {
        let kept: Vec<u32> = run.after(0, run.old.len()).into_iter().flatten().collect();
        let alike = kept.windows(2).all(|pair| pair[0] == pair[1]);
        let mut new = Vec::new();
        self.singles(&kept, &mut new);
        self.put(run.begin..run.body.end, &new);
        alike.then_some(())
    }

    /// Groups of eight: one with a value less ends the run, and stands as single values.
    fn groups(&mut self, run: &Run<'_>) -> Option<()> {
        let width = self.width as usize;
        let whole = run.body.len().div_ceil(width);
        let mut touched: Vec<usize> =
            run.steps.iter().map(|(at, _)| (*at as usize - run.first) / 8).collect();
        touched.dedup();
        let range = |group: usize| {
            let start = run.body.start + group * width;
            start..(start + width).min(run.body.end)
        };
        // What stands before the groups to come: the run's head at first, then the values of a group
        // that was broken up.
        let (mut before, mut text) = (run.begin..run.body.start, Vec::new());
        let mut from = 0;
        let mut changed: Vec<(usize, Vec<u32>)> = Vec::new();
        for group in touched.into_iter().map(Some).chain([None]) {
            let broken = match group {
                Some(group) => {
                    let last = (group * 8 + 8).min(run.old.len());
                    let after = run.after(group * 8, last);
                    let kept: Vec<u32> = after.iter().flatten().copied().collect();
                    if kept.len() == after.len() {
                        changed.push((group, kept));
                        continue;
                    }
                    Some((group, kept))
                }
                None => None,
            };
            let to = broken.as_ref().map_or(whole, |(group, _)| *group);
            if to > from {
                write_varint(&mut text, ((to - from) as u64) << 1 | 1);
            }
            self.put(before, &text);
            text = Vec::new();
            for (group, kept) in changed.drain(..) {
                let mut bytes = Vec::new();
                pack(&kept, self.width, &mut bytes);
                let (old, head) = (range(group), 1);
                self.put(old.clone(), bytes.get(head..head + old.len())?);
            }
            let Some((group, kept)) = broken else { return Some(()) };
            self.singles(&kept, &mut text);
            before = range(group);
            from = group + 1;
        }
        Some(())
    }

    /// Appends values as runs of their own.
    fn singles(&self, values: &[u32], out: &mut Vec<u8>) {
        for run in values.chunk_by(|a, b| a == b) {
            write_varint(out, (run.len() as u64) << 1);
            out.extend_from_slice(&run[0].to_le_bytes()[..self.width.div_ceil(8) as usize]);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::engine::erase::levels;
    use proptest::prelude::*;

    /// Applies patches as their documentation says: what lies between them stays.
    fn patched(old: &[u8], new: &[u8], patches: &[Patch]) -> bool {
        let (mut from, mut at) = (0, 0);
        for (range, size) in patches {
            let stays = range.start - from;
            if old[from..range.start] != new[at..at + stays] {
                return false;
            }
            (from, at) = (range.end, at + stays + size);
        }
        old[from..] == new[at..]
    }

    proptest! {
        #[test]
        fn an_edited_page_decodes_to_what_was_wanted(
            width in 1_u32..20,
            runs in prop::collection::vec((any::<u32>(), 1_usize..90, any::<bool>()), 1..20),
            picks in prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(any::<u32>())), 0..6),
            start in 0_usize..9,
            cut in any::<bool>(),
        ) {
            let most = (1_u32 << width) - 1;
            let old: Vec<u32> = runs
                .iter()
                .flat_map(|(seed, count, same)| {
                    (0..*count as u32).map(move |i| if *same { seed & most } else { seed.wrapping_mul(i | 1) & most })
                })
                .collect();
            let mut plain = vec![0xee; start];
            plain.push(width as u8);
            levels::encode(&old, width, &mut plain);
            if cut {
                // Some writers end with the last value, not with its group.
                while decoded(&plain[start..], old.len()) == Some(old.clone()) && plain.len() > start + 1 {
                    plain.pop();
                }
                plain.push(0);
                if decoded(&plain[start..], old.len()) != Some(old.clone()) {
                    return Ok(());
                }
            }
            let mut steps: Vec<Step> = picks
                .iter()
                .map(|(at, put)| (at.index(old.len()) as u32, put.map(|put| put & most)))
                .collect();
            steps.sort_by_key(|step| step.0);
            steps.dedup_by_key(|step| step.0);
            let mut wanted: Vec<Option<u32>> = old.iter().copied().map(Some).collect();
            for (at, put) in &steps {
                wanted[*at as usize] = *put;
            }
            let wanted: Vec<u32> = wanted.into_iter().flatten().collect();
            if let Some((new, patches)) = edit(&plain, start, &old, &steps) {
                let mut whole = plain[..start].to_vec();
                whole.extend_from_slice(&new);
                prop_assert!(patched(&plain, &whole, &patches));
                prop_assert_eq!(decoded(&new, wanted.len()), Some(wanted));
            } else {
                let alike = steps.iter().any(|(_, put)| put.is_some());
                prop_assert!(alike || steps.len() * SPARSE > old.len());
            }
        }
    }

    fn decoded(form: &[u8], count: usize) -> Option<Vec<u32>> {
        if count == 0 {
            return Some(Vec::new());
        }
        levels::decode(&form[1..], u32::from(form[0]), count, u32::MAX).ok()
    }

    #[test]
    fn broken_forms_are_left_alone() {
        assert!(edit(&[], 0, &[1; 64], &[(0, None)]).is_none());
        assert!(edit(&[3], 0, &[1; 64], &[(0, None)]).is_none());
        assert!(edit(&[33, 2, 0], 0, &[1; 64], &[(0, None)]).is_none());
        assert!(edit(&[3, 2, 1], 0, &[1; 64], &[(60, None)]).is_none());
    }
}
