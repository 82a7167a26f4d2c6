//! Comments and summaries stay within what the systems take.

use super::scene::quoted;
use crate::support::{Env, WHO, text};

/// Requests whose every key is as long as keys may be, and swells to six times that when it is escaped.
fn large(blocks: usize) -> Env {
    let env = Env::new();
    env.parquet("lake/e.parquet", vec![("who", text(&["ann", "bob"]))]);
    env.table("e", "lake/e.parquet", &[WHO]);
    let users: Vec<String> = (0..blocks)
        .map(|n| {
            let key = format!("{n:04}{}", "<".repeat(252));
            format!(
                "    - {{key: {}, action: [delete], userIDs: [{{namespace: who, value: v{n}}}]}}",
                quoted(&key)
            )
        })
        .collect();
    env.request(
        "r",
        &format!(
            "  regulation: gdpr\n  receivedAt: 2026-11-20\n  include: [e]\n  users:\n{}",
            users.join("\n")
        ),
    );
    env
}

#[test]
fn a_comment_says_how_much_it_leaves_out() {
    let env = large(300);
    let run = env.run(&["plan", "-o", "markdown"]).exits(0);
    let units: usize = run.stdout.chars().map(char::len_utf16).sum();
    assert!(units <= 65_536, "{units}");
    assert!(units > 40_000, "{units}: the room is not used");
    let more = run.stdout.lines().filter(|line| line.starts_with("…and ")).collect::<Vec<_>>();
    assert!(more.iter().any(|line| line.ends_with(" more tasks.")), "{more:?}");
    assert!(more.iter().any(|line| line.contains("more tasks with details")), "{more:?}");
    let details = run.stdout.matches("<details>").count();
    assert_eq!(details, run.stdout.matches("</details>").count());
}

#[test]
fn a_full_summary_is_left_alone() {
    let env = large(3);
    let summary = env.path("summary.md");
    let path = summary.to_str().unwrap().to_owned();
    let run = |used: usize| {
        std::fs::write(&summary, "x".repeat(used)).unwrap();
        let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", path.as_str())];
        let run = env.run_with(&["plan"], &variables, "").exits(0);
        (std::fs::read_to_string(&summary).unwrap()[used..].to_owned(), run.stderr)
    };
    let (whole, _) = run(0);
    assert!(whole.starts_with("<!-- amparo:plan -->") && whole.contains("<details>"), "{whole}");
    let (after, _) = run(1000);
    assert_eq!(after, whole, "appended as it is");
    let (little, _) = run(1024 * 1024 - 8_000);
    assert!(little.contains("…and ") && little.len() < 8_000, "{little}");
    let (none, said) = run(1024 * 1024 - 10);
    assert!(none.is_empty() && said.contains("the job summary is full"), "{none} {said}");
}
