//! Bounds, and the end.

use std::io::Write;
use std::net::TcpStream;

use super::support::{Place, send, served};
use crate::reconcile::{Board, Clock};

#[test]
fn what_is_too_large_or_no_http_is_refused() {
    let served = served(Board::new(Clock::System));
    let address = served.server.address();
    let large = format!("GET /healthz HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(16 << 10));
    assert_eq!(send(address, &large).unwrap().code, 431);
    let many = format!("GET /healthz HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(100));
    assert_eq!(send(address, &many).unwrap().code, 431);
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100 << 10));
    assert!(send(address, &long).is_none_or(|answer| matches!(answer.code, 414 | 431)));
    for nonsense in ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"] {
        assert_eq!(send(address, nonsense).unwrap().code, 400, "{nonsense}");
    }
    // A body is never waited for, and not read.
    let body = "GET /healthz HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\nabc";
    assert_eq!(send(address, body).unwrap().code, 200);
    assert_eq!(served.get("/healthz").code, 200);
}

#[test]
fn one_connection_answers_one_request() {
    let served = served(Board::new(Clock::System));
    let twice = "GET /healthz HTTP/1.1\r\n\r\n".repeat(2);
    assert_eq!(send(served.server.address(), &twice).unwrap().body, b"ok\n");
}

#[test]
fn silent_clients_do_not_keep_it_from_ending() {
    let served = served(Board::new(Clock::System));
    let address = served.server.address();
    let mut silent = Vec::new();
    for _ in 0..10 {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /healthz HT").unwrap();
        silent.push(stream);
    }
    assert_eq!(served.get("/healthz").code, 200);
    served.server.stop();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn many_ask_at_once() {
    let place = Place::new();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let link = place.package("r", "k", &bytes).link();
    let served = place.serve();
    std::thread::scope(|scope| {
        for n in 0..24 {
            let (served, link, bytes) = (&served, &link, &bytes);
            scope.spawn(move || match n % 4 {
                0 => assert!(served.get(link).body == *bytes),
                1 => assert_eq!(served.get("/packages/r/k.zip").code, 403),
                2 => assert_eq!(served.get("/status").code, 200),
                _ => assert_eq!(served.get("/metrics").code, 200),
            });
        }
    });
    let metrics = served.get("/metrics");
    assert!(metrics.text().contains("amparo_downloads_total{result=\"Sent\"} 6\n"));
    assert!(metrics.text().contains("amparo_downloads_total{result=\"Refused\"} 6\n"));
}
