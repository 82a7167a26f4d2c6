//! Which files a package holds, their columns, their order, and what is counted.

use serde_json::{Value, json};

use super::support::*;
use crate::model::LeafType::Text;
use crate::plan::Reach;

/// Two datasets of one product that share `email` and differ in the rest, and one of another.
fn lake() -> Lake {
    let web = Table {
        product: "Analytics",
        timestamp: Some(2),
        hit_id: Some(3),
        fields: vec![(0, false), (1, true)],
        ..Table::new(
            "web",
            vec![
                (leaf("email", Text, &[]), texts(&[Some("a@x"), Some("a@x"), None, Some("")])),
                (leaf("page", Text, &[]), texts(&[Some("/1"), Some("/2"), Some("/1"), None])),
                (leaf("ts", TS, &[]), instants(&[Some(3_000_000), Some(1_500_000), None, Some(0)])),
                (leaf("hit", Text, &[]), texts(&[Some("h1"), Some("h2"), Some("h1"), None])),
            ],
        )
    };
    let app = Table {
        timestamp: Some(0),
        ..Table::new(
            "app",
            vec![
                (leaf("at", TS, &[]), instants(&[Some(2_000_000), Some(86_400_000_000)])),
                (leaf("os", Text, &[]), texts(&[Some("iOS"), Some("iOS")])),
                (leaf("email", Text, &[]), texts(&[Some("b@x"), None])),
            ],
        )
    };
    let shop = Table {
        product: "Shop 1",
        ..Table::new("shop", vec![(leaf("x", Text, &[]), texts(&[None]))])
    };
    Lake::new(vec![app, shop, web])
}

fn work(lake: &Lake) -> Vec<crate::plan::AccessDataset> {
    let row = |row, person| (0, row, person, Vec::new());
    vec![
        lake.tables[0].part(vec![row(0, true), row(1, false)]),
        lake.tables[1].part(vec![row(0, false)]),
        lake.tables[2].part(vec![row(0, false), row(1, true), row(2, true), row(3, true)]),
    ]
}

#[test]
fn columns_are_the_union_and_rows_stand_by_time() {
    let mut lake = lake();
    let work = work(&lake);
    let (report, entries) = package(&mut lake, work);
    // `ts` of web is listed nowhere: it comes right after `_dataset`; `at` is a field of app.
    assert_eq!(
        entries["analytics/person.csv"],
        "_dataset,ts,at,os,email,page\n\
         web,1970-01-01 00:00:00,,,\"\",\n\
         web,1970-01-01 00:00:01,,,a@x,/2\n\
         app,,1970-01-01 00:00:02,iOS,b@x,\n\
         web,,,,,/1\n"
    );
    // The device row of web is a copy (h1) of its person row: so web's columns are absent.
    assert_eq!(
        entries["analytics/device.csv"],
        "_dataset,at,os,email\napp,1970-01-02 00:00:00,iOS,\n"
    );
    assert_eq!(entries["Shop 1/device.csv"], "_dataset,x\nshop,\n");
    let paths: Vec<_> = entries.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "Shop 1/device.csv",
            "Shop 1/device.html",
            "analytics/device.csv",
            "analytics/device.html",
            "analytics/person.csv",
            "analytics/person.html",
            "index.html",
            "manifest.json",
            "profile.json"
        ]
    );
    assert_eq!((report.rows, report.duplicates_removed), (6, 1));
}

#[test]
fn fields_for_persons_only_are_absent_from_device_files() {
    let lake = lake();
    let row = |row, person| (0, row, person, Vec::new());
    let work = vec![lake.tables[2].part(vec![row(1, false), row(3, true)])];
    let (_, entries) = package(&mut { lake }, work);
    assert_eq!(entries["Analytics/device.csv"], "_dataset,ts,page\nweb,1970-01-01 00:00:01,/2\n");
    let profile: Value = serde_json::from_str(&entries["profile.json"]).unwrap();
    let rows = &profile["datasets"][0];
    assert_eq!(rows["device"], json!([{"ts": "1970-01-01T00:00:01.500Z", "page": "/2"}]));
    assert_eq!(rows["person"], json!([{"ts": "1970-01-01T00:00:00Z", "email": "", "page": null}]));
    let fields = |page: &str| summary(page).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    assert_eq!(fields(&entries["Analytics/device.html"]), ["ts", "page"]);
    assert_eq!(fields(&entries["Analytics/person.html"]), ["ts", "email", "page"]);
}

