//! Each structure that the proof looks at, broken by itself: the proof of the chunk, or of the file, fails
//! for that reason, and passes without.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use parquet::bloom_filter::Sbbf;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use tempfile::TempDir;

use super::chunk::{NewChunk, Piece, empty_filter, rewrite};
use super::decide::{Decision, decide};
use super::error::Problem;
use super::faults::NoFaults;
use super::pages::{Page, walk};
use super::proof::prove;
use super::proof_chunk::prove_chunk;
use super::select::Selection;
use super::snappy::Scan;
use super::source::Source;
use super::splice::{Spliced, chunk_work, splice};
use super::tally::Tally;
use super::thrift::{Struct, Value};
use crate::model::{FieldPath, Name};
use crate::plan::{CellWork, EraseKeys, FileWork, LeafWork, Mask, Reach};

const ROWS: u64 = 40;

/// Sorted as text: the last is the greatest, and the last in the dictionary.
fn email(row: u64) -> String {
    format!("p{row:02}@mail.example")
}

struct Lake {
    _directory: TempDir,
    path: PathBuf,
    mask: Mask,
}

/// Two row groups of `email`, `other`; pages of ten rows, with every structure that holds values.
fn lake(dictionary: bool) -> Lake {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.parquet");
    let schema = "message m { optional binary email (UTF8); optional binary other (UTF8); }";
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(dictionary)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_write_page_header_statistics(true)
        .set_bloom_filter_enabled(true)
        .set_bloom_filter_max_ndv(10)
        .set_data_page_row_count_limit(10)
        .set_write_batch_size(1)
        .build();
    let mut writer = SerializedFileWriter::new(
        File::create(&path).unwrap(),
        Arc::new(parse_message_type(schema).unwrap()),
        Arc::new(properties),
    )
    .unwrap();
    for start in [0, ROWS / 2] {
        let mut group = writer.next_row_group().unwrap();
        while let Some(mut column) = group.next_column().unwrap() {
            let rows = start..start + ROWS / 2;
            let values: Vec<ByteArray> = rows.map(|row| email(row).into_bytes().into()).collect();
            let levels = vec![1; values.len()];
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
    Lake { _directory: directory, path, mask: Mask::Null }
}

impl Lake {
    fn work(&self, rows: &[u64]) -> FileWork {
        let cell = |row: &u64| CellWork { row: *row, task: 0, reach: Reach::All };
        FileWork {
            dataset: Name::new("people").unwrap(),
            path: self.path.clone(),
            shown: "people.parquet".to_owned(),
            stamp: super::source::stamp(&self.path).unwrap(),
            removed: Vec::new(),
            leaves: vec![LeafWork {
                path: FieldPath::dotted("email").unwrap(),
                mask: self.mask.clone(),
                cells: rows.iter().map(cell).collect(),
            }],
        }
    }

    /// Rewrites the first chunk without some rows' values, breaks something in what comes out, and proves it
    /// against the erasure of row 19.
    fn chunk(
        &self,
        rewritten: &[u64],
        breaks: impl FnOnce(&Source, &mut NewChunk, &[Page]),
    ) -> Result<(), String> {
        self.decided(rewritten, |_| {}, breaks)
    }

    /// The same, with something else broken in what was decided.
    fn decided(
        &self,
        rewritten: &[u64],
        decides: impl FnOnce(&mut Decision),
        breaks: impl FnOnce(&Source, &mut NewChunk, &[Page]),
    ) -> Result<(), String> {
        let source = Source::open(&self.path).unwrap();
        let (planned, done) = (self.work(&[19]), self.work(rewritten));
        let pages = walk(&source.file, &source.groups[0].chunks[0]).unwrap();
        let keys = EraseKeys::default();
        let decided = |work: &FileWork| -> (Decision, NewChunk) {
            let selection = Selection::new(work, &source, Some(&keys)).unwrap();
            let mut tally = Tally::new(work);
            let work =
                chunk_work(&source, &selection, &pages, (0, 0), &[], true, Scan::Near).unwrap();
            let mut decision = decide(&work, &mut tally).unwrap();
            let new = rewrite(&source, &work, &mut decision).unwrap();
            (decision, new)
        };
        let (mut decision, _) = decided(&planned);
        decides(&mut decision);
        let (_, mut new) = decided(&done);
        breaks(&source, &mut new, &pages);

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("staged");
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).unwrap();
        let mut bytes = b"PAR1".to_vec();
        for piece in &new.pieces {
            match piece {
                Piece::Copy(range) => bytes.extend(source.read(range).unwrap()),
                Piece::Bytes(new) => bytes.extend(new),
            }
        }
        file.write_all_at(&bytes, 0).unwrap();
        let selection = Selection::new(&planned, &source, Some(&keys)).unwrap();
        let work = chunk_work(&source, &selection, &pages, (0, 0), &[], true, Scan::Near).unwrap();
        prove_chunk(&work, &decision, &new, &file, 4).map_err(|problem| reason(&problem))
    }

    /// Stages the erasure of row 19, breaks something of it, and proves the file.
    fn file(&self, breaks: impl FnOnce(&Source, &mut Spliced, &File)) -> Result<(), String> {
        let source = Source::open(&self.path).unwrap();
        let (work, keys) = (self.work(&[19]), EraseKeys::default());
        let selection = Selection::new(&work, &source, Some(&keys)).unwrap();
        let path = self.path.with_file_name(".amparo-draft-test");
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).unwrap();
        let mut spliced = splice(&source, &selection, &file, &NoFaults).unwrap();
        breaks(&source, &mut spliced, &file);
        let outcome = prove(&source, &path, &spliced);
        fs::remove_file(&path).unwrap();
        outcome.map_err(|problem| reason(&problem))
    }
}

