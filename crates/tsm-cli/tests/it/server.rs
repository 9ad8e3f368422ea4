//! A real server on what the tool writes. Runs where `INFLUXD` names an `influxd` of 1.x; elsewhere it says so.
//!
//! ```text
//!   influxd makes a shard -> stopped -> our files and tombstones into it -> influxd answers queries, and compacts them
//!                                       -> stopped -> our verify, and our export, of what it wrote
//! ```

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::bench::Bench;

const TRIES: usize = 100;
const PAUSE: Duration = Duration::from_millis(100);

struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(program: &str, folder: &Path) -> Self {
        let [port, backup] = [0, 0].map(|_| {
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap().port()
        });
        let config = folder.join("influxd.conf");
        fs::write(&config, Self::config(folder, port, backup)).unwrap();
        let mut command = Command::new(program);
        command.arg("-config").arg(config).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Self { child: command.spawn().unwrap(), port };
        assert!((0..TRIES).any(|_| server.ask("/ping").is_some() || tired()), "the server does not start");
        server
    }

    fn config(folder: &Path, port: u16, backup: u16) -> String {
        let folder = folder.display();
        format!(
            "reporting-disabled = true\nbind-address = '127.0.0.1:{backup}'\n[meta]\ndir = '{folder}/meta'\n\
             [data]\ndir = '{folder}/data'\nwal-dir = '{folder}/wal'\ncompact-full-write-cold-duration = '1s'\n\
             [http]\nbind-address = '127.0.0.1:{port}'\n[monitor]\nstore-enabled = false\n"
        )
    }

    /// What it answers, if it does.
    fn ask(&self, path: &str) -> Option<String> {
        self.request("GET", path, "")
    }

    fn request(&self, method: &str, path: &str, body: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let len = body.len();
        write!(stream, "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {len}\r\n\r\n{body}")
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.split_once("\r\n\r\n").map(|(_, body)| body.trim().to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "another process has no clock of ours")]
fn tired() -> bool {
    sleep(PAUSE);
    false
}

const POINTS: &str = "/query?db=d&q=SELECT%20v%20FROM%20cpu";

/// The one shard of a server that has seen one point, which is then taken out.
fn shard(program: &str, folder: &Path) -> PathBuf {
    let server = Server::start(program, folder);
    server.request("POST", "/query?q=CREATE%20DATABASE%20d", "").unwrap();
    server.request("POST", "/write?db=d", "cpu,host=a v=0 1590585404000000000\n").unwrap();
    drop(server);
    fs::remove_dir_all(folder.join("wal")).unwrap();
    let shards = fs::read_dir(folder.join("data/d/autogen")).unwrap();
    shards.map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap()
}

#[test]
fn a_server_reads_sealed_files_and_compacts_them_and_what_it_wrote_is_whole() {
    let Ok(program) = std::env::var("INFLUXD") else {
        println!("skipped: INFLUXD names no server");
        return;
    };
    let bench = Bench::new();
    let folder = bench.path("server");
    fs::create_dir(&folder).unwrap();
    let shard = shard(&program, &folder);
    let into = shard.to_str().unwrap();
    for n in 1..=3 {
        bench.import(
            into,
            &format!("cpu,host=a v={n} 1590585404000000000\ncpu,host=b v={n} 159058540500000000{n}\n"),
        );
    }
    bench.run(["delete", into, "--match", "cpu,host=b*", "--end", "1590585405000000001"]).ok();
    let before = bench.run(["export", into]).ok();
    let server = Server::start(&program, &folder);
    let answer = server.ask(POINTS).unwrap();
    for row in ["[\"2020-05-27T13:16:44Z\",3]", "[\"2020-05-27T13:16:45.000000002Z\",2]"] {
        assert!(answer.contains(row), "{answer}");
    }
    assert!(!answer.contains("45.000000001Z"), "a tombstone of ours is applied: {answer}");
    let tsm_files = || {
        bench
            .files(into)
            .into_iter()
            .filter(|name| Path::new(name).extension() == Some("tsm".as_ref()))
            .count()
    };
    assert!((0..TRIES).any(|_| tsm_files() == 1 || tired()), "the server compacts nothing");
    assert_eq!(server.ask(POINTS).unwrap(), answer);
    drop(server);
    bench.run(["verify", into]).ok();
    assert_eq!(bench.run(["export", into]).ok(), before);
}
