//! Child processes that never outlive the test process, and the directory that goes with them.
//!
//! `setpriv --pdeathsig` ends a child when the thread that started it ends, so one thread that lives as long as the
//! process starts them all. The directory is removed by a shell that waits for the end of its standard input.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
};

use super::wait::eventually;

type Started = std::io::Result<Child>;
type Order = (Command, mpsc::Sender<Started>);

static STARTER: LazyLock<Mutex<mpsc::Sender<Order>>> = LazyLock::new(|| {
    let (orders, inbox) = mpsc::channel::<Order>();
    thread::spawn(move || {
        for (mut command, answer) in inbox {
            // Nobody waits for the answer any more only when the test has failed.
            drop(answer.send(command.spawn()));
        }
    });
    Mutex::new(orders)
});

/// The directory of this test process and the shell that will remove it.
static ROOT: LazyLock<(PathBuf, Mutex<Child>)> = LazyLock::new(|| {
    raise_file_limit();
    let root = std::env::temp_dir().join(format!("slotway-suite-{}", process::id()));
    fs::create_dir_all(&root).expect("a directory for the tests");
    let shell = Command::new("sh")
        .args(["-c", "trap '' INT TERM; cat >/dev/null; rm -rf \"$1\" || { sleep 1; rm -rf \"$1\"; }", "sh"])
        .arg(&root)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh");
    (root, Mutex::new(shell))
});

/// A thousand clients at both ends need more descriptors than many shells allow.
fn raise_file_limit() {
    let pid = process::id().to_string();
    drop(Command::new("prlimit").args(["--pid", &pid, "--nofile=16384:"]).stderr(Stdio::null()).status());
}

/// A new directory named after `name`, gone when the test process ends.
pub(crate) fn directory(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let path = ROOT.0.join(format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    fs::create_dir_all(&path).expect("a directory of its own");
    path
}

/// A running process, killed when dropped.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program`; both its outputs go to `log`.
    pub(crate) fn start(program: &Path, args: &[String], log: &Path) -> Self {
        Self::start_with(program, args, &[], log)
    }

    /// The same with more environment.
    pub(crate) fn start_with(program: &Path, args: &[String], env: &[(&str, &str)], log: &Path) -> Self {
        LazyLock::force(&ROOT);
        let out = fs::OpenOptions::new().create(true).append(true).open(log).expect("a log file");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).args(args).envs(env.iter().copied());
        command.stdin(Stdio::null()).stdout(out.try_clone().expect("a second handle")).stderr(out);
        let (answer, started) = mpsc::channel();
        STARTER.lock().expect("never poisoned").send((command, answer)).expect("the starter lives");
        let child = started.recv().expect("the starter answers");
        Self {
            child: child.unwrap_or_else(|error| panic!("setpriv (util-linux): {error}")),
            log: log.to_owned(),
        }
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name, as in `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status();
        assert!(status.expect("kill").success(), "{name} to {}", self.pid());
    }

    /// Kills it and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Whether it has ended, and how.
    pub(crate) fn ended(&mut self) -> Option<process::ExitStatus> {
        self.child.try_wait().expect("our own child")
    }

    /// Its exit code, once it ends by itself.
    #[track_caller]
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        eventually("the process ends", || self.ended()).code()
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// A memory figure of `/proc/PID/status` in bytes, as `VmHWM`.
    pub(crate) fn memory(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("a live process");
        let line = status.lines().find(|line| line.starts_with(field)).expect("the field");
        let kilobytes: u64 = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number");
        kilobytes * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
