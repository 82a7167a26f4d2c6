//! What changes in one column chunk: decided value by value on its levels, the same for the plan's
//! counts, for the rewrite, and for its proof.

use super::elements::Slots;
use super::error::{Outcome, Problem};
use super::levels::count_of;
use super::mask::Verdict;
use super::pages::{Kind, Loaded, Page, PageReader};
use super::select::{LeafSelection, Pick, What};
use super::shape::Shape;
use super::snappy::Scan;
use super::source::{Chunk, Group};
use super::stats::Nulls;
use super::tally::Tally;
use super::values::{Put, Values};
use crate::plan::TaskIndex;

/// A chunk that work names, and the tools to look at it.
pub(crate) struct ChunkWork<'a> {
    pub(crate) reader: PageReader<'a>,
    pub(crate) chunk: &'a Chunk,
    pub(crate) pages: &'a [Page],
    pub(crate) shape: &'a Shape,
    pub(crate) group: &'a Group,
    /// Index of the row group, and of the column.
    pub(crate) at: (usize, usize),
    pub(crate) selection: &'a LeafSelection<'a>,
    /// Rows of the group that go.
    pub(crate) removed: &'a [(u64, TaskIndex)],
    /// Whether replacements are drawn, or changes only counted.
    pub(crate) draw: bool,
    /// How compressed pages are looked through for what can be taken over.
    pub(crate) scan: Scan,
}

/// What changes in a chunk.
pub(crate) struct Decision {
    /// Pages with a change, by position.
    pub(crate) edits: Vec<PageEdit>,
    /// The dictionary, where it was needed.
    pub(crate) dictionary: Option<Values>,
    /// Slots of the chunk without a value; known where the leaf lies in lists.
    pub(crate) nulls: Option<i64>,
    /// Whether something other than whole rows changes.
    pub(crate) masked: bool,
}

/// What changes in a page.
pub(crate) struct PageEdit {
    /// Index of the page.
    pub(crate) page: usize,
    /// The page as it was.
    pub(crate) loaded: Loaded,
    /// The levels as they will be.
    pub(crate) rep: Vec<u8>,
    pub(crate) def: Vec<u8>,
    /// Whether they differ from what they were.
    pub(crate) relevelled: bool,
    /// Values that change, by their position among the non-null values of the page.
    pub(crate) changes: Vec<Change>,
    /// How many rows fewer begin in the page.
    pub(crate) rows_lost: i64,
}

impl PageEdit {
    /// Calls `visit` for each value as it will be, for equal ones in a dictionary once; `dictionary` is the
    /// one that was.
    pub(crate) fn visit(&self, dictionary: Option<&Values>, mut visit: impl FnMut(&[u8])) {
        if let (Values::Indices(indices), Some(entries)) = (&self.loaded.values, dictionary) {
            let mut left = vec![0_i64; entries.len()];
            indices.iter().for_each(|index| left[*index as usize] += 1);
            for change in &self.changes {
                left[indices[change.at as usize] as usize] -= 1;
                if let Put::Value(value) = &change.put {
                    visit(value);
                }
            }
            let left = left.iter().enumerate().filter(|(_, left)| **left > 0);
            return left.for_each(|(at, _)| visit(entries.get(at, None)));
        }
        let mut changes = self.changes.iter().peekable();
        for at in 0..self.loaded.values.len() {
            match changes.next_if(|change| change.at as usize == at).map(|change| &change.put) {
                None => visit(self.loaded.values.get(at, dictionary)),
                Some(Put::Value(value)) => visit(value),
                Some(Put::Drop) => {}
            }
        }
    }

    /// How many slots without a value come or go.
    pub(crate) fn nulls(&self, max_def: u8, nested: bool) -> Nulls {
        let before = count_nulls(&self.loaded.def, max_def);
        let added = count_nulls(&self.def, max_def) - before;
        Nulls { before: nested.then_some(before), added }
    }
}

/// Slots without a value.
pub(crate) fn count_nulls(def: &[u8], max_def: u8) -> i64 {
    (def.len() - count_of(def, max_def)) as i64
}

/// One value that changes.
pub(crate) struct Change {
    pub(crate) at: u32,
    pub(crate) old: Vec<u8>,
    pub(crate) put: Put<Vec<u8>>,
}

