//! Sources on servers that fail: they are asked again, and the file is the one that a server without fault gives; or an
//! error names the source, the status and the attempts. What could not be had is never passed over in silence.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Folder, Outcome, Source, random};

/// What a server does with a request for `path`, the n-th (from 1) of them all.
type Behaviour = dyn Fn(usize, &str) -> Answer + Send + Sync;

#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Fine,
    Status(u16),
    /// The connection ends without a word.
    Drop,
    /// It ends in the middle of the body.
    Short,
    /// The bytes of another place, told as those that were asked for.
    WrongRange,
    /// Nothing for a while.
    Stall,
}

/// A server of the files in a folder, on a port of its own, until the process ends.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(folder: &Folder, behave: impl Fn(usize, &str) -> Answer + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (root, asked) = (folder.path(""), Arc::new(Mutex::new(Vec::new())));
        let (heard, behave): (_, Arc<Behaviour>) = (Arc::clone(&asked), Arc::new(behave));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (root, heard, behave) = (root.clone(), Arc::clone(&heard), Arc::clone(&behave));
                // A client that goes away is no fault of the test's.
                std::thread::spawn(move || serve(connection, &root, &heard, &*behave).ok());
            }
        });
        Server { address, asked }
    }

    /// How often a file was asked for.
    fn asked_for(&self, file: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|path| *path == file).count()
    }
}

/// Answers the requests of one connection.
fn serve(
    mut connection: TcpStream,
    root: &Path,
    heard: &Mutex<Vec<String>>,
    behave: &Behaviour,
) -> std::io::Result<()> {
    // Else head and body, written one after the other, would wait for each other's receipt.
    connection.set_nodelay(true)?;
    let mut lines = BufReader::new(connection.try_clone()?);
    loop {
        let (mut request, mut range) = (String::new(), None);
        if lines.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut line = String::new();
        while lines.read_line(&mut line)? > 2 {
            if let Some(asked) = line.to_ascii_lowercase().trim().strip_prefix("range: bytes=") {
                let (first, last) = asked.split_once('-').unwrap();
                range = Some((first.parse::<usize>().unwrap(), last.parse::<usize>().ok()));
            }
            line.clear();
        }
        let mut words = request.split_whitespace();
        let (method, path) =
            (words.next().unwrap(), words.next().unwrap().trim_start_matches('/').to_owned());
        let number = {
            let mut heard = heard.lock().unwrap();
            heard.push(path.clone());
            heard.len()
        };
        let file = std::fs::read(root.join(&path)).ok();
        let answer = behave(number, &path);
        let (status, data) = match (answer, file) {
            (Answer::Drop, _) => return Ok(()),
            (Answer::Stall, _) => {
                std::thread::sleep(Duration::from_secs(10));
                return Ok(());
            }
            (Answer::Status(status), _) => (status, Vec::new()),
            (_, None) => (404, Vec::new()),
            (_, Some(data)) => (if range.is_some() { 206 } else { 200 }, data),
        };
        let (first, last) = range.unwrap_or((0, None));
        let end = last.map_or(data.len(), |last| (last + 1).min(data.len())).max(first.min(data.len()));
        let start = first.min(end);
        write!(connection, "HTTP/1.1 {status} As told\r\nContent-Length: {}\r\n", end - start)?;
        if status == 206 {
            write!(connection, "Content-Range: bytes {start}-{}/{}\r\n", end - 1, data.len())?;
        }
        connection.write_all(b"Accept-Ranges: bytes\r\n\r\n")?;
        if method == "HEAD" {
            continue;
        }
        let turned = |by: usize| data.iter().cycle().skip(start + by).take(end - start).copied().collect();
        let body: Vec<u8> = turned(if answer == Answer::WrongRange { data.len() / 3 } else { 0 });
        if answer == Answer::Short {
            return connection.write_all(&body[..body.len() / 2]);
        }
        connection.write_all(&body)?;
    }
}

/// Two sources of noise, one with a mask in a file beside it, and the mosaic of them as files.
fn folder_with_sources() -> Folder {
    let folder = Folder::new();
    let options = "TILED=YES BLOCKXSIZE=64 BLOCKYSIZE=64 COMPRESS=DEFLATE";
    for (name, x) in [("a.tif", 0.0), ("b.tif", 200.0)] {
        let source = Source::new(256, 256).at(x, 0.0).options(options);
        let source = source.pixels(move |band, x, y| i128::from(random(4, band, x, y) % 250));
        let valid = |x: usize, y: usize| !(x / 30 + y / 30).is_multiple_of(3);
        if name == "b.tif" { source.external_mask(valid) } else { source }.write(folder.path(name));
    }
    folder.run("a.tif b.tif -o wanted.tif --block 64").done();
    folder
}

/// Runs a job on the sources of a server, with short waits.
fn run(folder: &Folder, server: &Server, options: &str) -> Outcome {
    Outcome::of(&mut command(folder, server, options))
}

