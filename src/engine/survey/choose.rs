//! Which rows are a dataset's sample: the same files give the same sample.

use crate::plan::DatasetFiles;

/// Rows of a dataset.
pub(super) const ROWS: u64 = 1024;

/// Row groups of a dataset that they come from.
pub(super) const GROUPS: usize = 8;

/// Runs of neighbouring rows in a row group.
const RUNS: u64 = 4;

/// A row group of the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    /// Index of the file.
    pub(super) file: usize,
    /// Number of the row group in it.
    pub(super) group: usize,
    /// Its rows.
    pub(super) rows: u64,
    /// So many of them at most.
    pub(super) quota: u64,
}

/// Up to [`GROUPS`] row groups, evenly spread over those of all files in order, the first and the last
/// among them.
pub(super) fn groups(dataset: &DatasetFiles) -> Vec<Group> {
    let all: Vec<(usize, usize, u64)> = dataset
        .files
        .iter()
        .enumerate()
        .flat_map(|(file, data)| {
            let groups = data.row_groups.iter().enumerate();
            groups.map(move |(group, known)| (file, group, known.rows))
        })
        .filter(|(_, _, rows)| *rows > 0)
        .collect();
    let count = all.len().min(GROUPS);
    let quota = ROWS / u64::try_from(count.max(1)).unwrap_or(1);
    spread(all.len(), count)
        .filter_map(|at| all.get(at))
        .map(|(file, group, rows)| Group { file: *file, group: *group, rows: *rows, quota })
        .collect()
}

/// `count` of `all` positions, evenly spread, the first and the last among them.
fn spread(all: usize, count: usize) -> impl Iterator<Item = usize> {
    let (last, steps) = (all.saturating_sub(1), count.saturating_sub(1).max(1));
    (0..count).map(move |at| at * last / steps)
}

impl Group {
    /// The rows of the sample: all of a small row group, else runs that are evenly spread over it, the first
    /// and last rows among them.
    pub(super) fn runs(&self) -> Vec<u64> {
        let run = self.quota / RUNS;
        if self.rows <= self.quota || run == 0 {
            return (0..self.rows.min(self.quota)).collect();
        }
        let last = self.rows - run;
        (0..RUNS).flat_map(|at| (0..run).map(move |row| at * last / (RUNS - 1) + row)).collect()
    }

    /// The same number of rows from the start: what lies in lists is decoded from there anyway.
    pub(super) fn first(&self) -> Vec<u64> {
        (0..self.rows.min(self.quota)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn of(rows: u64, quota: u64) -> Group {
        Group { file: 0, group: 0, rows, quota }
    }

    #[test]
    fn positions_are_spread_from_the_first_to_the_last() {
        let spread = |all, count| spread(all, count).collect::<Vec<_>>();
        assert_eq!(spread(3, 3), [0, 1, 2]);
        assert_eq!(spread(100, 8), [0, 14, 28, 42, 56, 70, 84, 99]);
        assert_eq!((spread(1, 1), spread(0, 0)), (vec![0], Vec::new()));
    }

    #[test]
    fn runs_are_ascending_distinct_and_within_the_quota() {
        for rows in 1..600 {
            for quota in [1, 3, 4, 127, 128, 341] {
                let group = of(rows, quota);
                for chosen in [group.runs(), group.first()] {
                    assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]), "{rows} {quota}");
                    assert!(chosen.last().is_some_and(|last| *last < rows));
                    assert!(chosen.len() as u64 <= quota);
                }
                if rows <= quota {
                    assert_eq!(group.runs().len() as u64, rows);
                }
            }
        }
        let runs = of(1_000_000, 128).runs();
        assert_eq!((runs.len(), runs[0], runs[127]), (128, 0, 999_999));
    }
}
