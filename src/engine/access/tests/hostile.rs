//! Values and names that try to be something else.

use serde_json::Value;

use super::support::*;
use crate::model::{FieldPath, Leaf, LeafType::Text};

/// Values that must come out as nothing but themselves.
const VALUES: [&str; 16] = [
    "=cmd()",
    "+1 (555) 0100",
    "@SUM(A1)",
    "-2+3",
    "\t=1",
    "\r=1",
    "<script>alert(1)</script>",
    "</td></tr></table></section><h1>x",
    "a\"b,c\nd\r\ne",
    "nul\0l",
    "\u{202e}txt.exe\u{2066}",
    "👩‍👩‍👧 e\u{301}",
    "&lt;b&gt; &amp;",
    "' onmouseover='x",
    "\u{1b}[31m",
    "",
];

/// RFC 4180, read naively: rows of cells; `None` is an empty unquoted cell.
fn parse_csv(text: &str) -> Vec<Vec<Option<String>>> {
    let (mut rows, mut row, mut cell, mut quoted) = (vec![], vec![], String::new(), false);
    let mut chars = text.chars().peekable();
    let mut inside = false;
    while let Some(c) = chars.next() {
        match (inside, c) {
            (true, '"') if chars.peek() == Some(&'"') => {
                cell.push('"');
                chars.next();
            }
            (true, '"') => inside = false,
            (true, c) => cell.push(c),
            (false, '"') => (inside, quoted) = (true, true),
            (false, ',' | '\n') => {
                let done = std::mem::take(&mut cell);
                row.push((quoted || !done.is_empty()).then_some(done));
                quoted = false;
                if c == '\n' {
                    rows.push(std::mem::take(&mut row));
                }
            }
            (false, c) => cell.push(c),
        }
    }
    assert!(row.is_empty() && cell.is_empty(), "the last line is not ended");
    rows
}

#[test]
fn hostile_values_stay_values() {
    let cells: Vec<Option<&str>> = VALUES.iter().map(|value| Some(*value)).chain([None]).collect();
    let entries = package_of(Table::new("t", vec![(leaf("x", Text, &[]), texts(&cells))]));

    let rows = parse_csv(&entries["analytics/person.csv"]);
    assert_eq!(rows.len(), cells.len() + 1);
    for (row, value) in rows[1..].iter().zip(&cells) {
        let formula = value.is_some_and(|v| v.starts_with(['=', '+', '-', '@', '\t', '\r']));
        let expected = value.map(|v| if formula { format!("'{v}") } else { v.to_owned() });
        assert_eq!(row[1], expected);
    }

    let page = &entries["analytics/person.html"];
    let mut shown: Vec<String> = summary(page)[0].1.iter().map(|(v, _)| v.clone()).collect();
    let mut expected: Vec<String> = VALUES.iter().map(|v| v.replace('\0', "\u{fffd}")).collect();
    shown.sort();
    expected.sort();
    assert_eq!(shown, expected);
    assert!(!page.contains("<script") && !page.contains("<h1>x"));

    let profile: Value = serde_json::from_str(&entries["profile.json"]).unwrap();
    for (row, value) in profile["datasets"][0]["person"].as_array().unwrap().iter().zip(&cells) {
        assert_eq!(row["x"].as_str(), *value);
    }
}

#[test]
fn numbers_are_no_formulas() {
    let numbers = ["-5", "+3.2", "-.5e-7", "+1E+5", "-0"];
    let others = ["-", "+", "-.", "-5e", "-1,5", "+49 170", "-0x1", "-inf", "-1_0", "--1", "-5\n"];
    let cells: Vec<Option<&str>> = numbers.iter().chain(&others).map(|v| Some(*v)).collect();
    let entries = package_of(Table::new("t", vec![(leaf("x", Text, &[]), texts(&cells))]));
    let rows = parse_csv(&entries["analytics/person.csv"]);
    for (row, value) in rows[1..].iter().zip(numbers) {
        assert_eq!(row[1].as_deref(), Some(value));
    }
    for (row, value) in rows[1 + numbers.len()..].iter().zip(others) {
        assert_eq!(row[1], Some(format!("'{value}")));
    }
}

#[test]
fn hostile_names_stay_names() {
    let odd = |parts: &[&str]| Leaf {
        path: FieldPath::new(parts.iter().copied()).unwrap(),
        ..leaf("x", Text, &[])
    };
    let leaves = [
        odd(&["=1+1"]),
        odd(&["<img src=x onerror=y>"]),
        odd(&["a.b", "c"]),
        odd(&["\"quoted\""]),
        odd(&["line\nbreak"]),
        odd(&["_dataset"]),
        odd(&["../../etc/passwd"]),
        odd(&["Größe"]),
    ];
    let names: Vec<String> = leaves.iter().map(|leaf| leaf.path.to_string()).collect();
    let columns = leaves.into_iter().map(|leaf| (leaf, texts(&[Some("v")]))).collect();
    let entries = package_of(Table::new("t", columns));
    assert_eq!(entries.len(), 5);

    let header: Vec<String> =
        parse_csv(&entries["analytics/person.csv"]).remove(0).into_iter().flatten().collect();
    assert_eq!(header[0], "_dataset");
    assert_eq!(header[1], "'=1+1");
    assert_eq!(header[3], "\"a.b\".c");
    assert_eq!(header[6], "\"_dataset\"");
    assert_eq!(header[2], names[1]);

    let page = &entries["analytics/person.html"];
    let fields: Vec<String> = summary(page).into_iter().map(|(path, _)| path).collect();
    assert_eq!(fields, names);
    assert!(!page.contains("<img"));
    let profile: Value = serde_json::from_str(&entries["profile.json"]).unwrap();
    let row = &profile["datasets"][0]["person"][0];
    assert_eq!(row["a.b"]["c"], "v");
    assert_eq!(row["_dataset"], "v");
}

#[test]
fn a_huge_value_comes_through() {
    let huge = "=\"<&'é".repeat(1 << 17);
    let entries = package_of(Table::new("t", vec![(leaf("x", Text, &[]), texts(&[Some(&huge)]))]));
    let rows = parse_csv(&entries["analytics/person.csv"]);
    assert!(rows[1][1].as_deref() == Some(&format!("'{huge}")));
    let profile: Value = serde_json::from_str(&entries["profile.json"]).unwrap();
    assert!(profile["datasets"][0]["person"][0]["x"].as_str() == Some(&huge));
    assert!(summary(&entries["analytics/person.html"])[0].1[0].0 == huge);
}

#[test]
fn pages_run_no_script_and_load_nothing() {
    let entries = package_of(Table::new("t", vec![(leaf("x", Text, &[]), texts(&[Some("v")]))]));
    for page in [&entries["index.html"], &entries["analytics/person.html"]] {
        assert!(
            page.contains("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'")
        );
        for outside in
            ["<script", "src=", "url(", "@import", "http://", "https://", "<link", "<form"]
        {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}

#[test]
fn long_lists_hold_every_value_in_one_table() {
    let values: Vec<String> = (0..1234).map(|number| format!("v{number}")).collect();
    let cells: Vec<Option<&str>> = values.iter().map(|value| Some(value.as_str())).collect();
    let entries = package_of(Table::new("t", vec![(leaf("x", Text, &[]), texts(&cells))]));
    let page = &entries["analytics/person.html"];
    let mut expected: Vec<(String, u64)> = values.into_iter().map(|value| (value, 1)).collect();
    expected.sort();
    assert_eq!(summary(page)[0].1, expected);
    assert_eq!(page.matches("<table>").count(), 1);
    assert!(page.contains("Show all 1,234 values"));
}