/// Decides over a chunk; counts into `tally`.
pub(crate) fn decide(work: &ChunkWork<'_>, tally: &mut Tally) -> Outcome<Decision> {
    let rows = work.group.range();
    let picks = work.selection.picks(&rows);
    if picks.is_empty() && work.removed.is_empty() {
        return Ok(Decision { edits: Vec::new(), dictionary: None, nulls: None, masked: false });
    }
    if work.pages.iter().any(|page| page.kind == Kind::Other) {
        return Err(Problem::refused(format!(
            "`{}` has pages of an unknown kind",
            work.shape.path
        )));
    }
    for (_, task) in work.removed {
        tally.chunk(*task, work.at.0, work.at.1);
    }
    let mut decider =
        Decider { work, tally, dictionary: None, edits: Vec::new(), nulls: None, masked: false };
    if work.shape.max_rep == 0 {
        decider.flat(&picks)?
    } else {
        decider.nested(&picks)?
    }
    let Decider { edits, dictionary, nulls, masked, .. } = decider;
    Ok(Decision { edits, dictionary, nulls, masked })
}

struct Decider<'a, 'w> {
    work: &'a ChunkWork<'w>,
    tally: &'a mut Tally,
    dictionary: Option<Values>,
    edits: Vec<PageEdit>,
    nulls: Option<i64>,
    masked: bool,
}

/// What becomes of a slot whose value changes.
enum Fate {
    Null,
    Put(Vec<u8>),
}

/// A page, where a value of it was looked at, and what becomes of its slots.
type Judged = (Option<Loaded>, Vec<(usize, Fate)>);

/// A slot that some pick may reach.
struct Interest {
    slot: usize,
    /// Range of the picks of its row.
    picks: std::ops::Range<usize>,
    /// Where in its lists.
    index: Box<[u32]>,
}

