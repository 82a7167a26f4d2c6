//! A workspace in which everything that CI tells of happens, under names that try to be more than text.

use crate::support::{Env, text};

/// Markdown, HTML, mentions, links, workflow commands, terminal sequences, line breaks.
pub(super) const HOSTILE: &str = "K|`x` @team <img src=x onerror=a()>[l](http://e.example)\r\n::stop-commands::t ##[add-mask]y\u{1b}[2J%0A";

/// A path of a file that is hostile, too.
pub(super) const HOSTILE_FILE: &str =
    "lake/visits/a,b=c::`x` @team ##[error]<img src=x>|www.e.example.parquet";

/// And that of a request that does not parse.
pub(super) const HOSTILE_REQUEST: &str =
    "requests/b|`x` @team ,c=d\u{1b}[2J ::error::y ##[error]<img src=x>\n::notice::z.json";

/// The same in YAML's double quotes.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Policies and requests: an export, an erasure, a hold, a block beyond a limit, one that is rejected, one whose
/// data cannot be read, and one that is overdue.
pub(super) fn scene() -> Env {
    let env = Env::new();
    fill(&env, false);
    env
}

/// One file.
type Step = Box<dyn Fn(&Env)>;

/// Writes the scene; `reversed` makes files in the opposite order.
pub(super) fn fill(env: &Env, reversed: bool) {
    let mut steps: Vec<Step> = vec![
        Box::new(|env| {
            env.parquet(
                HOSTILE_FILE,
                vec![
                    ("who", text(&["ann", "ann", "bob", ""])),
                    ("c|`@team`<b>", text(&["c1", "c2", "c2", "c3"])),
                    ("note", text(&["x", "y", "z", ""])),
                ],
            );
        }),
        Box::new(|env| {
            env.parquet(
                "lake/visits/b.parquet",
                vec![
                    ("who", text(&["ann", "eve"])),
                    ("c|`@team`<b>", text(&["c5", "c6"])),
                    ("note", text(&["v", "w"])),
                ],
            );
        }),
        Box::new(|env| {
            env.parquet("lake/orders.parquet", vec![("who", text(&["ann", "dan", "dan", "dan"]))]);
        }),
        Box::new(|env| {
            env.write("lake/broken/empty.parquet", "");
        }),
        Box::new(|env| {
            env.dataset(
                "visits",
                "  product: web
  location: lake/visits
  format: parquet
  fields:
    - {path: who, namespace: login, labels: [I1, ID-PERSON, DEL-PERSON, ACC-PERSON]}
    - {path: \"c|`@team`<b>\", labels: [I2, DEL-PERSON, ACC-ALL]}
    - {path: note, labels: [I2, DEL-PERSON, ACC-ALL]}",
            );
        }),
        Box::new(|env| {
            env.dataset(
                "orders",
                "  product: shop
  location: lake/orders.parquet
  format: parquet
  fields:
    - {path: who, namespace: buyer, labels: [I1, ID-PERSON, DEL-PERSON, ACC-PERSON]}",
            );
        }),
        Box::new(|env| {
            env.dataset(
                "broken",
                "  product: lost
  location: lake/broken
  format: parquet
  fields:
    - {path: who, namespace: lost, labels: [I1, ID-PERSON, DEL-PERSON]}",
            );
        }),
        Box::new(|env| {
            let reason = quoted("see <https://e.example> @team `x` | #12");
            env.document(
                "policies",
                "Hold",
                "tax",
                &format!("  {{datasets: [visits], fields: [note], reason: {reason}}}"),
            );
        }),
        Box::new(|env| {
            env.document("policies", "Settings", "default", "  {limits: {maxRowsPerUser: 2}}");
        }),
        Box::new(|env| {
            env.request(
                "r",
                &format!(
                    "  regulation: gdpr
  receivedAt: 2026-11-20
  include: [web, shop, lost]
  users:
    - {{key: CASE-1, action: [access], userIDs: [{{namespace: buyer, value: ann}}]}}
    - {{key: CASE-2, action: [delete], userIDs: [{{namespace: buyer, value: ann}}]}}
    - {{key: {}, action: [delete], userIDs: [{{namespace: login, value: bob}}]}}
    - {{key: LIMIT, action: [delete], userIDs: [{{namespace: buyer, value: dan}}]}}
    - {{key: LOST, action: [access], userIDs: [{{namespace: lost, value: ann}}]}}
    - {{key: NOBODY, action: [delete], userIDs: [{{namespace: login, value: nobody-known}}]}}
    - {{key: WRONG, action: [explode], userIDs: [{{namespace: login, value: ann}}]}}",
                    quoted(HOSTILE)
                ),
            );
        }),
        Box::new(|env| {
            env.write(HOSTILE_REQUEST, "{");
        }),
        Box::new(|env| {
            env.request(
                "late",
                "  regulation: gdpr
  receivedAt: 2026-01-01
  include: [web]
  users:
    - {key: OLD, action: [access], userIDs: [{namespace: login, value: eve}]}",
            );
        }),
    ];
    if reversed {
        steps.reverse();
    }
    for step in steps {
        step(env);
    }
}
