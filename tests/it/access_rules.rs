//! What an access package holds: RULES.md sections 3 and 4.

use serde_json::Value;

use crate::support::{Env, block, csv, header, numbers, task, text};

/// Customers → orders → order items, by link namespaces; a web dataset by cookies.
fn shop() -> Env {
    let env = Env::new();
    env.parquet(
        "lake/customers.parquet",
        vec![
            ("customer_id", numbers(&[1, 2, 3])),
            ("email", text(&["Ann@Example.com", "bob@example.com", "cyd@example.com"])),
        ],
    );
    env.parquet(
        "lake/orders.parquet",
        vec![
            ("order_id", text(&["o-1", "o-2", "o-3", "o-4"])),
            ("customer", text(&["1", "2", "1", "3"])),
        ],
    );
    env.parquet(
        "lake/items.parquet",
        vec![
            ("order_id", text(&["o-1", "o-1", "o-2", "o-3"])),
            ("sku", text(&["a", "b", "c", "d"])),
        ],
    );
    env.document(
        "policies",
        "Namespace",
        "customer-id",
        "  {namespace: customer-id, expansion: always}",
    );
    env.document("policies", "Namespace", "order-id", "  {namespace: order-id, expansion: always}");
    let dataset = |name: &str, file: &str, fields: &str| {
        env.dataset(
            name,
            &format!("  product: shop\n  location: lake/{file}.parquet\n  format: parquet\n  fields:\n{fields}"),
        );
    };
    dataset(
        "customers",
        "customers",
        "    - {path: customer_id, namespace: customer-id, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL], erase: {method: empty}}
    - {path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}",
    );
    dataset(
        "orders",
        "orders",
        "    - {path: order_id, namespace: order-id, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL]}
    - {path: customer, namespace: customer-id, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL]}",
    );
    dataset(
        "items",
        "items",
        "    - {path: order_id, namespace: order-id, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL]}
    - {path: sku, labels: [ACC-ALL]}",
    );
    env
}

fn ask(env: &Env, users: &str) {
    env.request(
        "r",
        &format!(
            "  regulation: gdpr\n  receivedAt: 2026-11-20\n  include: [shop]\n  users:\n{users}"
        ),
    );
}

#[test]
fn links_lead_from_a_person_to_orders_and_their_items() {
    let env = shop();
    ask(
        &env,
        "    - {key: A, action: [access], userIDs: [{namespace: email, value: ann@example.com}]}",
    );
    let report = env.apply().exits(0).json();
    let done = task(&report, "A", "access");
    let rows: Vec<_> = done["datasets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| (d["dataset"].as_str().unwrap(), d["personRows"].as_u64().unwrap()))
        .collect();
    assert_eq!(rows, [("customers", 1), ("items", 3), ("orders", 2)]);
    let package = env.package("r", "A");
    let person = &package["shop/person.csv"];
    assert_eq!(header(person)[0], "_dataset");
    let skus: Vec<_> =
        csv(person).iter().map(|r| r["sku"].clone()).filter(|s| !s.is_empty()).collect();
    assert_eq!(skus, ["a", "b", "d"]);
    assert!(!package.contains_key("shop/device.csv"));
    let profile: Value = serde_json::from_str(&package["profile.json"]).unwrap();
    assert_eq!(profile["request"], "r");
    assert_eq!(profile["identities"][0]["value"], "ann@example.com");
    let manifest: Value = serde_json::from_str(&package["manifest.json"]).unwrap();
    assert_eq!(manifest["entries"].as_array().unwrap().len(), package.len() - 1);
    assert!(package["index.html"].contains("shop/person.html"));
}

#[test]
fn linked_rows_that_name_somebody_else_block_the_task() {
    let env = shop();
    env.parquet(
        "lake/orders.parquet",
        vec![
            ("order_id", text(&["o-1", "o-2"])),
            ("customer", text(&["1", "1"])),
            ("email", text(&["ann@example.com", "mallory@example.com"])),
        ],
    );
    env.dataset(
        "orders",
        "  product: shop
  location: lake/orders.parquet
  format: parquet
  fields:
    - {path: order_id, labels: [ACC-ALL]}
    - {path: customer, namespace: customer-id, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL], party: buyer}
    - {path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL], party: other}",
    );
    // With a party of its own the second person is somebody else's business: no conflict.
    let users =
        "    - {key: A, action: [access], userIDs: [{namespace: email, value: ann@example.com}]}";
    ask(&env, users);
    env.plan().exits(0);
    let policy = std::fs::read_to_string(env.path("policies/dataset-orders.yaml")).unwrap();
    env.write(
        "policies/dataset-orders.yaml",
        &policy.replace(", party: other", "").replace(", party: buyer", ""),
    );
    let plan = env.plan().exits(4).json();
    assert_eq!(task(&plan, "A", "access")["reason"], "IdentityConflict");
    assert_eq!(plan["totals"]["blocked"], 1);
    ask(&env, &users.replace("key: A,", "key: A, acceptConflicts: true,"));
    env.plan().exits(0);
}

