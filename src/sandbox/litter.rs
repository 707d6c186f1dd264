//! All that a sandbox leaves behind while it runs: its processes and its directory, to be removed at the end.
//!
//! Invariant: it is cleared when dropped and, since a release build aborts on a panic without dropping, by the
//! panic hook too.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::{fs::DirBuilderExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use super::Failure;

/// Processes and files to be removed.
pub(super) struct Litter {
    dir: PathBuf,
    children: Arc<Mutex<Vec<(String, Child)>>>,
}

/// Names tried for the directory: a process's number comes again, and another sandbox may have died.
const NAMES: u32 = 100;

impl Litter {
    /// Nothing yet but an empty directory, closed to others.
    pub(super) fn new() -> Result<Self, Failure> {
        let litter = Self { dir: make_dir()?, children: Arc::default() };
        let (dir, children) = (litter.dir.clone(), Arc::clone(&litter.children));
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            before(panic);
            // Not `lock`: the thread that panics may hold it.
            if let Ok(mut children) = children.try_lock() {
                remove(&mut children, &dir);
            }
        }));
        Ok(litter)
    }

    /// The directory for all files.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Starts `command` as a process that goes with the litter; `name` is for people. A signal from the terminal
    /// does not reach it, so that it goes in order.
    pub(super) fn start(&self, name: &str, command: &mut Command) -> Result<(), Failure> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0).spawn();
        let child = child.map_err(|e| Failure::Io(format!("cannot start {name}"), e))?;
        self.with_children(|children| children.push((name.to_owned(), child)));
        Ok(())
    }

    /// Says so if one of the processes has ended.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let ended = |(name, child): &mut (String, Child)| {
            let status = child.try_wait().ok()??;
            Some(Failure::Ended(name.clone(), status.to_string()))
        };
        self.with_children(|children| children.iter_mut().find_map(ended).map_or(Ok(()), Err))
    }

    /// Ends every process and removes the directory. A second call finds nothing to do.
    pub(super) fn clear(&self) {
        self.with_children(|children| remove(children, &self.dir));
    }

    fn with_children<T>(&self, act: impl FnOnce(&mut Vec<(String, Child)>) -> T) -> T {
        act(&mut self.children.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Litter {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The last one started goes first: the proxy before its cluster. What cannot be removed is told, not fatal.
fn remove(children: &mut Vec<(String, Child)>, dir: &Path) {
    while let Some((name, mut child)) = children.pop() {
        if let Err(error) = child.kill().and_then(|()| child.wait()) {
            tracing::warn!(name, %error, "cannot end a process");
        }
    }
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(dir = %dir.display(), %error, "cannot remove a directory");
        }
        _ => {}
    }
}

fn make_dir() -> Result<PathBuf, Failure> {
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for name in 0..NAMES {
        let dir = std::env::temp_dir().join(format!("slotway-sandbox-{}-{name}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&dir) {
            Ok(()) => return Ok(dir),
            Err(error) => last = error,
        }
    }
    Err(Failure::Io(format!("cannot make a directory in {}", std::env::temp_dir().display()), last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_litter_leaves_no_process_and_no_directory() {
        let litter = Litter::new().unwrap();
        litter.start("sleeper", Command::new("sleep").arg("600")).unwrap();
        let process = litter.with_children(|children| PathBuf::from(format!("/proc/{}", children[0].1.id())));
        let dir = litter.dir().to_owned();
        assert!(process.exists() && dir.exists());
        litter.check().unwrap();
        drop(litter);
        assert!(!process.exists() && !dir.exists());
    }

    #[test]
    fn a_process_that_ends_by_itself_is_noticed() {
        let litter = Litter::new().unwrap();
        litter.start("short", &mut Command::new("true")).unwrap();
        litter.with_children(|children| children[0].1.wait()).unwrap();
        assert!(matches!(litter.check(), Err(Failure::Ended(name, _)) if name == "short"));
    }
}
