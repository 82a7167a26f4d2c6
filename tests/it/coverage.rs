//! The coverage lint of `check --data` and `check --root`: personal data that the policies have not seen, told
//! in counts, silenced with reasons.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array};
use serde_json::Value;

use crate::support::{Env, Run, block, numbers, text};

/// Values that stand in the lake and nowhere else.
const PLANTED: [&str; 6] = [
    "planted.one@mail.example",
    "planted.two@mail.example",
    "+49 171 4711081",
    "DE89370400440532013000",
    "4111111111111111",
    "Plantea Personova",
];

/// One dataset in which only `key` carries labels.
fn env(fields: &str) -> Env {
    let env = Env::new();
    let births: ArrayRef = Arc::new(Date32Array::from(vec![4711, 4712, 4713, 4714]));
    env.parquet(
        "lake/people/dt=2026-11-01/a.parquet",
        vec![
            ("key", text(&["1", "2", "3", "4"])),
            ("contact", text(&[PLANTED[0], PLANTED[1], "call again", ""])),
            ("tel", text(&[PLANTED[2], "0171-2345678", "", ""])),
            ("account", text(&[PLANTED[3], "", "", ""])),
            ("payment", numbers(&[4_111_111_111_111_111, 5_555_555_555_554_444, 7, 8])),
            ("name", text(&[PLANTED[5], "Ada Lovelace", "unknown", "Grace Hopper"])),
            ("born", births.clone()),
            ("birth_date", births),
            ("amount", numbers(&[12, 17, 99, 1_000_000_000])),
            ("campaign", text(&["c1", "c2", "c3", "c4"])),
        ],
    );
    env.dataset(
        "people",
        &format!(
            "  product: crm
  location: lake/people/
  format: parquet
  fields:
    - {{path: key, namespace: key, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL]}}
{fields}"
        ),
    );
    env
}

const LOOKED_AT: &str = "    - {path: contact}
    - {path: tel}
    - {path: account}
    - {path: payment}
    - {path: name}
    - {path: born}
    - {path: birth_date}
    - {path: amount}
    - {path: campaign}
    - {path: dt}";

const CHECK: [&str; 4] = ["check", "--data", "-o", "json"];

/// `CODE FILE: MESSAGE` of every diagnostic; none of them may be more than a warning.
#[track_caller]
fn warnings(run: Run) -> Vec<String> {
    let document = run.exits(0).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = document["diagnostics"].as_array().unwrap().iter();
    all.map(|d| {
        assert_eq!(d["severity"], "warning", "{d:#}");
        format!("{} {}: {}", text(&d["code"]), text(&d["file"]), text(&d["message"]))
    })
    .collect()
}

#[test]
fn columns_that_look_personal_are_shown_with_their_evidence() {
    let env = env(LOOKED_AT);
    let run = env.run(&["check", "--data"]).exits(0);
    insta::assert_snapshot!("coverage_personal", run.transcript());
}

#[test]
fn a_column_that_no_policy_mentions_is_both() {
    let env = env("    - {path: contact, reason: \"a shared mailbox\"}");
    let found = warnings(env.run(&CHECK));
    let of = |code: &str| found.iter().filter(|line| line.starts_with(code)).count();
    // dt, campaign, amount, born: not mentioned, and nothing personal about them.
    assert_eq!((of("AMP0603"), of("AMP0618"), found.len()), (9, 5, 14), "{found:#?}");
}

