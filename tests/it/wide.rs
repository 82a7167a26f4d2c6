//! As many columns as a dataset may have, and more.

use std::fs;
use std::sync::Arc;

use parquet::data_type::ByteArrayType;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use crate::support::{Env, WHO, block, task};

/// Two rows of `who` and of so many other columns.
fn lake(columns: usize) -> Env {
    let env = Env::new();
    fs::create_dir_all(env.path("lake")).unwrap();
    let column = |name: &str| {
        Arc::new(
            Type::primitive_type_builder(name, parquet::basic::Type::BYTE_ARRAY)
                .with_repetition(parquet::basic::Repetition::OPTIONAL)
                .with_converted_type(parquet::basic::ConvertedType::UTF8)
                .build()
                .unwrap(),
        )
    };
    let names = std::iter::once("who".to_owned()).chain((1..columns).map(|at| format!("c{at}")));
    let fields = names.map(|name| column(&name)).collect();
    let schema = Arc::new(Type::group_type_builder("schema").with_fields(fields).build().unwrap());
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .build();
    let file = fs::File::create(env.path("lake/wide.parquet")).unwrap();
    let mut writer =
        SerializedFileWriter::new(std::io::BufWriter::new(file), schema, Arc::new(properties))
            .unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut at = 0;
    while let Some(mut column) = group.next_column().unwrap() {
        let values = match at {
            0 => [b"p".as_slice().into(), b"q".as_slice().into()],
            _ => [format!("p-{at}").into_bytes().into(), format!("q-{at}").into_bytes().into()],
        };
        column.typed::<ByteArrayType>().write_batch(&values, Some(&[1, 1]), None).unwrap();
        column.close().unwrap();
        at += 1;
    }
    group.close().unwrap();
    writer.close().unwrap();
    env.table(
        "e",
        "lake/",
        &[WHO, "path: c64999, labels: [I2, DEL-PERSON, ACC-ALL], erase: {method: empty}"],
    );
    env.ask("r", "e", &[block("A", "access, delete", "who", "p")]);
    env
}

#[test]
fn sixty_five_thousand_columns_are_no_matter() {
    let env = lake(65_000);
    let report = env.apply().exits(0).json();
    let delete = task(&report, "A", "delete");
    assert_eq!(delete["phase"], "Complete");
    assert_eq!(delete["datasets"][0]["fields"][0]["cells"], 1);
    let bytes = fs::read(env.path("lake/wide.parquet")).unwrap();
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(!holds(b"p-64999") && holds(b"p-64998") && holds(b"q-64999"));
}

#[test]
fn more_columns_than_can_be_counted_are_refused() {
    let env = lake(65_600);
    let before = env.files("lake");
    let report = env.apply().exits(5).json();
    for action in ["access", "delete"] {
        let task = task(&report, "A", action);
        assert_eq!(task["phase"], "Failed");
        assert_eq!(task["reason"], "DataUnreadable");
        assert!(task["message"].as_str().unwrap().contains("65600 columns"), "{}", task["message"]);
    }
    assert_eq!(env.files("lake"), before);
}