impl Decider<'_, '_> {
    /// A leaf in no list: a slot is a row.
    fn flat(&mut self, picks: &[Pick<'_>]) -> Outcome<()> {
        let max_def = self.work.shape.max_def;
        let mut first = self.work.group.first_row;
        for (index, page) in self.work.pages.iter().enumerate().filter(|(_, page)| page.is_data()) {
            let rows = first..first + page.slots as u64;
            first = rows.end;
            let picks = part(picks, |pick| pick.cell.row, &rows);
            let removed = part(self.work.removed, |(row, _)| *row, &rows);
            if picks.is_empty() && (removed.is_empty() || !self.work.draw) {
                continue;
            }
            let loaded = self.load(page)?;
            let mut slots = Slots::new(&loaded.rep, &loaded.def);
            for (row, _) in removed {
                slots.gone[(row - rows.start) as usize] = true;
            }
            let mut fates = Vec::new();
            let mut rank = Rank::new(&loaded.def, max_def);
            for picks in picks.chunk_by(|a, b| a.cell.row == b.cell.row) {
                let slot = (picks[0].cell.row - rows.start) as usize;
                if slots.gone[slot] {
                    continue;
                }
                let dictionary = self.dictionary.take();
                let value = rank.at(slot).map(|at| loaded.values.get(at, dictionary.as_ref()));
                let fate = self.judge(picks, &[], loaded.def[slot], value, &mut Vec::new());
                self.dictionary = dictionary;
                fates.extend(fate?.map(|fate| (slot, fate)));
            }
            self.finish(index, loaded, &slots, fates);
        }
        Ok(())
    }

    /// A leaf in lists: a row begins where the repetition level is 0, in any page, and elements may go
    /// on in the next one. So the levels of the chunk are looked at as a whole.
    fn nested(&mut self, picks: &[Pick<'_>]) -> Outcome<()> {
        let work = self.work;
        let data: Vec<usize> =
            (0..work.pages.len()).filter(|at| work.pages[*at].is_data()).collect();
        let mut starts = vec![0];
        let (mut rep, mut def) = (Vec::new(), Vec::new());
        for page in &data {
            let levels = work.reader.levels(&work.pages[*page])?;
            rep.extend_from_slice(&levels.0);
            def.extend_from_slice(&levels.1);
            starts.push(def.len());
        }
        let mut slots = Slots::new(&rep, &def);
        self.nulls = Some(count_nulls(&def, work.shape.max_def));
        let interests = self.interests(picks, &mut slots)?;

        let mut flags: Vec<Vec<bool>> = vec![Vec::new(); work.shape.lists.len()];
        let mut judged: Vec<Judged> = Vec::with_capacity(data.len());
        for (at, page) in data.iter().enumerate() {
            let range = starts[at]..starts[at + 1];
            let here = part(
                &interests,
                |interest| interest.slot as u64,
                &(range.start as u64..range.end as u64),
            );
            let has_value = |interest: &Interest| def[interest.slot] == work.shape.max_def;
            let loaded = match here.iter().any(has_value) {
                true => Some(self.load(&work.pages[*page])?),
                false => None,
            };
            let mut rank = Rank::new(&def[range.clone()], work.shape.max_def);
            let mut fates = Vec::new();
            for interest in here {
                let slot = interest.slot - range.start;
                let dictionary = self.dictionary.take();
                let value = loaded.as_ref().and_then(|loaded| {
                    rank.at(slot).map(|at| loaded.values.get(at, dictionary.as_ref()))
                });
                let mut going = Vec::new();
                let picks = &picks[interest.picks.clone()];
                let fate =
                    self.judge(picks, &interest.index, def[interest.slot], value, &mut going);
                self.dictionary = dictionary;
                fates.extend(fate?.map(|fate| (slot, fate)));
                for level in going {
                    let flags = &mut flags[level - 1];
                    flags.resize(def.len(), false);
                    flags[interest.slot] = true;
                }
            }
            judged.push((loaded, fates));
        }
        for (level, list) in work.shape.lists.iter().enumerate().rev() {
            if !flags[level].is_empty() {
                slots.remove(level as u8 + 1, list.def, &flags[level]);
            }
        }
        for ((at, page), (loaded, fates)) in data.iter().enumerate().zip(judged) {
            let range = starts[at]..starts[at + 1];
            let same = slots.rep[range.clone()] == rep[range.clone()]
                && slots.def[range.clone()] == def[range.clone()]
                && !slots.gone[range.clone()].contains(&true);
            if same && fates.is_empty() {
                continue;
            }
            let loaded = match loaded {
                Some(loaded) => loaded,
                None => self.load(&work.pages[*page])?,
            };
            let slots = Slots {
                rep: slots.rep[range.clone()].to_vec(),
                def: slots.def[range.clone()].to_vec(),
                gone: slots.gone[range].to_vec(),
            };
            self.finish(*page, loaded, &slots, fates);
        }
        Ok(())
    }

    /// The slots of rows with a pick. Slots of rows that go are marked.
    fn interests(&self, picks: &[Pick<'_>], slots: &mut Slots) -> Outcome<Vec<Interest>> {
        let group = self.work.group;
        let mut place = Place::new(group.first_row, self.work.shape.lists.len());
        let mut interests = Vec::new();
        let (mut pick, mut removed) = (0..0, 0);
        for slot in 0..slots.rep.len() {
            if !place.step(slots.rep[slot]) {
                return Err(self.misfit());
            }
            let row = place.row;
            while self.work.removed.get(removed).is_some_and(|(gone, _)| *gone < row) {
                removed += 1;
            }
            if self.work.removed.get(removed).is_some_and(|(gone, _)| *gone == row) {
                slots.gone[slot] = true;
                continue;
            }
            while picks.get(pick.start).is_some_and(|pick| pick.cell.row < row) {
                pick.start += 1;
            }
            pick.end = pick.end.max(pick.start);
            while picks.get(pick.end).is_some_and(|pick| pick.cell.row == row) {
                pick.end += 1;
            }
            if !pick.is_empty() {
                let index = place.index.clone().into();
                interests.push(Interest { slot, picks: pick.clone(), index });
            }
        }
        if place.next == group.range().end { Ok(interests) } else { Err(self.misfit()) }
    }

    fn misfit(&self) -> Problem {
        let path = &self.work.shape.path;
        Problem::unreadable(format!("the lists of `{path}` do not fit the rows of their row group"))
    }

    fn load(&mut self, page: &Page) -> Outcome<Loaded> {
        if page.is_dictionary_encoded() && self.dictionary.is_none() {
            self.dictionary = match self.work.pages.first() {
                Some(first) if first.kind == Kind::Dictionary => {
                    Some(self.work.reader.dictionary(first)?)
                }
                _ => None,
            };
        }
        self.work.reader.load(page, self.dictionary.as_ref().map_or(0, Values::len))
    }

    /// What becomes of a slot. The first task that reaches it decides. The repetition levels of lists
    /// whose element goes are added to `going`.
    fn judge(
        &mut self,
        picks: &[Pick<'_>],
        index: &[u32],
        def: u8,
        value: Option<&[u8]>,
        going: &mut Vec<usize>,
    ) -> Outcome<Option<Fate>> {
        let (group, column) = self.work.at;
        let mut fate = None;
        let mut decided = false;
        let (mut keeping, mut removing) = (Vec::new(), Vec::new());
        for Pick { cell, what } in picks {
            match *what {
                What::Removal(at) => {
                    let removal = &self.work.selection.removals[at];
                    if def < removal.def || !cell.reach.covers(&index[..removal.level]) {
                        continue;
                    }
                    if removing.is_empty() {
                        self.tally.chunk(cell.task, group, column);
                    }
                    self.masked = true;
                    removing.push(cell.task);
                    going.push(removal.level);
                }
                What::Target(at) => {
                    let target = &self.work.selection.targets[at];
                    if !cell.reach.covers(index) || decided && !target.masker.is_retain() {
                        continue;
                    }
                    let verdict = value.map(|value| target.masker.judge(value));
                    if verdict == Some(Verdict::Retain) {
                        self.tally.cell(cell.task, target.index);
                        keeping.push(cell.task);
                    } else if target.masker.is_removal() {
                        let exists =
                            self.work.shape.lists.last().is_some_and(|list| def >= list.def);
                        decided = exists;
                        if exists {
                            self.tally.row(cell.task, cell.row);
                        }
                        if value.is_some() {
                            self.tally.cell(cell.task, target.index);
                        }
                    } else if let (Some(value), Some(verdict)) = (value, verdict) {
                        decided = true;
                        fate = match verdict {
                            Verdict::Null => Some(Fate::Null),
                            Verdict::Put if self.work.draw => {
                                Some(Fate::Put(target.masker.replacement(cell.task, value)?))
                            }
                            Verdict::Put => Some(Fate::Put(Vec::new())),
                            _ => None,
                        };
                        if fate.is_some() {
                            self.masked = true;
                            self.tally.cell(cell.task, target.index);
                            self.tally.row(cell.task, cell.row);
                            self.tally.chunk(cell.task, group, column);
                        }
                    }
                }
            }
        }
        if keeping.iter().any(|task| removing.contains(task)) {
            let path = &self.work.shape.path;
            return Err(Problem::refused(format!(
                "`{path}` is kept in an element that another field's `remove-element` takes away"
            )));
        }
        Ok(fate)
    }

    /// Notes what changes in a page.
    fn finish(&mut self, page: usize, loaded: Loaded, slots: &Slots, fates: Vec<(usize, Fate)>) {
        let max_def = self.work.shape.max_def;
        let mut def = slots.def.clone();
        let mut puts = Vec::new();
        for (slot, fate) in fates {
            match fate {
                Fate::Null if !slots.gone[slot] && def[slot] == max_def => def[slot] = max_def - 1,
                Fate::Put(value) if !slots.gone[slot] && def[slot] == max_def => {
                    puts.push((slot, value));
                }
                // The element goes, and its value with it.
                Fate::Null | Fate::Put(_) => {}
            }
        }
        let gone = gone(&slots.gone);
        let structural = !gone.is_empty() || def != loaded.def;
        let touched: Vec<usize> = if structural {
            let mut touched = differences(&def, &loaded.def);
            touched.retain(|slot| !slots.gone[*slot]);
            touched.extend_from_slice(&gone);
            touched.extend(puts.iter().map(|(slot, _)| *slot));
            touched.sort_unstable();
            touched
        } else {
            puts.iter().map(|(slot, _)| *slot).collect()
        };
        let mut changes = Vec::new();
        let mut puts = puts.into_iter().peekable();
        let mut rank = Rank::new(&loaded.def, max_def);
        for slot in touched {
            let Some(at) = rank.at(slot) else { continue };
            let put = match puts.next_if(|(put, _)| *put == slot) {
                Some((_, value)) => Put::Value(value),
                None => Put::Drop,
            };
            let old = loaded.values.get(at, self.dictionary.as_ref()).to_vec();
            changes.push(Change { at: at as u32, old, put });
        }
        let keep = |levels: &[u8]| -> Vec<u8> {
            let mut kept = Vec::with_capacity(levels.len());
            let mut from = 0;
            // Leaves in no list have no repetition levels.
            for slot in gone.iter().filter(|slot| **slot < levels.len()) {
                kept.extend_from_slice(&levels[from..*slot]);
                from = slot + 1;
            }
            kept.extend_from_slice(&levels[from..]);
            kept
        };
        let rep = keep(&slots.rep);
        let def = keep(&def);
        let rows = |rep: &[u8], def: &[u8]| match self.work.shape.max_rep {
            0 => def.len() as i64,
            _ => count_of(rep, 0) as i64,
        };
        let rows_lost = rows(&loaded.rep, &loaded.def) - rows(&rep, &def);
        let relevelled = rep != loaded.rep || def != loaded.def;
        if relevelled || !changes.is_empty() {
            self.edits.push(PageEdit { page, loaded, rep, def, relevelled, changes, rows_lost });
        }
    }
}

/// Slots that are compared at once.
const STRETCH: usize = 64;

/// The slots that go.
fn gone(flags: &[bool]) -> Vec<usize> {
    let stretches = flags.chunks(STRETCH).enumerate().filter(|(_, flags)| flags.contains(&true));
    let slots = stretches.flat_map(|(at, flags)| {
        flags.iter().enumerate().filter(|(_, flag)| **flag).map(move |(i, _)| at * STRETCH + i)
    });
    slots.collect()
}

/// The slots in which levels differ.
fn differences(a: &[u8], b: &[u8]) -> Vec<usize> {
    let stretches =
        a.chunks(STRETCH).zip(b.chunks(STRETCH)).enumerate().filter(|(_, (a, b))| a != b);
    let slots = stretches.flat_map(|(at, (a, b))| {
        let pairs = a.iter().zip(b).enumerate().filter(|(_, (a, b))| a != b);
        pairs.map(move |(i, _)| at * STRETCH + i)
    });
    slots.collect()
}

/// The part of a sorted list whose keys lie in a range.
fn part<'a, T>(list: &'a [T], key: impl Fn(&T) -> u64, range: &std::ops::Range<u64>) -> &'a [T] {
    let start = list.partition_point(|item| key(item) < range.start);
    let end = list.partition_point(|item| key(item) < range.end);
    &list[start..end]
}

/// Positions of values among the non-null ones, asked for in ascending order.
struct Rank<'a> {
    def: &'a [u8],
    max_def: u8,
    slot: usize,
    before: usize,
}

impl<'a> Rank<'a> {
    const fn new(def: &'a [u8], max_def: u8) -> Self {
        Self { def, max_def, slot: 0, before: 0 }
    }

    /// The position of a slot's value; `None` where it has none.
    fn at(&mut self, slot: usize) -> Option<usize> {
        let between = &self.def[self.slot..slot];
        self.before += count_of(between, self.max_def);
        self.slot = slot;
        (self.def[slot] == self.max_def).then_some(self.before)
    }
}

/// Where a walk over slots is: which row, which elements.
struct Place {
    row: u64,
    /// The row after.
    next: u64,
    /// One index for each list, outermost first.
    index: Vec<u32>,
}

impl Place {
    fn new(first_row: u64, lists: usize) -> Self {
        Self { row: first_row, next: first_row, index: vec![0; lists] }
    }

    /// Takes a slot's repetition level; false where no row has begun yet.
    fn step(&mut self, rep: u8) -> bool {
        match usize::from(rep).checked_sub(1) {
            None => {
                self.row = self.next;
                self.next += 1;
                self.index.fill(0);
            }
            Some(list) => {
                self.index[list] = self.index[list].saturating_add(1);
                self.index[list + 1..].fill(0);
            }
        }
        self.next > self.row
    }
}