#[test]
fn summaries_count_values_by_day_and_most_frequent_first() {
    let (_, entries) = package(&mut lake(), work(&lake()));
    let page = summary(&entries["analytics/person.html"]);
    let expected: Vec<(String, Vec<(String, u64)>)> = [
        ("ts", vec![("1970-01-01", 2)]),
        ("at", vec![("1970-01-01", 1)]),
        ("os", vec![("iOS", 1)]),
        ("email", vec![("", 1), ("a@x", 1), ("b@x", 1)]),
        ("page", vec![("/1", 1), ("/2", 1)]),
    ]
    .into_iter()
    .map(|(path, values)| {
        (path.to_owned(), values.into_iter().map(|(v, n)| (v.to_owned(), n)).collect())
    })
    .collect();
    assert_eq!(page, expected);
}

#[test]
fn the_manifest_lists_every_entry_but_itself() {
    use sha2::{Digest, Sha256};
    let mut lake = lake();
    let work = work(&lake);
    let (_, entries) = package(&mut lake, work);
    let manifest: Value = serde_json::from_str(&entries["manifest.json"]).unwrap();
    let listed = manifest["entries"].as_array().unwrap();
    assert_eq!(listed.len(), entries.len() - 1);
    for entry in listed {
        let content = &entries[entry["path"].as_str().unwrap()];
        assert_eq!(entry["bytes"], content.len());
        let digest: String =
            Sha256::digest(content.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(entry["sha256"], digest);
    }
    let rows = |path: &str| {
        listed.iter().find(|entry| entry["path"] == path).map(|entry| entry["rows"].clone())
    };
    assert_eq!(rows("analytics/person.csv"), Some(json!(4)));
    assert_eq!(rows("profile.json"), Some(json!(6)));
    assert_eq!(
        manifest["datasets"],
        json!([
            {"dataset": "app", "personRows": 1, "deviceRows": 1, "duplicatesRemoved": 0},
            {"dataset": "shop", "personRows": 0, "deviceRows": 1, "duplicatesRemoved": 0},
            {"dataset": "web", "personRows": 3, "deviceRows": 0, "duplicatesRemoved": 1},
        ])
    );
    assert_eq!(manifest["formatVersion"], "1.0");
    assert_eq!(manifest["action"], "access");
    assert_eq!(manifest["regulation"], "gdpr");
    assert_eq!(manifest["receivedAt"], "2026-11-20T00:00:00Z");
    assert_eq!(manifest["expiresAt"], "2026-12-05T14:05:09Z");
}

#[test]
fn the_profile_names_the_identities_as_asked_for() {
    let mut lake = lake();
    let work = work(&lake);
    let (_, entries) = package(&mut lake, work);
    let profile: Value = serde_json::from_str(&entries["profile.json"]).unwrap();
    assert_eq!(
        profile["identities"],
        json!([
            {"namespace": "email address", "value": "John@Mail.com"},
            {"allOf": [{"namespace": "last-name", "value": "Doe"}, {"namespace": "city", "value": "Ulm"}]},
        ])
    );
    let keys: Vec<_> = profile.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["request", "key", "regulation", "compiledAt", "identities", "datasets"]);
    let web = &profile["datasets"][2];
    assert_eq!((&web["product"], &web["source"]), (&json!("Analytics"), &json!("web source")));
    let times: Vec<_> =
        web["person"].as_array().unwrap().iter().map(|row| row["ts"].clone()).collect();
    assert_eq!(
        times,
        [json!("1970-01-01T00:00:00Z"), json!("1970-01-01T00:00:01.500Z"), Value::Null]
    );
}