/// Why a proof failed; it names no value.
fn reason(problem: &Problem) -> String {
    let Problem::Proof(what) = problem else { panic!("no failed proof: {problem:?}") };
    assert!(!what.contains('@'), "{what}");
    what.to_string()
}

/// The statistics of a chunk's metadata.
fn statistics(new: &mut NewChunk) -> &mut Struct {
    new.meta.structure_mut(12).unwrap()
}

/// The first page that was written anew: where among the pieces, its header and the header's length.
fn header(new: &NewChunk, data: bool) -> (usize, Struct, usize) {
    let pages = new.pieces.iter().enumerate().filter_map(|(at, piece)| match piece {
        Piece::Bytes(bytes) => {
            let (header, used) = Struct::read(bytes).unwrap();
            Some((at, header, used))
        }
        Piece::Copy(_) => None,
    });
    // `dictionary_page_header` is field 7.
    pages.into_iter().find(|(_, header, _)| header.has(7) != data).unwrap()
}

fn with_header(new: &mut NewChunk, at: usize, header: &Struct, used: usize) {
    let Piece::Bytes(old) = &new.pieces[at] else { panic!("a page that was copied") };
    let mut bytes = Vec::new();
    header.write(&mut bytes);
    assert_eq!(bytes.len(), used, "a header of another length moves what follows");
    bytes.extend_from_slice(&old[used..]);
    new.pieces[at] = Piece::Bytes(bytes);
}

#[test]
fn what_is_right_is_proven() {
    for dictionary in [true, false] {
        let lake = lake(dictionary);
        assert_eq!(lake.chunk(&[19], |_, _, _| {}), Ok(()));
        assert_eq!(lake.file(|_, _, _| {}), Ok(()));
    }
}

/// The canary: the walk that finds nothing in the new chunk does find the value in the old one.
#[test]
fn an_erased_value_that_is_still_there_is_found() {
    for dictionary in [true, false] {
        let lake = lake(dictionary);
        let wrong = lake.chunk(&[18], |_, _, _| {});
        assert_eq!(wrong, Err("the nulls or lists of a column are not what they had to be".into()));
        let lake = Lake { mask: Mask::Constant("gone".to_owned()), ..lake };
        assert_eq!(lake.chunk(&[19], |_, _, _| {}), Ok(()));
        // Only row 19 differs from what was decided.
        let wrong = lake.chunk(&[], |_, _, _| {});
        assert_eq!(wrong, Err("an erased value is not what it had to become".into()));
    }
}

/// And the other way about: a value that was not where it had been found.
#[test]
fn an_erased_value_that_was_not_there_is_found() {
    for dictionary in [true, false] {
        let lake = Lake { mask: Mask::Constant("gone".to_owned()), ..lake(dictionary) };
        let forge = |decision: &mut Decision| {
            decision.edits[0].changes[0].old = email(18).into_bytes();
        };
        let wrong = lake.decided(&[19], forge, |_, _, _| {});
        assert_eq!(wrong, Err("an erased value was not where it was planned".into()));
    }
}

#[test]
fn a_kept_value_that_is_gone_is_found() {
    for dictionary in [true, false] {
        let lake = lake(dictionary);
        let wrong = lake.chunk(&[3, 19], |_, _, _| {});
        assert_eq!(wrong, Err("the nulls or lists of a column are not what they had to be".into()));
        let lake = Lake { mask: Mask::Constant("gone".to_owned()), ..lake };
        let wrong = lake.chunk(&[3, 19], |_, _, _| {});
        assert_eq!(wrong, Err("a value that had to stay is different".into()));
    }
}

