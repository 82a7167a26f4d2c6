//! Failures, spills, determinism, and other readers.

use std::sync::Arc;

use super::support::*;
use crate::engine::access::AccessError;
use crate::engine::access::sorter::Sorter;
use crate::model::LeafType::Text;
use crate::plan::AccessDataset;

/// 3 datasets of 2 files of 200 rows; 7 tasks that own each a share of the rows, some together.
fn lake() -> Lake {
    let table = |name, salt: i64| {
        let file = |file: i64| {
            let number = move |row: i64| row * 31 + salt * 7 + file;
            let text = |f: &dyn Fn(i64) -> String| -> arrow::array::ArrayRef {
                Arc::new(
                    (0..200).map(|row| Some(f(number(row)))).collect::<arrow::array::StringArray>(),
                )
            };
            vec![
                instants(
                    &(0..200)
                        .map(|row| (row % 5 > 0).then(|| number(row) % 50 * 3_600_000_000))
                        .collect::<Vec<_>>(),
                ),
                text(&|n| format!("hit-{}", n % 900)),
                text(&|n| format!("{}", n % 13)),
                text(&|n| format!("a longer value, unique in its file: {n:050}")),
            ]
        };
        Table {
            timestamp: Some(0),
            hit_id: Some(1),
            fields: vec![(1, true), (2, true), (3, false)],
            ..Table::new(
                name,
                vec![
                    (leaf("ts", TS, &[]), instants(&[])),
                    (leaf("hit", Text, &[]), texts(&[])),
                    (leaf("few", Text, &[]), texts(&[])),
                    (leaf("many", Text, &[]), texts(&[])),
                ],
            )
        }
        .with_files(vec![file(0), file(1)])
    };
    Lake::new(vec![table("a", 1), table("b", 2), table("c", 3)])
}

impl Table {
    fn with_files(self, files: Vec<Vec<arrow::array::ArrayRef>>) -> Self {
        Self { files, ..self }
    }
}

fn works(lake: &Lake) -> Vec<Vec<AccessDataset>> {
    (0..7)
        .map(|task| {
            let part = |table: &Table| {
                let rows = (0..2).flat_map(|file| (0..200).map(move |row| (file, row)));
                let mine = rows.filter(|(file, row)| {
                    let owner = (row * 13 + u64::from(*file)) % 8;
                    owner == task || owner == 7
                });
                table.part(mine.map(|(file, row)| (file, row, row % 3 > 0, Vec::new())).collect())
            };
            lake.tables.iter().map(part).collect()
        })
        .collect()
}

fn bytes_of(lake: &mut Lake, memory: usize) -> Vec<Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let works = works(lake);
    let results = results(lake, works, dir.path(), memory).unwrap();
    let packages = results.into_iter().map(|result| {
        let report = result.unwrap();
        let bytes = std::fs::read(&report.path).unwrap();
        assert_eq!(report.bytes, bytes.len() as u64);
        bytes
    });
    let packages = packages.collect();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 7, "nothing else is left behind");
    packages
}

#[test]
fn the_same_bytes_whatever_the_batches_and_the_memory() {
    let reference = bytes_of(&mut lake(), 64 << 20);
    for (batch, backwards, memory) in [
        (1000, false, 64 << 20),
        (1, false, 64 << 20),
        (7, true, 64 << 20),
        (33, true, 60_000),
        (50, false, 12_000),
    ] {
        let mut lake = Lake { batch, backwards, ..lake() };
        assert!(bytes_of(&mut lake, memory) == reference, "{batch} {backwards} {memory}");
        assert_eq!(lake.fetches, 3, "one fetch a dataset serves all tasks");
    }
}

#[test]
fn a_dataset_that_fails_takes_only_its_tasks_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut lake = Lake { broken: Some("b"), ..lake() };
    let mut works = works(&lake);
    works[2].remove(1);
    works[4].clear();
    let results = results(&mut lake, works.clone(), dir.path(), 64 << 20).unwrap();
    for (task, result) in results.iter().enumerate() {
        match (task, result) {
            (2, Ok(report)) => assert_eq!(read(&report.path).len(), 7),
            (4, Err(AccessError::Nothing)) => {}
            (_, Err(AccessError::Fetch { dataset, .. })) => assert_eq!(dataset.as_str(), "b"),
            _ => panic!("task {task}"),
        }
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);

    // The one that went well is what it would have been alone.
    let alone = tempfile::tempdir().unwrap();
    let mut healthy = self::lake();
    let alone =
        super::support::results(&mut healthy, vec![works[2].clone()], alone.path(), 64 << 20)
            .unwrap();
    let (Ok(beside), Ok(alone)) = (&results[2], &alone[0]) else { panic!() };
    assert_eq!(beside.sha256, alone.sha256);
}