#[test]
fn reasons_labels_and_pii_silence_it() {
    let env = env("    - {path: contact, reason: \"a shared mailbox\"}
    - {path: tel, pii: true, labels: [ACC-ALL]}
    - {path: account, labels: [I1, DEL-PERSON, ACC-ALL]}
    - {path: payment, reason: test numbers}
    - {path: name, labels: [ACC-ALL]}
    - {path: born}
    - {path: birth_date, reason: of the company}
    - {path: amount}
    - {path: campaign}
    - {path: dt}");
    assert_eq!(warnings(env.run(&CHECK)), Vec::<String>::new());
}

#[test]
fn without_data_nothing_is_read() {
    let env = env(LOOKED_AT);
    fs::write(env.path("lake/people/dt=2026-11-01/a.parquet"), "broken").unwrap();
    assert_eq!(warnings(env.run(&["check", "-o", "json"])), Vec::<String>::new());
}

#[test]
fn plan_and_apply_do_not_look() {
    let env = env(LOOKED_AT);
    env.ask("r", "crm", &[block("A", "access", "key", "1")]);
    for run in [env.plan().exits(0), env.apply().exits(0)] {
        assert!(!format!("{}{}", run.stdout, run.stderr).contains("AMP06"), "{}", run.stderr);
    }
}

#[test]
fn values_that_cannot_be_read_are_said() {
    let env = env(LOOKED_AT);
    let path = env.path("lake/people/dt=2026-11-01/a.parquet");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(10).position(|part| part == b"call again").unwrap();
    bytes[at - 4..at].copy_from_slice(&u32::MAX.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    let found = warnings(env.run(&CHECK));
    let unread: Vec<_> = found.iter().filter(|line| line.starts_with("AMP0619")).collect();
    assert_eq!(
        unread,
        ["AMP0619 policies/dataset-people.yaml: values could not be looked at: \
          lake/people/dt=2026-11-01/a.parquet: column `contact` of row group 0 does not decode"]
    );
    assert!(found.iter().any(|line| line.contains("tel carries no label")), "{found:#?}");
}

#[test]
fn no_sampled_value_appears_anywhere() {
    let env = env(LOOKED_AT);
    env.parquet(
        "lake/people/dt=planted.three@mail.example/a.parquet",
        vec![("key", text(&["5"])), ("contact", text(&[PLANTED[1]]))],
    );
    env.parquet(
        "lake/other/mail=planted.three@mail.example/a.parquet",
        vec![("contact", text(&[PLANTED[0]]))],
    );
    let clean = |what: &str, text: &str| {
        for planted in PLANTED {
            assert!(!text.contains(planted), "{what} holds {planted}:\n{text}");
        }
        assert!(!text.contains("mail=planted"), "{what}:\n{text}");
    };
    for format in ["human", "json", "markdown", "sarif", "junit"] {
        for verbosity in [&["-q"][..], &[], &["-v"], &["-vv"], &["-vv", "--log-format", "json"]] {
            let check = ["check", "--root", "lake", "-o", format, "--ci", "github"];
            let reports = [
                "--report", "q.json", "--report", "r.md", "--report", "r.sarif", "--report",
                "r.xml",
            ];
            let args = [&check[..], &reports, verbosity].concat();
            let run = env.run_with(&args, &[("RUST_LOG", "trace")], "").exits(0);
            clean(&format!("{args:?} stdout"), &run.stdout);
            clean(&format!("{args:?} stderr"), &run.stderr);
            for report in ["q.json", "r.md", "r.sarif", "r.xml"] {
                let text = fs::read_to_string(env.path(report)).unwrap();
                clean(report, &text);
                assert!(text.contains("AMP0618") && text.contains("AMP0621"), "{report}: {text}");
            }
        }
    }
}

#[test]
fn id_fields_that_no_request_reaches_are_said() {
    let env = env(LOOKED_AT);
    env.parquet("lake/orders.parquet", vec![("buyer", text(&["1"])), ("old", text(&["x"]))]);
    let orders = |reason: &str| {
        env.dataset(
            "orders",
            &format!(
                "  product: shop
  location: lake/orders.parquet
  format: parquet
  fields:
    - {{path: buyer, namespace: keys, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL]}}
    - {{path: old, namespace: legacy number, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL]{reason}}}"
            ),
        );
    };
    orders("");
    let reached = |run: Run| -> Vec<String> {
        warnings(run).into_iter().filter(|line| line.starts_with("AMP0620")).collect()
    };
    assert_eq!(reached(env.run(&CHECK)), Vec::<String>::new(), "there is no request");
    env.ask("r", "crm", &[block("A", "access", "KEY", "1")]);
    let found = reached(env.run(&CHECK));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("no request can reach buyer: none names the namespace `keys`"));
    orders(", reason: \"numbers of the old shop\"");
    assert_eq!(reached(env.run(&CHECK)).len(), 1);
}

/// A lake beside which state and exports lie, with data that nobody covers.
fn rooted() -> Env {
    let env = env(LOOKED_AT);
    for file in [
        "lake/clicks/dt=2026-11-01/a.parquet",
        "lake/clicks/dt=2026-11-02/a.parquet",
        "lake/refunds.parquet",
        "lake/sales/part-0.parquet",
        "lake/people/_old/a.parquet",
        "state/scratch/a.parquet",
        "elsewhere/a.parquet",
    ] {
        env.parquet(file, vec![("x", text(&["1"]))]);
    }
    fs::create_dir_all(env.path("lake/sales/_delta_log")).unwrap();
    symlink(env.path("elsewhere"), env.path("lake/out")).unwrap();
    env
}

fn uncovered(run: Run) -> Vec<String> {
    let found = warnings(run).into_iter();
    found.filter(|line| ["AMP0621", "AMP0622", "AMP0623"].contains(&&line[..7])).collect()
}

#[test]
fn data_below_a_root_that_no_dataset_covers() {
    let env = rooted();
    insta::assert_snapshot!(
        "coverage_root",
        env.run(&["check", "--root", "lake", "-q"]).exits(0).transcript()
            + &env.run(&["check", "--root", "lake"]).exits(0).transcript()
    );
    let several = env.run(&["check", "--root", "lake/clicks", "--root", "elsewhere", "-o", "json"]);
    let places = ["lake/clicks", "elsewhere/a.parquet"];
    let found = uncovered(several);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(places.iter().all(|place| found.iter().any(|line| line.contains(place))), "{found:#?}");
    // The whole workspace: state is not walked.
    let whole = uncovered(env.run(&["check", "--root", ".", "-o", "json"]));
    assert!(!whole.iter().any(|line| line.contains("state")), "{whole:#?}");
    assert!(whole.iter().any(|line| line.contains("elsewhere")), "{whole:#?}");
    let by_variable = env.run_with(&["check", "-o", "json"], &[("AMPARO_ROOT", "lake")], "");
    assert_eq!(uncovered(by_variable).len(), 5);
}

#[test]
fn settings_name_the_places_that_nobody_covers_on_purpose() {
    let env = rooted();
    env.document(
        "policies",
        "Settings",
        "default",
        "  coverage:
    ignore:
      - {location: lake/clicks/, reason: anonymous counts}
      - {location: lake/sal*, reason: covered by another tool}
      - {location: lake/refunds.parquet, reason: no personal data}
      - {location: lake/*/_old, reason: deleted next week}
      - {location: lake/out, reason: a link for people}
      - {location: lake/gone/, reason: nobody knows}",
    );
    assert_eq!(
        uncovered(env.run(&["check", "--root", "lake", "-o", "json"])),
        ["AMP0623 policies/settings-default.yaml: lake/gone/ is ignored, and not there"]
    );
}

#[test]
fn a_root_that_is_none_is_no_silence() {
    let env = rooted();
    for root in ["nowhere", "lake/refunds.parquet"] {
        let run = env.run(&["check", "--root", root]).exits(1);
        assert!(run.stderr.contains(root) && run.stderr.contains("--root DIR"), "{}", run.stderr);
    }
}
