//! Packages by signed links.

use std::fs;

use jiff::Span;

use super::support::{Place, at};

const BYTES: &[u8] = b"PK\x03\x04 not quite a zip \0\xff";

#[test]
fn a_link_fetches_its_package_with_the_headers_of_a_private_file() {
    let place = Place::new();
    let package = place.package("2026-11-acme", "GDPR-1236", BYTES);
    let link = package.link();
    assert!(link.starts_with("/packages/2026-11-acme/GDPR-1236.zip?expires=1795424400&digest="));
    let served = place.serve();
    let answer = served.get(&link);
    assert_eq!((answer.code, answer.body.as_slice()), (200, BYTES));
    for (name, value) in [
        ("content-type", "application/zip"),
        ("content-length", &BYTES.len().to_string()),
        ("content-disposition", "attachment; filename=\"2026-11-acme-GDPR-1236.zip\""),
        ("cache-control", "private, no-store"),
        ("x-content-type-options", "nosniff"),
        ("accept-ranges", "none"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
}

#[test]
fn odd_keys_have_links_too() {
    let place = Place::new();
    let keys = ["a b/c", "50% ~ü", "..", "../../etc/passwd", "<script>\"\r\n", &"x".repeat(256)];
    let packages: Vec<_> = keys.iter().map(|key| place.package("r", key, key.as_bytes())).collect();
    let served = place.serve();
    for (key, package) in keys.iter().zip(&packages) {
        let link = package.link();
        let answer = served.get(&link);
        assert_eq!((answer.code, answer.text()), (200, *key), "{link}");
        let disposition = answer.header("content-disposition").unwrap();
        let name = disposition.strip_prefix("attachment; filename=\"").unwrap();
        let name = name.strip_suffix(".zip\"").unwrap();
        assert!(!name.starts_with('.') && name.len() <= 120, "{name}");
        let safe = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        assert!(name.chars().all(safe), "{name}");
    }
}

#[test]
fn an_altered_link_fetches_nothing() {
    let place = Place::new();
    let package = place.package("r", "k%1", BYTES);
    place.package("r", "other", b"somebody else's");
    let link = package.link();
    let served = place.serve();
    assert_eq!(served.get(&link).code, 200);
    let missing = served.get("/packages/r/nothing.zip");
    assert_eq!((missing.code, missing.body.len()), (403, 0));
    // Each character, by another that stands in links.
    for (index, old) in link.char_indices().skip("/packages/".len()) {
        for new in ['0', 'a', '/', '%', '&'] {
            if new == old {
                continue;
            }
            let mut altered = link.clone();
            altered.replace_range(index..=index, &new.to_string());
            let answer = served.get(&altered);
            assert_eq!((answer.code, answer.body.len()), (403, 0), "{altered}");
        }
    }
    let (path, query) = link.split_once('?').unwrap();
    let other_place = link.replace("k%25251.zip", "other.zip");
    let (base, signature) = link.rsplit_once('=').unwrap();
    for altered in [
        path.to_owned(),
        format!("{path}?"),
        format!("{path}?{query}&x=1"),
        format!("{path}?{query}&"),
        format!("{path}?x=1&{query}"),
        format!("{path}?{}", query.replace('&', ";")),
        format!("{path}/?{query}"),
        other_place,
        format!("{base}="),
        base.to_owned(),
        format!("{base}={}", signature.to_uppercase()),
        format!("{base}={}", &signature[..62]),
        format!("{base}={signature}00"),
        link.replace("expires=", "expires=0"),
        link.replace("expires=", "expires=%2B"),
        link.replace("/r/", "/%72/"),
        link.replace("/r/", "//r/"),
        link.replace("/r/", "/./r/"),
        link.replace("/packages/", "/packages/x/../"),
        link.replace("k%25251", "k%251"),
        link.replace("k%25251", "k%2525251"),
        link.replace("k%25251", "%6b%25251"),
    ] {
        assert_ne!(altered, link);
        let answer = served.get(&altered);
        assert_eq!((answer.code, answer.body.len()), (403, 0), "{altered}");
        // Nothing tells it from a package that is not there.
        assert_eq!(answer.undated(), missing.undated(), "{altered}");
    }
}

#[test]
fn no_path_leads_out_and_none_is_listed() {
    let place = Place::new();
    place.package("r", "k", BYTES);
    fs::write(place.dir.path().join("secret.zip"), "secret").unwrap();
    let served = place.serve();
    for path in [
        "/packages",
        "/packages/",
        "/packages/r",
        "/packages/r/",
        "/packages/r/k.zip",
        "/packages/../secret.zip",
        "/packages/r/../../secret.zip",
        "/packages/%2e%2e/secret.zip",
        "/packages/..%2fsecret.zip",
        "/packages/..%252f..%252fsecret.zip",
        "/packages//etc/passwd",
        "/packages/r/k.zip%00",
    ] {
        let answer = served.get(path);
        assert_eq!((answer.code, answer.body.len()), (403, 0), "{path}");
    }
}

#[test]
fn another_deployments_link_is_none() {
    let (place, other) = (Place::new(), Place::new());
    let package = place.package("r", "k", BYTES);
    let stranger = other.package("r", "k", BYTES);
    assert_eq!(package.record.sha256, stranger.record.sha256);
    let served = place.serve();
    assert_eq!(served.get(&stranger.link()).code, 403);
    assert_eq!(served.get(&package.link()).code, 200);
}

#[test]
fn a_link_ends_at_its_second_and_an_altered_one_stays_unknown() {
    let place = Place::new();
    let package = place.package("r", "k", BYTES);
    let until = at("2026-11-22T10:00:00Z");
    let link = package.link_until(until, &package.key);
    assert_eq!(place.serve_at("2026-11-22T09:59:59Z").get(&link).code, 200);
    for now in ["2026-11-22T10:00:00Z", "2026-11-22T10:00:01Z", "2030-01-01T00:00:00Z"] {
        let served = place.serve_at(now);
        let answer = served.get(&link);
        assert_eq!((answer.code, answer.body.len()), (410, 0), "{now}");
        assert_eq!(served.ask("HEAD", &link).code, 410, "{now}");
        let longer = package.link_until(until + Span::new().hours(1), &package.key);
        let altered = link.replace("expires=17", "expires=27");
        assert_ne!((longer.as_str(), altered.as_str()), (link.as_str(), link.as_str()));
        assert_eq!(served.get(&altered).code, 403, "{now}");
    }
}

#[test]
fn a_package_that_is_gone_or_another_is_gone() {
    let place = Place::new();
    let package = place.package("r", "k", BYTES);
    let link = package.link();
    let served = place.serve();
    // Compiled again: the link to the old one is over, the server need not have heard of it.
    let newer = place.package("r", "k", b"other bytes");
    assert_eq!(served.get(&link).code, 410);
    assert_eq!(served.get(&newer.link()).body, b"other bytes");
    // Bytes that are not what was compiled are not sent, of the same length neither.
    fs::write(&newer.record.location, b"OTHER BYTES").unwrap();
    let answer = served.get(&newer.link());
    assert_eq!((answer.code, answer.body.len()), (410, 0));
    fs::remove_file(&newer.record.location).unwrap();
    assert_eq!(served.get(&newer.link()).code, 410);
    // Not even where a link leads to the right bytes.
    let elsewhere = place.dir.path().join("elsewhere");
    fs::write(&elsewhere, b"other bytes").unwrap();
    std::os::unix::fs::symlink(&elsewhere, &newer.record.location).unwrap();
    assert_eq!(served.get(&newer.link()).code, 503);
    let text = served.get("/metrics").text().to_owned();
    assert!(text.contains("amparo_downloads_total{result=\"Gone\"} 3\n"), "{text}");
}

#[test]
fn a_package_of_an_earlier_exports_directory_is_found_where_it_was_recorded() {
    let place = Place::new();
    let link = place.package("r", "k", BYTES).link();
    let board =
        crate::reconcile::Board::new(crate::reconcile::Clock::Fixed(at(super::support::NOW)));
    let mut ledger = place.ledger();
    ledger.exports = place.dir.path().join("moved").to_str().unwrap().to_owned();
    board.know(ledger);
    let served = super::support::served(board);
    assert_eq!(served.get(&link).body, BYTES);
}

#[test]
fn without_the_deployment_key_no_link_holds() {
    let place = Place::new();
    let link = place.package("r", "k", BYTES).link();
    let served = place.serve();
    fs::remove_file(place.dir.path().join("state/keys/deployment")).unwrap();
    assert_eq!(served.get(&link).code, 403);
}