fn command(folder: &Folder, server: &Server, options: &str) -> std::process::Command {
    let line = format!("{0}/a.tif {0}/b.tif -o out.tif --block 64 {options}", server.address);
    let mut command = folder.command(&line.split_whitespace().collect::<Vec<_>>());
    command.envs([("GDAL_HTTP_RETRY_DELAY", "0.01"), ("GDAL_HTTP_LOW_SPEED_TIME", "1")]);
    command.env("GDAL_HTTP_LOW_SPEED_LIMIT", "10");
    command
}

#[test]
fn what_a_server_does_not_give_at_once_is_asked_for_again() {
    let folder = folder_with_sources();
    let wanted = folder.read("wanted.tif");
    let ways = [500, 503, 429].map(Answer::Status).into_iter();
    for way in ways.chain([Answer::Drop, Answer::Short, Answer::WrongRange]) {
        for (first, every) in [(1, 1000), (3, 17)] {
            let fails = move |n: usize| n >= first && (n - first) % every < 2;
            let server = Server::start(&folder, move |n, _| if fails(n) { way } else { Answer::Fine });
            run(&folder, &server, "--overwrite").done();
            assert!(folder.read("out.tif") == wanted, "from request {first}, each {every}");
        }
    }
    let server = Server::start(&folder, |n, _| if n == 5 { Answer::Stall } else { Answer::Fine });
    run(&folder, &server, "--overwrite").done();
    assert!(folder.read("out.tif") == wanted, "stalled");
}

#[test]
fn a_mask_that_cannot_be_had_is_not_taken_for_none() {
    let folder = folder_with_sources();
    let server = Server::start(&folder, |_, path| match path {
        "b.tif.msk" => Answer::Status(503),
        _ => Answer::Fine,
    });
    run(&folder, &server, "--retries 2").ended(1).names(&["b.tif", "503", "3 attempts"]);
    assert!(!folder.path("out.tif").exists());
    let server = Server::start(&folder, |n, path| match path {
        "b.tif.msk" if n < 20 => Answer::Status(503),
        _ => Answer::Fine,
    });
    run(&folder, &server, "--retries 9").done();
    assert!(folder.read("out.tif") == folder.read("wanted.tif"));
}

#[test]
fn a_server_that_fails_for_good_is_told_with_source_status_and_attempts() {
    let folder = folder_with_sources();
    let before = folder.names();
    for first in [1, 9] {
        let fail = move |answer| move |n: usize, _: &str| if n >= first { answer } else { Answer::Fine };
        let server = Server::start(&folder, fail(Answer::Status(500)));
        run(&folder, &server, "--retries 2").ended(1).names(&["a.tif", "500", "3 attempts"]);
        let server = Server::start(&folder, fail(Answer::Drop));
        run(&folder, &server, "--retries 1").ended(1).names(&["a.tif", "2 attempts"]);
        assert_eq!(folder.names(), before);
    }
}

#[test]
fn what_is_refused_or_missing_is_not_asked_for_again() {
    let folder = folder_with_sources();
    for status in [403, 404] {
        let server = Server::start(&folder, move |_, path| match path {
            "a.tif" => Answer::Status(status),
            _ => Answer::Fine,
        });
        let outcome = run(&folder, &server, "").ended(1).names(&["a.tif", &status.to_string()]);
        assert!(!outcome.stderr.contains("attempts"), "{}", outcome.stderr);
        let asked = server.asked_for("a.tif");
        assert!(asked <= 6, "{status}: asked {asked} times");
    }
}

#[test]
fn with_on_error_skip_a_source_that_could_not_be_had_is_listed() {
    let folder = folder_with_sources();
    let server = Server::start(&folder, |_, path| match path {
        "a.tif" => Answer::Status(503),
        _ => Answer::Fine,
    });
    let line = "--on-error skip --retries 1 --report report.json";
    run(&folder, &server, line).done().names(&["left out", "a.tif", "503"]);
    let report: serde_json::Value = serde_json::from_slice(&folder.read("report.json")).unwrap();
    assert!(report["inputs"]["skipped"][0].to_string().contains("503"), "{report}");
}

#[test]
fn a_stop_is_not_kept_waiting_by_a_server() {
    let folder = folder_with_sources();
    for first in [1, 9] {
        let server = Server::start(&folder, move |n, _| match n >= first {
            true => Answer::Status(503),
            false => Answer::Fine,
        });
        let mut command = command(&folder, &server, "");
        let mut child = command.env("GDAL_HTTP_RETRY_DELAY", "600").stderr(Stdio::piped()).spawn().unwrap();
        let since = Instant::now();
        while server.asked.lock().unwrap().len() < first && since.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        // SAFETY: the child was started here and has not been waited for, so its number is still its own.
        assert_eq!(unsafe { libc::kill(child.id() as i32, libc::SIGTERM) }, 0);
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{told}");
        assert!(told.contains("interrupted"), "{told}");
    }
}
