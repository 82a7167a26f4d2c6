//! Names of files, folders and columns that look like something else: found, shown, erased like any other,
//! and never markup, a flag, or a terminal's command in what is printed.

use std::fs;

use crate::support::{Env, Run, WHO, block, task, text};

/// With what a name must not do to a screen or a page.
fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "🦀 crème brûlée",
        "--help",
        "-rf",
        "<script>alert(1)",
        "a\nb",
        "tab\there",
        "\u{1b}[31mred\u{1b}[0m",
        "\u{202e}txt.desrever",
        "עברית",
        "العربية",
        "$(touch pwned)",
        "`x`",
        "a'b\"c",
        "%2e%2e",
        "x#1?y",
        "a|b",
        "*",
        "[x]",
        "{y}",
        " lead and trail ",
        "C:\\temp",
        "..",
        "~",
        "日本語",
        "e\u{301}",
    ]
    .map(str::to_owned)
    .into();
    // As long as a file system allows, with the ending.
    names.push("ü".repeat(123));
    names
}

/// Nothing that is printed moves the cursor, turns text around, or breaks a line.
#[track_caller]
fn is_printable(run: &Run, what: &str) {
    for text in [&run.stdout, &run.stderr] {
        let harmful = |c: char| {
            c.is_control() && c != '\n'
                || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!text.contains(harmful), "{what}: {text:?}");
    }
}

fn request(env: &Env) {
    env.ask("r", "e", &[block("A", "access, delete", "who", "p")]);
}

#[test]
fn files_and_folders_of_any_name_are_erased() {
    let env = Env::new();
    let mut files = Vec::new();
    for (at, name) in names().into_iter().enumerate() {
        let path = match at % 2 {
            0 => format!("lake/{name}.parquet"),
            _ if name == ".." => "lake/x../..parquet.parquet".to_owned(),
            _ => format!("lake/{name}/part.parquet"),
        };
        // Names that start with a point are not looked at.
        if path.contains("/.") {
            continue;
        }
        env.parquet(&path, vec![("who", text(&["p", "q"]))]);
        files.push(path);
    }
    assert!(files.len() > 20);
    env.table("e", "lake/", &[WHO]);
    request(&env);
    for args in [&["plan"][..], &["plan", "-o", "markdown"], &["check", "--data"]] {
        is_printable(&env.run(args).exits(0), args[0]);
    }
    let report = env.apply().exits(0).json();
    let delete = task(&report, "A", "delete");
    assert_eq!(delete["datasets"][0]["personRows"].as_u64(), Some(files.len() as u64));
    for file in &files {
        let rows = env.rows(file);
        assert!(rows[0][0].as_deref().unwrap().starts_with("Privacy-"), "{file:?}");
        assert_eq!(rows[1][0].as_deref(), Some("q"), "{file:?}");
    }
    assert_eq!(env.files("lake").len(), files.len());
    env.run(&["verify"]).exits(0);
    assert!(!env.path("pwned").exists());
}

#[test]
fn broken_files_of_any_name_are_named() {
    for name in names().into_iter().filter(|name| !name.starts_with('.')) {
        let env = Env::new();
        env.parquet("lake/good.parquet", vec![("who", text(&["p", "q"]))]);
        fs::write(env.path(format!("lake/{name}.parquet")), b"PAR1 no PAR1").unwrap();
        env.table("e", "lake/", &[WHO]);
        request(&env);
        let checked = env.run(&["check", "--data"]).exits(3);
        is_printable(&checked, &name);
        // What cannot be printed is left out of the name.
        let shown: Vec<&str> = name
            .split(|c: char| c.is_control() || c == '\u{202e}')
            .filter(|s| !s.is_empty())
            .collect();
        for part in shown {
            assert!(checked.stderr.contains(part) || checked.stdout.contains(part), "{name:?}");
        }
        let run = env.apply().exits(5);
        is_printable(&run, &name);
        assert_eq!(task(&run.json(), "A", "delete")["phase"], "Failed", "{name:?}");
    }
}

#[test]
fn columns_of_any_name_are_erased() {
    let env = Env::new();
    let columns: Vec<String> =
        names().into_iter().chain(["a.b".to_owned(), "x".repeat(5000)]).collect();
    let mut data = vec![("who", text(&["p", "q"]))];
    data.extend(columns.iter().map(|name| (name.as_str(), text(&["secret", "kept"]))));
    data.push(("not\u{1b}[2Jmentioned", text(&["1", "2"])));
    env.parquet("lake/a.parquet", data);
    let fields: Vec<String> = columns
        .iter()
        .map(|name| {
            let name = serde_json::to_string(&[name]).unwrap();
            format!("    - {{path: {name}, labels: [I1, DEL-PERSON, ACC-ALL]}}")
        })
        .collect();
    env.dataset(
        "e",
        &format!(
            "  product: e
  location: lake/
  format: parquet
  fields:
    - {{path: who, namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}}
{}",
            fields.join("\n")
        ),
    );
    request(&env);
    for args in [&["plan"][..], &["plan", "-o", "markdown"], &["check", "--data"]] {
        is_printable(&env.run(args).exits(0), args[0]);
    }
    let report = env.apply().exits(0).json();
    let delete = task(&report, "A", "delete");
    assert_eq!(delete["datasets"][0]["fields"].as_array().unwrap().len(), columns.len() + 1);
    let rows = env.rows("lake/a.parquet");
    for (at, column) in columns.iter().enumerate() {
        assert!(rows[0][at + 1].as_deref().unwrap().starts_with("Privacy-"), "{column:?}");
        assert_eq!(rows[1][at + 1].as_deref(), Some("kept"), "{column:?}");
    }
    let package = env.package("r", "A");
    let page = &package["e/person.html"];
    assert!(!page.contains("<script>alert"), "markup");
    is_printable(&env.run(&["status"]), "status");
}
