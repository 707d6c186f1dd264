//! `docs/tutorial.md`, run word for word: each block of the page on the host that its first line names.

use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::support::{hosts::Hosts, process::Process, python_environment, wait::within};

const PAGE: &str = include_str!("../../docs/tutorial.md");

/// The nodes' timeout, an election, and what slotway may keep the application waiting for meanwhile.
const FAILOVER: Duration = Duration::from_secs(90);

/// A block of the page: the words behind its opening fence, and its lines.
struct Block {
    marks: Vec<&'static str>,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut lines = PAGE.lines();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(marks) = line.strip_prefix("```") {
            let text =
                lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
            found.push(Block { marks: marks.split(' ').collect(), text });
        }
    }
    found
}

/// The Python that has the packages of `environment`.
fn python(environment: &str) -> PathBuf {
    let root = python_environment();
    let path = if environment == "rediscluster" { root.join("rediscluster") } else { root };
    let python = path.join("bin/python");
    assert!(python.exists(), "no {}; `make test` installs what the tests need", python.display());
    python
}

fn run(hosts: &Hosts, host: &str, program: &[&str]) -> String {
    let output = hosts.run(host, program);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{host}: {program:?}: {}\n{said}{errors}", output.status);
    said
}

/// Each line with a `$` is a command, and what follows it is what it says.
fn dialogue(hosts: &Hosts, host: &str, text: &str) {
    for part in text.split("$ ").skip(1) {
        let (command, wanted) = part.split_once('\n').expect("a command ends its line");
        assert_eq!(run(hosts, host, &["sh", "-ec", command]), wanted, "{command}");
    }
}

/// A program in the background, its words shown when the test failed.
struct Running(Process);

impl Running {
    /// Waits until it says so.
    #[track_caller]
    fn says(&mut self, text: &str) {
        within(FAILOVER, &format!("it says {text:?}"), || {
            let ended = self.0.ended();
            let said = self.0.log().contains(text);
            assert!(said || ended.is_none(), "ended without {text:?}");
            said.then_some(())
        });
    }
}

impl Drop for Running {
    #[expect(clippy::print_stderr, reason = "the log belongs to the failed test's output")]
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- said in the background:\n{}---", self.0.log());
        }
    }
}

/// Runs a block; what runs on in the background is returned.
fn follow(hosts: &Hosts, block: &Block) -> Option<Running> {
    let text = block.text.as_str();
    match block.marks[..] {
        ["sh", host] => drop(run(hosts, host, &["sh", "-ec", text])),
        ["sh", host, "background"] => {
            let mut process = Running(hosts.spawn(host, &["sh", "-ec", &format!("exec {text}")]));
            process.says("new slot table");
            return Some(process);
        }
        ["console", host] => dialogue(hosts, host, text),
        ["python", environment @ ("redis" | "rediscluster")] => {
            drop(run(hosts, "host-c", &[python(environment).to_str()?, "-c", text]));
        }
        ["python", environment, "background"] => {
            let python = python(environment);
            let mut process = Running(hosts.spawn("host-c", &[python.to_str()?, "-c", text]));
            process.says("round 3: ok ");
            hosts.switch_off("host-b");
            process.says("back");
            assert_eq!(process.0.exit_code(), Some(0));
        }
        // Shown, not run.
        ["sh"] | ["python", "settings"] => {}
        _ => panic!("what is to be done with {:?}?", block.marks),
    }
    None
}

#[test]
#[expect(clippy::print_stdout, reason = "what is skipped must be seen")]
fn the_tutorial_works_word_for_word() {
    let program = Path::new(env!("CARGO_BIN_EXE_slotway")).parent().expect("a directory").to_owned();
    let hosts = match Hosts::start(&[program]) {
        Ok(hosts) => hosts,
        Err(reason) => return println!("skipped: no network namespaces here: {reason}"),
    };
    let mut running = Vec::new();
    for block in blocks() {
        running.extend(follow(&hosts, &block));
    }
    assert_eq!(running.len(), 1, "the proxy runs to the end");
    assert_eq!(running[0].0.ended(), None);
}
