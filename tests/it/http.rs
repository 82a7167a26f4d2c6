//! The daemon's endpoints, and the links to packages: the real binary, a plain client, a browser.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use crate::others::{browse, in_path};
use crate::support::{Env, PATIENCE, block, text, until};

/// A daemon that listens on a free port.
struct Daemon {
    child: Child,
    address: String,
}

impl Daemon {
    /// Starts it, and waits until its first pass is done.
    fn start(env: &Env) -> Self {
        let mut child = env
            .command(&["watch", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("it ended before it listened").unwrap();
            if let Some(address) = line.strip_prefix("listening on http://") {
                break address.to_owned();
            }
        };
        // Nobody may block on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let daemon = Self { child, address };
        until("its first pass ends", || daemon.get("/readyz").code == 200);
        daemon
    }

    fn get(&self, path: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(all[..end].to_vec()).unwrap();
        let code = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { code, body: all[end + 4..].to_vec() }
    }

    fn terminate(mut self) -> i32 {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug)]
struct Answer {
    code: u16,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

const PLANTED: [&str; 3] = ["planted.person@example.com", "planted-cell-value", "planted-other"];

fn lake() -> Env {
    let env = Env::new();
    env.parquet(
        "lake/e.parquet",
        vec![
            ("email", text(&[PLANTED[0], "x@example.com"])),
            ("cell", text(&[PLANTED[1], PLANTED[2]])),
        ],
    );
    env.table(
        "e",
        "lake/e.parquet",
        &[
            "path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]",
            "path: cell, labels: [I2, DEL-PERSON, ACC-ALL]",
        ],
    );
    env
}

fn asks(key: &str, actions: &str, email: &str) -> String {
    block(key, actions, "email", email)
}

#[test]
fn a_daemon_shows_what_it_did_and_hands_out_what_it_made() {
    let env = lake();
    env.ask(
        "r",
        "e",
        &[
            asks("CASE-1", "access, delete", PLANTED[0]),
            asks("CASE-2", "access", "nobody@example.com"),
        ],
    );
    let daemon = Daemon::start(&env);
    let metrics = daemon.get("/metrics").text();
    for line in [
        "amparo_rows_erased_total 1",
        "amparo_cells_erased_total 2",
        "amparo_tasks{phase=\"Complete\"} 3",
        "amparo_requests{phase=\"Complete\"} 1",
        "amparo_packages{state=\"live\"} 1",
        "amparo_passes_total{result=\"Done\"} 1",
        "amparo_tasks_overdue 0",
        "amparo_next_due_seconds inf",
    ] {
        assert!(metrics.lines().any(|known| known == line), "{line}\n{metrics}");
    }
    let counted = |name: &str| -> f64 {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse().unwrap()
    };
    assert!(counted("amparo_bytes_copied_total ") > 0.0, "{metrics}");
    assert!(counted("amparo_bytes_reencoded_total ") > 0.0, "{metrics}");

    let status = daemon.get("/status").text();
    assert!(status.contains("<bdi>CASE-1</bdi>") && status.contains("Ready"), "{status}");
    for (what, page) in [("metrics", metrics), ("status", status)] {
        for planted in PLANTED {
            assert!(!page.contains(planted), "{what} holds a planted value:\n{page}");
        }
    }

    let base = format!("http://{}", daemon.address);
    let link = env.run(&["link", "r/CASE-1", "--base-url", &base]).exits(0).stdout;
    let path = link.trim_end().strip_prefix(&base).unwrap();
    let fetched = daemon.get(path);
    assert_eq!(fetched.code, 200);
    assert!(fetched.body == std::fs::read(env.path("exports/r/CASE-1.zip")).unwrap());
    let altered = path.replace("signature=", "signature=0");
    assert_eq!(daemon.get(&altered).code, 403);
    assert_eq!(daemon.get("/packages/r/CASE-1.zip").code, 403);

    // A stranger's link to the same place.
    let other = lake();
    other.ask("r", "e", &[asks("CASE-1", "access", PLANTED[0])]);
    other.apply().exits(0);
    let link = other.run(&["link", "r/CASE-1", "--base-url", &base]).exits(0).stdout;
    assert_eq!(daemon.get(link.trim_end().strip_prefix(&base).unwrap()).code, 403);

    std::fs::remove_file(env.path("exports/r/CASE-1.zip")).unwrap();
    assert_eq!(daemon.get(path).code, 410);
    assert_eq!(daemon.terminate(), 143);
}

#[test]
fn a_browser_shows_the_status_of_hostile_requests_as_text() {
    let Some(browser) = in_path("chromium") else {
        println!("skipped: no chromium on this machine");
        return;
    };
    let env = lake();
    let keys = [
        "\"<script>document.title='owned'</script>\"".to_owned(),
        "\"<img src=x onerror=\\\"document.title='owned'\\\">\"".to_owned(),
        "\"\\u202Egnp.exe\"".to_owned(),
        "طلب-١٢".to_owned(),
        "x".repeat(256),
        "</style></head><body>".to_owned(),
    ];
    let blocks: Vec<_> = keys.iter().map(|key| asks(key, "delete", PLANTED[0])).collect();
    let held = "  {datasets: [e], until: 2027-01-01, reason: \"</td><script>document.title='owned'</script>\"}";
    env.document("policies", "Hold", "court", held);
    env.ask("r", "e", &blocks);
    let daemon = Daemon::start(&env);
    let url = format!("http://{}/status", daemon.address);
    let page = browse(&browser, &env, &["--virtual-time-budget=2000", "--dump-dom", &url]);
    assert!(page.contains("<title>amparo status</title>"), "{page}");
    for markup in ["<script", "<img", "owned</title>"] {
        assert!(!page.contains(markup), "{markup} in {page}");
    }
    for shown in [
        "<bdi>&lt;script&gt;document.title='owned'&lt;/script&gt;</bdi>",
        "<bdi>\\u{202e}gnp.exe</bdi>",
        "<bdi>طلب-١٢</bdi>",
        "Blocked (Held)",
        "6 open",
        "lang=\"en\"",
    ] {
        assert!(page.contains(shown), "{shown} not in {page}");
    }
    assert_eq!(page.matches("<caption>").count(), page.matches("<table ").count());
}

#[test]
fn what_cannot_be_listened_on_ends_the_daemon_at_once() {
    let env = lake();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let run = env.run(&["watch", "--listen", &address]).exits(1);
    assert!(run.stderr.contains(&format!("cannot listen on {address}: Address")), "{}", run.stderr);
    assert!(run.stderr.contains("help:"), "{}", run.stderr);
    assert!(!env.path("state").exists(), "it had begun to work");
    for wrong in ["9464", ":9464", "127.0.0.1:x", "127.0.0.1:99999", "127.0.0.1"] {
        env.run(&["watch", "--listen", wrong]).exits(64);
    }
    env.run(&["watch", "--allow-host", "x"]).exits(64);
}

#[test]
fn links_are_made_for_packages_that_are_there() {
    let env = lake();
    env.ask(
        "r",
        "e",
        &[
            asks("CASE-1", "access", PLANTED[0]),
            asks("CASE-2", "access", "nobody@example.com"),
            asks("CASE-3", "delete", "nobody@example.com"),
            asks("\"a b/c\"", "access", PLANTED[0]),
        ],
    );
    let mut told = String::new();
    let mut tell = |args: &[&str]| {
        let run = env.run(args).transcript();
        told.push_str(&format!("$ amparo {}\n{run}\n", args.join(" ")));
    };
    tell(&["link", "r/CASE-1"]);
    env.apply().exits(0);
    tell(&["link", "r/CASE-1"]);
    tell(&["link", "r/a b/c", "--base-url", "https://privacy.example.com/dsr/"]);
    tell(&["link", "r/CASE-1", "--for", "2h", "-o", "json"]);
    tell(&["link", "r/CASE-1", "--for", "90d", "--base-url", "http://privacy.example.com"]);
    tell(&["link", "r/CASE-2"]);
    tell(&["link", "r/CASE-3"]);
    tell(&["link", "r/CASE-4"]);
    tell(&["link", "r"]);
    tell(&["link", "r/CASE-1", "--for", "0s"]);
    tell(&["link", "r/CASE-1", "--base-url", "privacy.example.com"]);
    tell(&["link", "r/CASE-1", "--base-url", "https://x/?q"]);
    tell(&["link", "r/CASE-1", "--now", "2026-12-06T09:00:00Z"]);
    std::fs::write(env.path("exports/r/CASE-1.zip"), "other").unwrap();
    tell(&["link", "r/CASE-1"]);
    std::fs::remove_file(env.path("exports/r/CASE-1.zip")).unwrap();
    tell(&["link", "r/CASE-1"]);
    std::fs::remove_file(env.path("state/keys/deployment")).unwrap();
    tell(&["link", "r/a b/c"]);
    insta::with_settings!({filters => vec![
        (r"[0-9a-f]{64}", "<64 hex>"),
        (r#""bytes": \d+"#, "\"bytes\": <size>"),
    ]}, { insta::assert_snapshot!("links", told) });
}