#[test]
fn a_row_that_does_not_come_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut lake = Lake { batch: 10, short: Some("c"), ..lake() };
    let works = works(&lake);
    let results = results(&mut lake, works, dir.path(), 64 << 20).unwrap();
    assert!(results.iter().all(|result| matches!(result, Err(AccessError::RowsMissing { .. }))));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_package_that_cannot_be_written_leaves_the_others_alone() {
    let dir = tempfile::tempdir().unwrap();
    // A directory stands where the second package would go.
    std::fs::create_dir(dir.path().join("1.zip")).unwrap();
    let mut lake = lake();
    let works = works(&lake);
    let results = results(&mut lake, works, dir.path(), 64 << 20).unwrap();
    for (task, result) in results.iter().enumerate() {
        assert_eq!(result.is_ok(), task != 1);
    }
    assert!(matches!(results[1], Err(AccessError::Package { doing: "rename", .. })));
    assert!(!dir.path().join("1.zip.partial").exists());
}

#[test]
fn a_full_disk_fails_the_package_and_cleans_up() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", dir.path().join("3.zip.partial")).unwrap();
    let mut lake = lake();
    let works = works(&lake);
    let results = results(&mut lake, works, dir.path(), 64 << 20).unwrap();
    for (task, result) in results.iter().enumerate() {
        assert_eq!(result.is_ok(), task != 3);
    }
    assert!(matches!(results[3], Err(AccessError::Package { doing: "write", .. })));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 6);
}

#[test]
fn scratch_space_that_fails_stops_everything() {
    let dir = tempfile::tempdir().unwrap();
    let mut lake = lake();
    let works = works(&lake);
    let gone = dir.path().join("gone");
    let result = results(&mut lake, works, &gone, 60_000);
    assert!(matches!(result, Err(AccessError::Scratch { doing: "create", .. })));
}

#[test]
fn types_without_a_form_are_an_error_that_names_the_field() {
    let array = arrow::array::StructArray::new_empty_fields(1, None);
    let table = Table::new("t", vec![(leaf("x", Text, &[]), Arc::new(array))]);
    let work = vec![vec![table.all()]];
    let dir = tempfile::tempdir().unwrap();
    let results = results(&mut Lake::new(vec![table]), work, dir.path(), 1 << 20).unwrap();
    let Err(AccessError::Unsupported { field, .. }) = &results[0] else { panic!() };
    assert_eq!(field.to_string(), "x");
}

#[test]
fn packages_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let mut lake = lake();
    let works = works(&lake);
    let results = results(&mut lake, works, dir.path(), 64 << 20).unwrap();
    for result in results {
        let mode = std::fs::metadata(result.unwrap().path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn nothing_printed_holds_a_value() {
    let table = Table::new("t", vec![(leaf("x", Text, &[]), texts(&[Some("secret")]))]);
    let mut lake = Lake { broken: Some("t"), ..Lake::new(vec![table.clone()]) };
    let dir = tempfile::tempdir().unwrap();
    let results = results(&mut lake, vec![vec![table.all()]], dir.path(), 1 << 20).unwrap();
    let printed = format!("{results:?}");
    assert!(!printed.contains("secret") && !printed.contains("john"), "{printed}");
    let term = identity("email", "john@x");
    assert!(!format!("{term:?}").contains("john"));
}

#[test]
fn python_reads_the_packages() {
    let dir = tempfile::tempdir().unwrap();
    let mut lake = lake();
    let works = works(&lake);
    let results = results(&mut lake, works, dir.path(), 64 << 20).unwrap();
    let script = "import sys,zipfile,csv,io,json\n\
                  for p in sys.argv[1:]:\n z=zipfile.ZipFile(p); assert z.testzip() is None\n \
                  n=0\n for e in z.namelist():\n  t=z.read(e).decode()\n  \
                  n+=(len(list(csv.reader(io.StringIO(t,newline=''))))-1) if e.endswith('.csv') else 0\n \
                  d=json.loads(z.read('profile.json'))['datasets']\n \
                  assert n==sum(len(x['person'])+len(x['device']) for x in d)>0, n\n";
    let mut python = std::process::Command::new("python3");
    python.arg("-c").arg(script);
    for result in results {
        python.arg(result.unwrap().path);
    }
    // Without Python there is nothing to ask; the other tests read the archives with our own reader.
    if let Ok(output) = python.output() {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_sorter_sorts_whatever_its_budget() {
    let dir = tempfile::tempdir().unwrap();
    let mut expected: Vec<(Vec<u8>, Vec<u8>)> = (0..700_u32)
        .map(|n| {
            let number = n.wrapping_mul(2_654_435_761) % 100;
            (number.to_string().into_bytes(), vec![n as u8; (n % 40) as usize])
        })
        .collect();
    for budget in [0, 100, 1000, 30_000, 1 << 20] {
        let mut sorter = Sorter::new(dir.path(), budget);
        for (key, value) in &expected {
            sorter.push(key, value).unwrap();
        }
        let mut sorted = sorter.finish().unwrap();
        let mut actual = Vec::new();
        while let Some((key, value)) = sorted.current() {
            actual.push((key.to_vec(), value.to_vec()));
            sorted.advance().unwrap();
        }
        expected.sort();
        assert!(actual == expected, "budget {budget}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "runs are unlinked");
    }
}
