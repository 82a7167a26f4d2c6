//! Other programs look at what the binary made: a browser at packages, pyarrow at rewritten files. Where they
//! are not installed the test says so and passes; `.ci/run` installs them where it can.

use std::path::PathBuf;
use std::process::Command;

use crate::support::{Env, WHO, block, text};

const HOSTILE: &str =
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">";

fn lake() -> Env {
    let env = Env::new();
    env.parquet(
        "lake/e.parquet",
        vec![("who", text(&["p", "p", "q"])), ("cell", text(&[HOSTILE, "plain", "other"]))],
    );
    env.table(
        "e",
        "lake/e.parquet",
        &[WHO, "path: cell, labels: [I2, DEL-PERSON, ACC-ALL], erase: {method: \"null\"}"],
    );
    env.ask("r", "e", &[block("A", "access, delete", "who", "p")]);
    env.apply().exits(0);
    env
}

pub(crate) fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The page as a browser has it after everything on it had its chance to run.
fn dom(browser: &PathBuf, env: &Env, page: &str) -> String {
    let url = format!("file://{}", env.path(page).display());
    browse(browser, env, &["--virtual-time-budget=2000", "--dump-dom", &url])
}

/// What a browser without a window prints.
pub(crate) fn browse(browser: &PathBuf, env: &Env, args: &[&str]) -> String {
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", env.path("browser").display()))
        .args(args)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_browser_shows_hostile_values_as_text() {
    let Some(browser) = in_path("chromium") else {
        println!("skipped: no chromium on this machine");
        return;
    };
    let env = lake();
    for (entry, content) in env.package("r", "A") {
        env.write(&format!("package/{entry}"), &content);
    }
    let index = dom(&browser, &env, "package/index.html");
    assert!(index.contains("href=\"e/person.html\""), "{index}");
    let person = dom(&browser, &env, "package/e/person.html");
    assert!(person.contains("<section data-field=\"cell\""), "{person}");
    assert!(person.contains("&lt;script&gt;"), "the value is not shown as text:\n{person}");
    assert!(!person.contains("<title>owned"), "a value ran as a script:\n{person}");
    for page in [index, person] {
        assert!(
            !page.contains("<script") && !page.contains("<img"),
            "markup from a value:\n{page}"
        );
        assert!(
            !page.contains("http://") && !page.contains("https://"),
            "an outside resource:\n{page}"
        );
    }
}

#[test]
fn pyarrow_reads_what_was_rewritten() {
    let Some(python) = std::env::var_os("AMPARO_TEST_PYTHON") else {
        println!("skipped: AMPARO_TEST_PYTHON names no Python with pyarrow");
        return;
    };
    let env = lake();
    let script = "import sys, json, pyarrow.parquet as pq\n\
                  t = pq.read_table(sys.argv[1])\n\
                  print(json.dumps([str(t.schema.field('who').type), t.column('who').to_pylist(), t.column('cell').to_pylist()]))";
    let output =
        Command::new(python).args(["-c", script]).arg(env.path("lake/e.parquet")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read[0], "string");
    assert_eq!(read[2], serde_json::json!([null, null, "other"]));
    assert_eq!(read[1][2], "q");
    assert!(read[1][0].as_str().unwrap().starts_with("Privacy-") && read[1][0] == read[1][1]);
}
