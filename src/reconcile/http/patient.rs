//! A connection whose patience with a reader that does not read has an end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How long the other side may take no byte at all.
const STALL: Duration = Duration::from_secs(30);

/// Writes fail once nothing could be written for a while. Reads wait: hyper watches over them.
pub(super) struct Patient<T> {
    stream: T,
    stall: Duration,
    end: Pin<Box<Sleep>>,
    stalled: bool,
}

impl<T> Patient<T> {
    pub(super) fn new(stream: T) -> Self {
        Self::bearing(stream, STALL)
    }

    fn bearing(stream: T, stall: Duration) -> Self {
        Self { stream, stall, end: Box::pin(sleep(stall)), stalled: false }
    }

    fn bounded<R>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if result.is_ready() {
            self.stalled = false;
            return result;
        }
        if !self.stalled {
            self.stalled = true;
            let end = Instant::now() + self.stall;
            self.end.as_mut().reset(end);
        }
        ready!(self.end.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Patient<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Patient<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.bounded(cx, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.bounded(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.bounded(cx, result)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[test]
    fn a_reader_that_does_not_read_is_given_up() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (here, mut there) = tokio::io::duplex(16);
            let mut here = Patient::bearing(here, Duration::from_millis(1));
            let error = here.write_all(&[7; 17]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            // One that was given up and reads after all goes on.
            there.read_exact(&mut [0; 16]).await.unwrap();
            here.write_all(&[7; 16]).await.unwrap();
        });
    }

    #[test]
    fn a_slow_reader_gets_everything() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (here, mut there) = tokio::io::duplex(1);
            let mut here = Patient::bearing(here, STALL);
            let reader = tokio::spawn(async move {
                let mut all = Vec::new();
                there.read_to_end(&mut all).await.unwrap();
                all
            });
            here.write_all(&[7; 1_000]).await.unwrap();
            drop(here);
            assert_eq!(reader.await.unwrap(), [7; 1_000]);
        });
    }
}