#[test]
fn only_where_and_include_narrow() {
    let env = Env::new();
    env.parquet(
        "lake/events.parquet",
        vec![
            ("cookie", text(&["c1", "c1", "c1", "c2"])),
            ("os", text(&["ios", "linux", "", "ios"])),
            ("page", text(&["/a", "/b", "/c", "/d"])),
        ],
    );
    env.dataset(
        "events",
        "  product: Web Analytics
  location: lake/events.parquet
  format: parquet
  fields:
    - {path: cookie, namespace: web, labels: [I2, ID-DEVICE, DEL-DEVICE, ACC-ALL]}
    - {path: os, labels: [ACC-ALL], selectable: true}
    - {path: page, labels: [ACC-ALL]}",
    );
    let block = "action: [access], userIDs: [{namespace: web, value: C1}]";
    env.request(
        "r",
        &format!(
            "  regulation: gdpr\n  receivedAt: 2026-11-20\n  include: [web analytics]\n  users:
    - {{key: all, {block}}}
    - {{key: ios, {block}, only: {{where: {{os: ios}}}}}}
    - {{key: none, {block}, only: {{datasets: [nowhere]}}}}"
        ),
    );
    // A dataset that is not there is a mistake of that block alone.
    env.apply().exits(5);
    let pages = |key: &str| -> Vec<String> {
        csv(&env.package("r", key)["Web Analytics/device.csv"])
            .iter()
            .map(|r| r["page"].clone())
            .collect()
    };
    assert_eq!(pages("all"), ["/a", "/b", "/c"]);
    assert_eq!(pages("ios"), ["/a"]);
}

#[test]
fn composites_match_only_where_all_parts_do() {
    let env = Env::new();
    env.parquet(
        "lake/people.parquet",
        vec![
            ("last", text(&["Doe", "Doe", "Roe"])),
            ("birth", text(&["1980-02-29", "1999-01-01", "1980-02-29"])),
            ("note", text(&["x", "y", "z"])),
        ],
    );
    env.dataset(
        "people",
        "  product: crm
  location: lake/people.parquet
  format: parquet
  fields:
    - {path: last, namespace: last-name, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}
    - {path: birth, namespace: birth-date, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL]}
    - {path: note, labels: [ACC-PERSON]}",
    );
    env.request(
        "r",
        "  regulation: gdpr
  receivedAt: 2026-11-20
  include: [crm]
  users:
    - key: A
      action: [access]
      userIDs:
        - allOf: [{namespace: last-name, value: doe}, {namespace: birth-date, value: 1980-02-29}]",
    );
    env.apply().exits(0);
    let rows = csv(&env.package("r", "A")["crm/person.csv"]);
    assert_eq!(rows.iter().map(|r| r["note"].as_str()).collect::<Vec<_>>(), ["x"]);
}

#[test]
fn replicas_are_shown_once_and_ordered_by_time() {
    let env = Env::new();
    let micros = |values: &[i64]| -> crate::support::amparo_arrow::ArrayRef {
        std::sync::Arc::new(arrow::array::TimestampMicrosecondArray::from(values.to_vec()))
    };
    env.parquet(
        "lake/e.parquet",
        vec![
            ("hit", text(&["h1", "h2", "h1", ""])),
            ("ts", micros(&[2_000_000, 1_000_000, 2_000_000, 0])),
            ("who", text(&["p", "p", "p", "p"])),
            ("cell", text(&["=1+1", "-5", "plain", "a,\"b\""])),
        ],
    );
    env.dataset(
        "e",
        "  product: p
  location: lake/e.parquet
  format: parquet
  timestamp: ts
  hitId: hit
  fields:
    - {path: who, namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}
    - {path: cell, labels: [ACC-ALL]}",
    );
    env.ask("r", "p", &[block("A", "access", "who", "P")]);
    env.apply().exits(0);
    let package = env.package("r", "A");
    assert_eq!(
        package["p/person.csv"],
        "_dataset,ts,who,cell\n\
         e,1970-01-01 00:00:00,p,\"a,\"\"b\"\"\"\n\
         e,1970-01-01 00:00:01,p,-5\n\
         e,1970-01-01 00:00:02,p,'=1+1\n"
    );
    let manifest: Value = serde_json::from_str(&package["manifest.json"]).unwrap();
    assert_eq!(manifest["datasets"][0]["personRows"], 3);
    assert_eq!(manifest["datasets"][0]["duplicatesRemoved"], 1);
    assert!(package["p/person.html"].contains("<section data-field=\"cell\""));
    assert!(package["p/person.html"].contains("<td>1970-01-01</td><td>3</td>"));
}

#[test]
fn a_second_pass_does_nothing() {
    let env = shop();
    ask(
        &env,
        "    - {key: A, action: [access], userIDs: [{namespace: email, value: ann@example.com}]}",
    );
    env.apply().exits(0);
    let before = (env.files("state/ledger"), env.files("exports"));
    env.apply().exits(0);
    assert!(before == (env.files("state/ledger"), env.files("exports")), "the second pass wrote");
    let status = env.run(&["status", "-o", "json"]).exits(0).json();
    let done = task(&status, "A", "access");
    assert_eq!(
        (done["phase"].as_str(), done["reason"].as_str()),
        (Some("Complete"), Some("Exported"))
    );
    assert_eq!(done["overdue"], false);
    let history = env.run(&["history", "-o", "json"]).exits(0).json();
    assert_eq!(history["entries"][0]["status"], "Ready");
    env.run(&["verify", "--ledger"]).exits(0);
}

#[test]
fn nothing_found_is_an_outcome_of_its_own() {
    let env = shop();
    ask(
        &env,
        "    - {key: A, action: [access], userIDs: [{namespace: email, value: nobody@example.com}]}",
    );
    let report = env.apply().exits(0).json();
    let done = task(&report, "A", "access");
    assert_eq!(
        (done["phase"].as_str(), done["reason"].as_str()),
        (Some("Complete"), Some("NoMatch"))
    );
    assert!(done["package"].is_null());
    assert!(env.files("exports").is_empty());
}