#[test]
fn products_that_differ_in_case_share_a_directory_and_their_hit_ids() {
    let table = |name, product| Table {
        product,
        hit_id: Some(0),
        ..Table::new(name, vec![(leaf("h", Text, &[]), texts(&[Some("1"), Some("2")]))])
    };
    let lake = Lake::new(vec![table("a", "CRM"), table("b", "crm")]);
    let work = lake.tables.iter().map(Table::all).collect();
    let (report, entries) = package(&mut { lake }, work);
    assert_eq!(entries["CRM/person.csv"], "_dataset,h\na,1\na,2\n");
    assert_eq!(report.duplicates_removed, 2);
    assert_eq!(report.datasets[1].duplicates_removed, 2);
    assert_eq!(entries.len(), 5);
}

#[test]
fn a_product_cannot_take_the_place_of_a_file() {
    let mut table = Table::new("a", vec![(leaf("x", Text, &[]), texts(&[Some("1")]))]);
    table.product = "Index.html";
    let entries = package_of(table);
    assert!(entries.contains_key("Index.html_/person.csv"));
    assert!(entries["index.html"].contains("href=\"Index.html_/person.csv\""));
}

#[test]
fn elements_of_others_are_left_out_and_the_rest_stays_together() {
    use arrow::array::{Int64Builder, ListBuilder, StringBuilder};
    let mut sku = ListBuilder::new(StringBuilder::new());
    let mut qty = ListBuilder::new(Int64Builder::new());
    let mut note = ListBuilder::new(StringBuilder::new());
    for _ in 0..3 {
        sku.append_value([Some("a"), Some("b"), None]);
        qty.append_value([Some(1), Some(2), Some(3)]);
        note.append_value([Some("x"), Some("y"), Some("z")]);
    }
    let table = Table::new(
        "orders",
        vec![
            (leaf("items.sku", Text, &[1]), std::sync::Arc::new(sku.finish())),
            (
                leaf("items.qty", crate::model::LeafType::Int { bits: 64, signed: true }, &[1]),
                std::sync::Arc::new(qty.finish()),
            ),
            (leaf("items.note", Text, &[1]), std::sync::Arc::new(note.finish())),
            (leaf("id", Text, &[]), texts(&[Some("1"), Some("2"), Some("3")])),
        ],
    );
    let only = |index: u32| Reach::Within(vec![Box::from([index])]);
    let hidden = Reach::Within(Vec::new());
    let work = vec![table.part(vec![
        (0, 0, true, vec![]),
        (0, 1, true, vec![(0, only(1)), (1, only(1)), (2, only(1))]),
        // `elements: all` on the note; the id is another party's.
        (0, 2, true, vec![(0, only(2)), (1, only(2)), (3, hidden)]),
    ])];
    let (_, entries) = package(&mut Lake::new(vec![table]), work);
    assert_eq!(
        entries["analytics/person.csv"],
        "_dataset,items.sku,items.qty,items.note,id\n\
         orders,\"[\"\"a\"\",\"\"b\"\",null]\",\"[1,2,3]\",\"[\"\"x\"\",\"\"y\"\",\"\"z\"\"]\",1\n\
         orders,\"[\"\"b\"\"]\",[2],\"[\"\"y\"\"]\",2\n\
         orders,[null],[3],\"[\"\"x\"\",\"\"y\"\",\"\"z\"\"]\",\n"
    );
    let profile: Value = serde_json::from_str(&entries["profile.json"]).unwrap();
    assert_eq!(
        profile["datasets"][0]["person"],
        json!([
            {"items": [{"sku": "a", "qty": 1, "note": "x"}, {"sku": "b", "qty": 2, "note": "y"},
                       {"sku": null, "qty": 3, "note": "z"}], "id": "1"},
            {"items": [{"sku": "b", "qty": 2, "note": "y"}], "id": "2"},
            {"items": [{"note": "x"}, {"note": "y"}, {"sku": null, "qty": 3, "note": "z"}]},
        ])
    );
    let page = summary(&entries["analytics/person.html"]);
    let of = |values: &[(&str, u64)]| -> Vec<(String, u64)> {
        values.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect()
    };
    assert_eq!(page[0].1, of(&[("b", 2), ("a", 1)]));
    assert_eq!(page[1].1, of(&[("2", 2), ("3", 2), ("1", 1)]));
    assert_eq!(page[3].1, of(&[("1", 1), ("2", 1)]));
}
