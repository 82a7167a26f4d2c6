//! Packages, by signed links only.
//!
//! Guarantees: without a link that the deployment key signed nothing is looked up, so that nobody learns
//! what exists; what is sent is, byte for byte, the package that the link was made for: its digest is
//! compared before the first byte goes out.

use std::fs::File;
use std::io::{self, Read};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::task::spawn_blocking;

use super::routes::Site;
use crate::reconcile::LedgerNow;
use crate::reconcile::board::Board;
use crate::reconcile::link::{Link, place};
use crate::reconcile::meters::Download;
use crate::store::{Exports, StoreError};

/// Bytes read, and sent, at a time.
const CHUNK: usize = 256 << 10;

/// What a request for a package comes to.
enum Found {
    Package {
        file: File,
        bytes: u64,
        place: String,
    },
    Gone,
    NoLink,
    /// The ledger is not known yet.
    Unknown,
}

/// `/packages/…`.
pub(super) async fn package(State(site): State<Site>, uri: Uri) -> Response {
    let board = site.board.clone();
    let Ok(turn) = site.checks.clone().acquire_owned().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let found = spawn_blocking(move || {
        let found = find(&board, &uri);
        drop(turn);
        found
    });
    let (download, response) = match found.await {
        Ok(Ok(Found::Package { file, bytes, place })) => {
            tracing::info!(package = %place, bytes, "sending a package");
            (Download::Sent, sent(file, bytes, &place))
        }
        Ok(Ok(Found::Gone)) => (Download::Gone, StatusCode::GONE.into_response()),
        Ok(Ok(Found::NoLink)) => (Download::Refused, StatusCode::FORBIDDEN.into_response()),
        Ok(Ok(Found::Unknown)) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Ok(Err(error)) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "a package cannot be read");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        Err(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    site.board.meters().downloaded(download);
    response
}

fn find(board: &Board, uri: &Uri) -> Result<Found, StoreError> {
    let Some(ledger) = board.ledger() else { return Ok(Found::Unknown) };
    let Some(key) = ledger.state.deployment_key()? else { return Ok(Found::NoLink) };
    let Some(link) = Link::of(uri.path(), uri.query().unwrap_or_default(), &key) else {
        return Ok(Found::NoLink);
    };
    if link.expires_at <= board.clock().now() {
        return Ok(Found::Gone);
    }
    let exports = Exports::open(&ledger.exports, ".".as_ref())?;
    let Some((file, content)) = exports.open_package(&location(&ledger, &exports, &link))? else {
        return Ok(Found::Gone);
    };
    if content.sha256 != link.sha256 {
        tracing::warn!(package = %link.place, "the package is not the one that a link was made for");
        return Ok(Found::Gone);
    }
    Ok(Found::Package { file, bytes: content.bytes, place: link.place })
}

/// Where the package lies: as recorded, for EXPORTS may have been another place then; else, for a
/// package that is newer than what we know of the ledger, in today's EXPORTS.
fn location(ledger: &LedgerNow, exports: &Exports, link: &Link) -> String {
    let recorded = ledger.view.packages.iter().find(|(location, (_, package))| {
        package.sha256 == link.sha256 && place(location) == Some(&link.place)
    });
    match recorded {
        Some((location, _)) => location.clone(),
        None => exports.location_of(&link.place),
    }
}

fn sent(file: File, bytes: u64, place: &str) -> Response {
    let mut response = Response::new(chunks(file, bytes));
    let headers = response.headers_mut();
    let (name, kind) = download(place);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_LENGTH, bytes.into());
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
    let disposition = format!("attachment; filename=\"{name}\"");
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// The bytes that were checked, and no more; a file that ends early breaks the answer off.
fn chunks(file: File, bytes: u64) -> Body {
    Body::from_stream(stream::try_unfold((file, bytes), async |(mut file, left)| {
        if left == 0 {
            return Ok(None);
        }
        let read = spawn_blocking(move || {
            let mut chunk = vec![0; usize::try_from(left).unwrap_or(CHUNK).min(CHUNK)];
            file.read_exact(&mut chunk).map(|()| (file, chunk))
        });
        let (file, chunk) = read.await.map_err(io::Error::other)??;
        let left = left.saturating_sub(chunk.len() as u64);
        Ok::<_, io::Error>(Some((Bytes::from(chunk), (file, left))))
    }))
}

/// A name for the file that no system trips over, `request-key.zip`, and what kind of file it is.
fn download(place: &str) -> (String, &'static str) {
    let (stem, ending, kind) = match place.strip_suffix(".zip.age") {
        Some(stem) => (stem, ".zip.age", "application/octet-stream"),
        None => (place.strip_suffix(".zip").unwrap_or(place), ".zip", "application/zip"),
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let name: String = stem.chars().map(plain).take(120).collect();
    (format!("{}{ending}", name.trim_start_matches(['.', '-'])), kind)
}

#[cfg(test)]
mod tests {
    use super::download;

    #[test]
    fn encrypted_packages_keep_their_ending_and_are_no_archives() {
        let (zip, age) = ("application/zip", "application/octet-stream");
        for (place, name, kind) in [
            ("r/k.zip", "r-k.zip", zip),
            ("r/k.zip.age", "r-k.zip.age", age),
            ("r/..%2Fk.zip.zip", "r-..-2Fk.zip.zip", zip),
        ] {
            assert_eq!(download(place), (name.to_owned(), kind));
        }
    }
}