#[test]
fn a_kept_value_that_is_another_is_found() {
    let lake = lake(false);
    let wrong = lake.chunk(&[19], |_, new, _| {
        let (at, ..) = header(new, true);
        let Piece::Bytes(bytes) = &mut new.pieces[at] else { panic!("a page that was copied") };
        let place = bytes.windows(3).rposition(|part| part == b"p18").unwrap();
        bytes[place + 2] = b'7';
    });
    assert_eq!(wrong, Err("a value that had to stay is different".into()));
}

#[test]
fn a_dictionary_entry_that_nothing_refers_to_is_found() {
    let lake = lake(true);
    let wrong = lake.chunk(&[19], |source, new, pages| {
        // The erased value was the last entry: with the old dictionary all positions stay right.
        let (at, ..) = header(new, false);
        let Piece::Bytes(page) = &new.pieces[at] else { panic!("a page that was copied") };
        let old = &pages[0].range;
        let added = (old.end - old.start) as i64 - page.len() as i64;
        assert!(added > 0 && source.read(old).unwrap().windows(3).any(|part| part == b"p19"));
        new.pieces[at] = Piece::Copy(old.clone());
        let size = new.meta.i64(7).unwrap() + added;
        new.meta.set(7, Value::I64(size));
    });
    assert_eq!(wrong, Err("a dictionary holds an entry that nothing refers to".into()));
}

#[test]
fn chunk_statistics_that_hold_an_erased_value_are_found() {
    for dictionary in [true, false] {
        for field in [1, 5] {
            let wrong = lake(dictionary).chunk(&[19], |_, new, _| {
                statistics(new).set(field, Value::Bytes(email(19).into_bytes()));
            });
            let why = match field {
                5 => "statistics still speak of an erased value",
                // The deprecated bound of text means nothing, and so may hold nothing.
                _ => "statistics hold what they cannot mean",
            };
            assert_eq!(wrong, Err(why.into()));
        }
    }
}

#[test]
fn page_statistics_that_hold_an_erased_value_are_found() {
    let wrong = lake(false).chunk(&[19], |_, new, _| {
        let (at, mut tree, used) = header(new, true);
        let stats = tree.structure_mut(5).unwrap().structure_mut(5).unwrap();
        assert_eq!(stats.bytes(5), Some(email(18).as_bytes()));
        stats.set(5, Value::Bytes(email(19).into_bytes()));
        with_header(new, at, &tree, used);
    });
    assert_eq!(wrong, Err("statistics still speak of an erased value".into()));
}

#[test]
fn statistics_that_leave_out_a_replacement_are_found() {
    let lake = Lake { mask: Mask::Constant("zz".to_owned()), ..lake(true) };
    let wrong = lake.chunk(&[19], |_, new, _| {
        assert_eq!(statistics(new).bytes(5), Some(b"zz".as_slice()));
        statistics(new).set(5, Value::Bytes(email(18).into_bytes()));
    });
    assert_eq!(wrong, Err("statistics leave out a replacement".into()));
}

#[test]
fn a_page_in_another_encoding_is_found() {
    let wrong = lake(false).chunk(&[19], |_, new, _| {
        let (at, mut tree, used) = header(new, true);
        // DELTA_LENGTH_BYTE_ARRAY for PLAIN.
        tree.structure_mut(5).unwrap().set(2, Value::I32(6));
        with_header(new, at, &tree, used);
    });
    assert_eq!(wrong, Err("a page is encoded in another way than it was".into()));
}

#[test]
fn a_column_index_that_holds_an_erased_value_is_found() {
    let wrong = lake(false).chunk(&[19], |_, new, _| {
        let index = new.indexes.column.as_mut().unwrap();
        *index.list_mut(3).unwrap().last_mut().unwrap() = Value::Bytes(email(19).into_bytes());
    });
    assert_eq!(wrong, Err("statistics still speak of an erased value".into()));
}

#[test]
fn an_offset_index_that_points_elsewhere_is_found() {
    for (field, value) in [(1, Value::I64(7)), (2, Value::I32(7)), (3, Value::I64(7))] {
        let wrong = lake(true).chunk(&[19], |_, new, _| {
            let pages = new.indexes.offset.as_mut().unwrap().list_mut(1).unwrap();
            pages.last_mut().unwrap().structure_mut().unwrap().set(field, value);
        });
        assert_eq!(wrong, Err("an offset index does not point at its pages".into()));
    }
}

