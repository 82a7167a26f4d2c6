//! What is known of one dataset: which files say no to which questions. Most files say no to all that was
//! ever asked, so files share their sets.

use std::collections::{BTreeSet, HashMap};

use super::asked::Question;
use super::bits::Bits;

/// A file as it was, under the deployment key.
pub(super) type FileId = [u8; 16];

/// Reading so many files, or bytes of files, again costs less than writing down that they need not be read.
const FEW: (u64, u64) = (64, 64 << 20);

/// So many questions that no task asks any more may stay, in case that one comes back.
const SPARE: usize = 1024;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Table {
    questions: Vec<Question>,
    numbers: HashMap<Question, u32>,
    sets: Vec<Bits>,
    set_numbers: HashMap<Bits, u32>,
    /// By file, the number of its set.
    files: HashMap<FileId, u32>,
    /// Questions of this pass.
    asked: Bits,
    /// Files, and their bytes, of which something was learned that is not kept yet.
    learned: (u64, u64),
}

/// The parts of a table that are kept.
pub(super) struct Parts {
    pub(super) questions: Vec<Question>,
    pub(super) sets: Vec<Bits>,
    /// Sorted by file.
    pub(super) files: Vec<(FileId, u32)>,
}

impl Table {
    /// A table of parts that were kept; `None` where a number leads nowhere.
    pub(super) fn of(parts: Parts) -> Option<Self> {
        let mut table = Self::default();
        for question in parts.questions {
            table.number(question);
        }
        let known = table.questions.len();
        for set in parts.sets {
            if set.words().len() > known.div_ceil(64) {
                return None;
            }
            table.set(set);
        }
        for (file, set) in parts.files {
            table.sets.get(set as usize)?;
            table.files.insert(file, set);
        }
        Some(table)
    }

    /// The number of a question that this pass asks.
    pub(super) fn ask(&mut self, question: Question) -> u32 {
        let number = self.number(question);
        self.asked.insert(number);
        number
    }

    fn number(&mut self, question: Question) -> u32 {
        *self.numbers.entry(question).or_insert_with(|| {
            self.questions.push(question);
            u32::try_from(self.questions.len() - 1).unwrap_or(u32::MAX)
        })
    }

    fn set(&mut self, set: Bits) -> u32 {
        if let Some(number) = self.set_numbers.get(&set) {
            return *number;
        }
        let number = u32::try_from(self.sets.len()).unwrap_or(u32::MAX);
        self.sets.push(set.clone());
        self.set_numbers.insert(set, number);
        number
    }

    /// Whether a file says no to all of these questions.
    pub(super) fn knows(&self, file: &FileId, questions: &Bits) -> bool {
        let set = self.files.get(file).and_then(|set| self.sets.get(*set as usize));
        set.is_some_and(|set| set.contains_all(questions))
    }

    /// A file of so many bytes says no to these questions.
    pub(super) fn learn(&mut self, file: FileId, size: u64, absent: &Bits) {
        let known = self.files.get(&file).and_then(|set| self.sets.get(*set as usize));
        if known.is_some_and(|known| known.contains_all(absent)) {
            return;
        }
        let mut set = known.cloned().unwrap_or_default();
        set.extend(absent);
        let set = self.set(set);
        self.files.insert(file, set);
        let (files, bytes) = &mut self.learned;
        (*files, *bytes) = (files.saturating_add(1), bytes.saturating_add(size));
    }

    /// Whether enough was learned to write it down.
    pub(super) const fn is_worth_keeping(&self) -> bool {
        self.learned.0 >= FEW.0 || self.learned.1 >= FEW.1
    }

    /// It has been written down.
    pub(super) const fn is_kept(&mut self) {
        self.learned = (0, 0);
    }

    /// What is to be kept of these files: all questions, or where there are too many old ones (or
    /// `asked_only` says so) those of this pass.
    pub(super) fn parts(&self, files: &BTreeSet<FileId>, asked_only: bool) -> Parts {
        let asked_only = asked_only || self.questions.len() - self.asked.len() > SPARE;
        let kept: Vec<(u32, Question)> = (0..u32::MAX)
            .zip(self.questions.iter().copied())
            .filter(|(number, _)| !asked_only || self.asked.contains(*number))
            .collect();
        let mut smaller = Self::default();
        for (_, question) in &kept {
            smaller.number(*question);
        }
        // Each set once: files share them.
        let mut sets: HashMap<u32, Option<u32>> = HashMap::new();
        let mut of_files = Vec::new();
        for file in files {
            let Some(set) = self.files.get(file) else { continue };
            let number = *sets.entry(*set).or_insert_with(|| {
                let old = self.sets.get(*set as usize)?;
                let renumbered: Bits = (0..u32::MAX)
                    .zip(&kept)
                    .filter(|(_, (number, _))| old.contains(*number))
                    .map(|(number, _)| number)
                    .collect();
                (renumbered.len() > 0).then(|| smaller.set(renumbered))
            });
            of_files.extend(number.map(|number| (*file, number)));
        }
        Parts { questions: smaller.questions, sets: smaller.sets, files: of_files }
    }
}
