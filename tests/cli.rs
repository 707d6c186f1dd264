//! The command line as an operator meets it: the real program, its output and its exit codes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// What the program said and how it ended.
#[derive(Debug)]
struct Answer {
    code: i32,
    out: String,
    err: String,
}

fn run(args: &[&str], environment: &[(&str, &str)]) -> Answer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slotway"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SLOTWAY_")) {
        command.env_remove(name);
    }
    let Output { status, stdout, stderr } =
        command.args(args).envs(environment.iter().copied()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Answer { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
}

fn slotway(args: &[&str]) -> Answer {
    run(args, &[])
}

/// The settings in force.
fn checked(args: &[&str], environment: &[(&str, &str)]) -> toml::Table {
    let answer = run(&[args, &["--check-config"]].concat(), environment);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(answer.out.starts_with("# configuration ok\n"), "{answer:?}");
    answer.out.parse().unwrap()
}

/// A file that goes with its directory.
struct File {
    path: PathBuf,
    _dir: tempfile::TempDir,
}

impl File {
    fn of(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("slotway.toml");
        fs::write(&path, text).unwrap();
        Self { path, _dir: dir }
    }

    fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

fn sample() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/slotway.toml")).unwrap()
}

/// The sample's settings, uncommented: key, line, and whether its comment says that it has no default.
fn sample_settings() -> Vec<(String, String, bool)> {
    let sample = sample();
    let paragraphs = sample.split("\n\n");
    let settings = paragraphs.filter_map(|paragraph| {
        let line = paragraph.lines().last()?.strip_prefix("# ")?;
        let (key, _) = line.split_once(" = ")?;
        Some((key.to_owned(), line.to_owned(), paragraph.contains("No default")))
    });
    settings.collect()
}

#[test]
fn the_sample_holds_every_default_and_every_key() {
    let defaults = checked(&["h:1"], &[]);
    let uncommented: String = sample_settings()
        .iter()
        .filter(|(key, ..)| !key.contains("-file"))
        .map(|(_, line, _)| format!("{line}\n"))
        .collect();
    let file = File::of(&uncommented);
    let loaded = checked(&["--config", file.path()], &[]);
    for (key, _, open) in sample_settings() {
        if open {
            assert!(key == "cluster" || !defaults.contains_key(&key), "{key} has a default");
            assert!(key.contains("-file") || loaded.contains_key(&key), "{key} was not read");
        } else {
            assert_eq!(loaded.get(&key), defaults.get(&key), "{key}");
        }
    }
    let mut keys: Vec<_> = sample_settings().into_iter().map(|(key, ..)| key).collect();
    keys.sort();
    assert_eq!(keys, every_key());
}

#[test]
fn the_sample_as_it_stands_sets_nothing() {
    let file = File::of(&sample());
    assert_eq!(checked(&["h:1", "-c", file.path()], &[]), checked(&["h:1"], &[]));
}

/// Every key there is, as an unknown one is answered.
fn every_key() -> Vec<String> {
    let file = File::of("nonsense = 1");
    let answer = slotway(&["--config", file.path()]);
    let (_, listed) = answer.err.split_once("expected one of ").unwrap();
    let mut keys: Vec<_> = listed.split('`').filter(|k| k.len() > 2).map(str::to_owned).collect();
    keys.sort();
    keys
}

#[test]
fn every_key_is_also_a_flag() {
    let help = slotway(&["--help"]).out;
    for key in every_key() {
        assert!(help.contains(&format!("--{key} ")) || help.contains(&format!("--{key}[=")), "{key}");
    }
}

#[test]
fn a_switch_is_on_by_its_name_alone_and_takes_no_seed_for_its_value() {
    let admin = |args: &[&str], environment: &[(&str, &str)]| {
        let settings = checked(args, environment);
        assert_eq!(settings["cluster"].to_string(), r#"["a:1"]"#);
        settings["admin-commands"].as_bool().unwrap()
    };
    assert!(!admin(&["a:1"], &[]));
    assert!(admin(&["--admin-commands", "a:1"], &[]));
    assert!(!admin(&["--admin-commands=false", "a:1"], &[("SLOTWAY_ADMIN_COMMANDS", "true")]));
    assert!(admin(&["a:1"], &[("SLOTWAY_ADMIN_COMMANDS", "true")]));
    assert!(!checked(&["a:1"], &[])["cross-slot"].as_bool().unwrap());
    assert!(checked(&["--cross-slot", "a:1"], &[])["cross-slot"].as_bool().unwrap());
}

#[test]
fn a_read_that_only_replicas_may_answer_can_await_no_primary() {
    for from in ["primary", "prefer-replica", "any", "replica"] {
        let reads = ["--read-from", from, "--zone", "west", "a:1"];
        let settings = checked(&reads, &[]);
        assert_eq!((settings["read-from"].as_str(), settings["zone"].as_str()), (Some(from), Some("west")));
        let code =
            slotway(&[&reads[..], &["--read-after-write-primary", "1s", "--check-config"]].concat()).code;
        assert_eq!(code, if from == "replica" { 78 } else { 0 }, "{from}");
    }
    assert_eq!(slotway(&["--read-from", "nobody", "a:1"]).code, 2);
}

#[test]
fn flag_beats_environment_beats_file_beats_default() {
    let file = File::of("port = 3\nmaxclients = 3\ntcp-backlog = 3\ncluster = [\"file:1\"]\n");
    let environment = [("SLOTWAY_PORT", "2"), ("SLOTWAY_MAXCLIENTS", "2"), ("SLOTWAY_CONFIG", file.path())];
    let settings = checked(&["--port", "1"], &environment);
    let number = |key: &str| settings[key].as_integer().unwrap();
    assert_eq!(["port", "maxclients", "tcp-backlog"].map(number), [1, 2, 3], "flag, environment, file");
    assert_eq!(settings["timeout"].as_str(), Some("0s"));
    assert_eq!(settings["cluster"].to_string(), "[\"file:1\"]");
}

#[test]
fn seeds_come_from_arguments_flags_and_the_environment() {
    let seeds = |args: &[&str]| checked(args, &[("SLOTWAY_CLUSTER", "env:1,env:2")])["cluster"].to_string();
    assert_eq!(seeds(&[]), r#"["env:1", "env:2"]"#);
    assert_eq!(seeds(&["a:1"]), r#"["a:1"]"#);
    assert_eq!(seeds(&["--cluster", "b:1,c:2", "--cluster", "redis://d"]), r#"["b:1", "c:2", "d:6379"]"#);
    assert_eq!(seeds(&["a:1", "--cluster", "[::1]:2"]), r#"["a:1", "[::1]:2"]"#);
}

#[test]
fn without_seeds_there_is_a_usage_error() {
    let answer = slotway(&[]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("at least one node"), "{answer:?}");
    assert_eq!(slotway(&["--check-config"]).code, 78);
    assert_eq!(slotway(&["h:1", "--port", "0"]).code, 2);
}

#[test]
fn a_wrong_value_is_told_with_its_place() {
    assert_eq!(slotway(&["h:1", "--timeout", "soon"]).code, 2);
    assert_eq!(slotway(&["h:1", "--nonsense"]).code, 2);
    assert_eq!(run(&["h:1"], &[("SLOTWAY_PORT", "x")]).code, 2);
    let file = File::of("port = 1\n  timeout = \"soon\"\n");
    for check in [&["--check-config"][..], &[]] {
        let answer = slotway(&[&["h:1", "-c", file.path()], check].concat());
        assert_eq!(answer.code, 78);
        let place = format!("slotway: {}:2:13: timeout: expected a duration", file.path());
        assert!(answer.err.starts_with(&place) && answer.err.lines().count() == 1, "{answer:?}");
    }
    let answer = slotway(&["-c", "/nonexistent/slotway.toml"]);
    assert!(answer.code == 78 && answer.err.contains("/nonexistent/slotway.toml"), "{answer:?}");
}

#[test]
fn sizes_below_four_gigabytes_bound_requests() {
    let settings =
        checked(&["h:1", "--proto-max-bulk-len", "1mb", "--client-output-buffer-limit", "8gb"], &[]);
    assert_eq!(settings["proto-max-bulk-len"].as_str(), Some("1mb"));
    assert_eq!(slotway(&["h:1", "--client-query-buffer-limit", "4gb"]).code, 2);
}

#[test]
fn secrets_are_never_shown() {
    let password = File::of("hidden3\n");
    let args =
        ["redis://user:hidden1@h:1", "--requirepass", "hidden2", "--cluster-password-file", password.path()];
    for extra in [&["--check-config"][..], &["--help"], &["--nonsense"], &["--check-config", "--bind", "x"]] {
        let answer = run(&[&args[..], extra].concat(), &[("SLOTWAY_REQUIREPASS", "hidden4")]);
        assert!(!format!("{answer:?}").contains("hidden"), "{answer:?}");
    }
    let answer = slotway(&["redis://user:hidden@h:x"]);
    assert!(answer.code == 2 && !answer.err.contains("hidden"), "{answer:?}");
}

#[test]
fn a_password_file_must_be_readable_and_hold_something() {
    let empty = File::of("\n");
    for path in [empty.path(), "/nonexistent/password"] {
        let answer = slotway(&["h:1", "--requirepass-file", path, "--check-config"]);
        assert!(answer.code == 78 && answer.err.contains(path), "{answer:?}");
    }
}

#[test]
fn the_version_is_told_by_three_flags() {
    for flag in ["-v", "-V", "--version"] {
        let answer = slotway(&[flag]);
        assert_eq!((answer.code, answer.out.trim()), (0, concat!("slotway ", env!("CARGO_PKG_VERSION"))));
    }
}

#[test]
fn keys_are_printed_with_slot_and_tag() {
    let answer = run(&["slot", "name", "{a}b"], &[("SLOTWAY_CLUSTER", "h:1")]);
    assert_eq!((answer.code, answer.out.as_str()), (0, "name 5798 name\n{a}b 15495 a\n"));
    assert_eq!(slotway(&["slot"]).code, 2);
}

#[test]
fn completions_and_the_manual_page_name_every_key() {
    let page = slotway(&["man"]).out;
    assert!(page.contains(".TH slotway 1"));
    for shell in ["bash", "zsh", "fish"] {
        let script = slotway(&["completions", shell]).out;
        for key in every_key() {
            assert!(script.contains(&key), "{shell} {key}");
            assert!(page.contains(&key.replace('-', "\\-")), "{key}");
        }
    }
}

/// `make install` of `binary` below `root`, by one whose files are private.
fn install(binary: &str, root: &Path) -> Output {
    Command::new("sh")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("MAKEFLAGS")
        .args(["-c", "umask 077 && exec make install PREFIX=/usr BINARY=\"$0\" DESTDIR=\"$1\"", binary])
        .arg(root)
        .output()
        .unwrap()
}

#[test]
fn make_install_puts_everything_in_its_place() {
    let root = tempfile::tempdir().unwrap();
    let built = install(env!("CARGO_BIN_EXE_slotway"), root.path());
    assert!(built.status.success(), "{built:?}");
    let version = Command::new(root.path().join("usr/bin/slotway")).arg("--version").output().unwrap();
    assert!(version.status.success() && version.stdout.starts_with(b"slotway "), "{version:?}");
    for (path, begins) in [
        ("man/man1/slotway.1", ".ie"),
        ("bash-completion/completions/slotway", "_slotway()"),
        ("zsh/site-functions/_slotway", "#compdef slotway"),
        ("fish/vendor_completions.d/slotway.fish", "# Print an optspec"),
        ("doc/slotway/slotway.toml", "# Settings of slotway"),
    ] {
        let path = root.path().join("usr/share").join(path);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(begins), "{path:?}: {text:.60}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644, "{path:?}");
    }
}

#[test]
fn make_install_of_what_is_missing_or_does_not_run_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let missing = install("target/none/slotway", root.path());
    assert!(!missing.status.success() && is_empty(root.path()), "{missing:?}");
    assert!(String::from_utf8_lossy(&missing.stderr).contains("make pgo"), "{missing:?}");
    let of_another_machine = install("/bin/false", root.path());
    assert!(!of_another_machine.status.success() && is_empty(root.path()), "{of_another_machine:?}");
}

#[test]
fn a_taken_port_is_a_failure_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let answer = slotway(&["127.0.0.1:1", "--port", &port, "--metrics-addr", "none", "--loglevel", "error"]);
    assert_eq!((answer.code, answer.err.lines().count()), (1, 1), "{answer:?}");
    assert!(answer.err.starts_with("slotway: ") && answer.err.contains(&port), "{answer:?}");
}

#[test]
fn a_cluster_that_is_required_and_not_there_ends_with_69() {
    let socket = tempfile::tempdir().unwrap();
    let path = socket.path().join("slotway.sock");
    let listen = ["--port", "0", "--unixsocket", path.to_str().unwrap(), "--metrics-addr", "none"];
    let answer = slotway(&[&["127.0.0.1:1", "--require-cluster", "100ms"][..], &listen].concat());
    assert_eq!(answer.code, 69, "{answer:?}");
}

/// A sandbox whose files are all below `dir`, on a port that no other test's sandbox wants.
fn sandbox(dir: &Path, args: &[&str]) -> Command {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_slotway"));
    command
        .args(["sandbox", "--port", &free])
        .args(args)
        .env("TMPDIR", dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn is_empty(dir: &Path) -> bool {
    fs::read_dir(dir).unwrap().next().is_none()
}

#[test]
fn a_sandbox_shows_three_nodes_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let shown = sandbox(dir.path(), &["--once"]).output().unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success(), "{text}\n{}", String::from_utf8_lossy(&shown.stderr));
    for part in ["0-5460", "10922-16383", "> SET name", "(error) MOVED", "SET: ", "p99", "is gone"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(is_empty(dir.path()));
}

#[test]
fn a_sandbox_that_is_told_to_end_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = sandbox(dir.path(), &["--replicas", "0"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("One plain connection")));
    assert!(!is_empty(dir.path()));
    let kill = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(kill.success());
    assert!(lines.any(|line| line.contains("is gone")));
    assert!(child.wait().unwrap().success() && is_empty(dir.path()));
}