#[test]
fn a_bloom_filter_that_still_knows_an_erased_value_is_found() {
    for dictionary in [true, false] {
        let wrong = lake(dictionary).chunk(&[19], |source, new, _| {
            let range = source.groups[0].chunks[0].bloom.clone().unwrap();
            let old = source.read(&range).unwrap();
            let (head, _) = empty_filter(&old).unwrap();
            assert!(Sbbf::new(&old[head..]).check(email(19).as_str()));
            new.bloom = Some(old);
        });
        assert_eq!(wrong, Err("a bloom filter holds more than its column".into()));
    }
}

#[test]
fn counts_that_are_wrong_are_found() {
    let wrong = lake(true).chunk(&[19], |_, new, _| new.meta.set(5, Value::I64(19)));
    // The pages are walked by the count: it is noticed there.
    assert_eq!(wrong, Err("a rewritten column cannot be read back".into()));
}

#[test]
fn a_copied_chunk_that_is_not_the_originals_is_found() {
    let wrong = lake(true).file(|source, _, file| {
        // The second column was not touched, and lies where it lay, or a little before.
        let staged = fs::read(source.path.with_file_name(".amparo-draft-test")).unwrap();
        let old = source.read(&source.groups[1].chunks[1].pages).unwrap();
        let at = staged.windows(old.len()).position(|part| part == old).unwrap();
        let last = at + old.len() - 1;
        file.write_all_at(&[staged[last] ^ 1], last as u64).unwrap();
    });
    assert_eq!(wrong, Err("a column that had to stay is different".into()));
}

#[test]
fn a_copied_page_that_is_not_the_originals_is_found() {
    let wrong = lake(false).file(|_, spliced, file| {
        let (was, is) = spliced.copied_pages[0].clone();
        let last = is + (was.end - was.start) - 1;
        file.write_all_at(b"?", last).unwrap();
    });
    assert_eq!(wrong, Err("a page that had to stay is different".into()));
}

#[test]
fn what_was_written_and_is_not_there_is_found() {
    let wrong = lake(true).file(|_, spliced, file| {
        let (range, _) = spliced.written[0].clone();
        let mut last = [0];
        file.read_exact_at(&mut last, range.end - 1).unwrap();
        file.write_all_at(&[last[0] ^ 1], range.end - 1).unwrap();
    });
    assert_eq!(wrong, Err("it does not hold what was written".into()));
}

#[test]
fn other_numbers_of_rows_are_found() {
    let wrong = lake(true).file(|_, spliced, _| spliced.groups[1].1 -= 1);
    assert_eq!(wrong, Err("its row groups hold other numbers of rows".into()));
}

#[test]
fn another_footer_is_found() {
    let wrong = lake(true).file(|_, spliced, _| spliced.footer.set(3, Value::I64(39)));
    assert_eq!(wrong, Err("its footer is not what was written".into()));
}

#[test]
fn a_footer_that_keeps_less_than_the_originals_is_found() {
    let wrong = lake(true).file(|source, spliced, _| {
        // What was written says so, too: here the original alone can tell.
        spliced.footer.set(6, Value::Bytes(b"somebody else".to_vec()));
        let path = source.path.with_file_name(".amparo-draft-test");
        let bytes = fs::read(&path).unwrap();
        let tail = bytes.len() - 8;
        let length = u32::from_le_bytes(bytes[tail..tail + 4].try_into().unwrap()) as usize;
        let footer = super::footer::footer_bytes(&spliced.footer, false).unwrap();
        let start = (tail - length) as u64;
        spliced.written.retain(|(range, _)| range.start < start);
        fs::write(&path, [&bytes[..tail - length], &footer].concat()).unwrap();
    });
    assert_eq!(wrong, Err("its footer differs where it must not".into()));
}

#[test]
fn bytes_that_belong_to_nothing_are_found() {
    let wrong = lake(true).file(|source, _, _| {
        // What old values could hide in: bytes between the last index and the footer.
        let path = source.path.with_file_name(".amparo-draft-test");
        let bytes = fs::read(&path).unwrap();
        let tail = bytes.len() - 8;
        let length = u32::from_le_bytes(bytes[tail..tail + 4].try_into().unwrap()) as usize;
        let (body, footer) = bytes.split_at(tail - length);
        fs::write(&path, [body, email(19).as_bytes(), footer].concat()).unwrap();
    });
    assert_eq!(wrong, Err("it holds bytes that belong to nothing".into()));
}

#[test]
fn a_file_that_cannot_be_read_is_found() {
    let wrong = lake(true).file(|_, _, file| {
        let size = file.metadata().unwrap().len();
        file.write_all_at(b"BAD!", size - 4).unwrap();
    });
    assert_eq!(wrong, Err("it cannot be read back".into()));
}
