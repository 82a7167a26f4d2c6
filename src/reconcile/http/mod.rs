//! The daemon's HTTP endpoints: `/healthz`, `/readyz`, `/metrics`, `/status`, and packages by signed
//! links (docs/operations.md).
//!
//! Guarantees: they only read; a slow or silent client holds one of a few connections for a bounded
//! time, and never a pass; no request is logged, so no link is.
//! Assumptions: whoever can reach the port may read `/status` and `/metrics`: it listens where the
//! operator said, and does no TLS. A proxy before it does both better.

mod health;
mod hosts;
mod listen;
mod packages;
mod page;
mod patient;
mod routes;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::Board;

/// Why the endpoints cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nothing can listen there.
    #[error("cannot listen on {address}")]
    Bind {
        /// As the user wrote it.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No thread, or no event loop for it.
    #[error("cannot start the HTTP endpoints")]
    Start(#[source] io::Error),
}

/// The endpoints, listening. They end with [`Server::stop`], or when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on `address` (`HOST:PORT`; port 0: any free one). `hosts` are the names, besides
    /// `localhost` and addresses, by which a browser may call it.
    ///
    /// # Errors
    /// [`HttpError`].
    pub fn start(address: &str, hosts: &[String], board: Board) -> Result<Self, HttpError> {
        let bind = |source| HttpError::Bind { address: address.to_owned(), source };
        let listener = TcpListener::bind(address).map_err(bind)?;
        listener.set_nonblocking(true).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(8)
            .thread_name("http-files")
            .build()
            .map_err(HttpError::Start)?;
        let (stop, stopping) = watch::channel(false);
        let app = routes::app(board, hosts);
        let thread = std::thread::Builder::new()
            .name("http".to_owned())
            .spawn(move || {
                runtime.block_on(listen::serve(listener, app, stopping));
                // A package that is read through for its digest must not hold up the daemon's end.
                runtime.shutdown_background();
            })
            .map_err(HttpError::Start)?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, and gives those in work a few seconds to end.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
