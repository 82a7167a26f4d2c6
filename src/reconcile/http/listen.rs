//! Takes connections, one request each, within bounds.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::patient::Patient;

/// Connections at a time; more wait to be taken.
const CONNECTIONS: usize = 64;

/// How long a client may take to send its request's headers.
const HEADERS: Duration = Duration::from_secs(10);

/// How many headers a request may have, and how many bytes with its first line.
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 8 << 10;

/// How long requests in work may take once the daemon ends.
const DRAIN: Duration = Duration::from_secs(3);

/// Serves until told to stop.
pub(super) async fn serve(
    listener: std::net::TcpListener,
    app: Router,
    mut stop: watch::Receiver<bool>,
) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "the HTTP endpoints cannot listen");
            return;
        }
    };
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        let taken = tokio::select! {
            () = told(&mut stop) => break,
            taken = take(&listener, &places) => taken,
        };
        match taken {
            Some((stream, place)) => {
                let (app, stop) = (app.clone(), stop.clone());
                open.spawn(async move {
                    answer(stream, app, stop).await;
                    drop(place);
                });
            }
            // No more file descriptors, for instance: others will end.
            None => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    drop(listener);
    let ended = async { while open.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(DRAIN, ended).await;
}

async fn told(stop: &mut watch::Receiver<bool>) {
    // An error: nobody is left to say so.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn take(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    let (stream, _) = listener.accept().await.ok()?;
    Some((stream, place))
}

/// One request, one answer.
async fn answer(stream: TcpStream, app: Router, mut stop: watch::Receiver<bool>) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEADER_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(Patient::new(stream)), TowerToHyperService::new(app));
    let mut connection = pin!(connection);
    // What goes wrong here is the client's: it went away, or sent no HTTP.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = told(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
