//! The real command in a folder of its own.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).expect("a file");
    }
    folder
}

/// The command, with nobody at the terminal.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowpilot"));
    command
        .args(arguments)
        .current_dir(folder)
        .env("USER", "ann")
        .stdin(Stdio::null());
    command
}

pub(crate) fn flowpilot(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("the command runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The answer as JSON.
pub(crate) fn json(output: &Output) -> serde_json::Value {
    let read = serde_json::from_slice(&output.stdout);
    assert!(read.is_ok(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    read.expect("JSON")
}

/// Somebody on this machine who answers each request with the next of these statuses, and the last one again.
pub(crate) fn server(statuses: &'static [u16]) -> (String, Arc<AtomicUsize>) {
    serve(move |number, _| (statuses[number.min(statuses.len() - 1)], "{\"a\": 1}".to_owned()))
}

/// Somebody who answers by the number of the request and its path.
pub(crate) fn serve(
    answer: impl Fn(usize, &str) -> (u16, String) + Send + 'static,
) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/", listener.local_addr().expect("an address"));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let number = count.fetch_add(1, Ordering::SeqCst);
            let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
            let (mut line, mut length) = (String::new(), 0);
            reader.read_line(&mut line).expect("a request");
            let path = line.split(' ').nth(1).expect("a path").to_owned();
            line.clear();
            while reader.read_line(&mut line).expect("a line") > 2 {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a number");
                }
                line.clear();
            }
            reader.take(length).read_to_end(&mut Vec::new()).expect("a body");
            let (status, body) = answer(number, &path);
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).expect("an answer");
        }
    });
    (address, asked)
}
