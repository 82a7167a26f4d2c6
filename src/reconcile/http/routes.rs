//! Which path answers what, and what every answer says of itself.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use tokio::sync::Semaphore;

use super::{health, hosts, packages, page};
use crate::reconcile::board::{Activity, Board};

/// Packages that are read through at a time, to compare their digests.
const CHECKS: usize = 4;

/// What handlers need.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) board: Board,
    hosts: Arc<[String]>,
    pub(super) checks: Arc<Semaphore>,
}

/// All endpoints.
pub(super) fn app(board: Board, hosts: &[String]) -> Router {
    let checks = Arc::new(Semaphore::new(CHECKS));
    let site = Site { board, hosts: hosts.into(), checks };
    // What shows more than a word is for browsers that called us by our name.
    let shown = Router::new()
        .route("/", get(async || Redirect::permanent("/status")))
        .route("/metrics", get(metrics))
        .route("/status", get(status))
        .route_layer(middleware::from_fn_with_state(site.clone(), called_by_name));
    // A link says itself who may use it.
    let packages = Router::new()
        .route("/packages", get(packages::package))
        .route("/packages/", get(packages::package))
        .route("/packages/{*rest}", get(packages::package));
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .merge(shown)
        .merge(packages)
        .layer(middleware::map_response(guarded))
        .with_state(site)
}

async fn called_by_name(State(site): State<Site>, request: Request, next: Next) -> Response {
    if hosts::is_ours(request.uri(), request.headers(), &site.hosts) {
        next.run(request).await
    } else {
        StatusCode::MISDIRECTED_REQUEST.into_response()
    }
}

/// Nothing is kept, guessed, framed, run or told to others.
async fn guarded(mut response: Response<Body>) -> Response<Body> {
    const HEADERS: [(HeaderName, &str); 6] = [
        (header::CACHE_CONTROL, "private, no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'",
        ),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn healthz(State(site): State<Site>) -> Response {
    word(health::dead(&site.board))
}

async fn readyz(State(site): State<Site>) -> Response {
    // A disk that hangs must not hang the other endpoints.
    let unready = tokio::task::spawn_blocking(move || health::unready(&site.board)).await;
    word(unready.unwrap_or(Some("failed")))
}

fn word(trouble: Option<&'static str>) -> Response {
    match trouble {
        None => (StatusCode::OK, "ok\n").into_response(),
        Some(word) => (StatusCode::SERVICE_UNAVAILABLE, format!("{word}\n")).into_response(),
    }
}

async fn metrics(State(site): State<Site>) -> Response {
    let running = match site.board.activity() {
        Activity::Passing(since) => Some(since.elapsed()),
        _ => None,
    };
    let text = site.board.meters().render(site.board.clock().now(), running);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

async fn status(State(site): State<Site>) -> Response {
    let rendered = tokio::task::spawn_blocking(move || page::render(&site.board)).await;
    match rendered {
        Ok(Some(page)) => {
            ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
