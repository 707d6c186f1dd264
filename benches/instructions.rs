//! Instruction counts of the small functions on the data path, as a guard that no clock can blur.
//!
//! `cargo bench --bench instructions` runs each one under `valgrind --tool=callgrind`, compares with the
//! counts stored in `benches/instructions.toml` and fails where one grew by more than 3 %;
//! `cargo bench --bench instructions -- --store` stores the counts of today. A new one joins [`rounds::ROUNDS`].
//! Invariant: a count is the difference of a long and a short run divided by the rounds between them, so
//! what both do once (start-up, the input) falls out; the loop's few instructions per round stay in.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail, ensure};

#[path = "rounds.rs"]
mod rounds;

/// Where the counts are kept that a run is compared with.
const STORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.toml");
/// Growth that counts as noise of the compiler rather than as a change of the code.
const TOLERANCE: f64 = 0.03;
/// Rounds of the short run, and how many more the long one makes: enough to drown the few hundred
/// instructions by which two starts of one program differ.
const ROUNDS: (u32, u32) = (1_000, 100_000);

/// Counts, in instructions per round, by name.
type Counts = BTreeMap<String, f64>;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["run", name, rounds] => run(name, rounds.parse()?).map(|()| ExitCode::SUCCESS),
        // `cargo bench` says `--bench`; `cargo test --benches` does not and has nothing to test here.
        ref said if said.contains(&"--bench") => compare(said.contains(&"--store")),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Runs one benchmark, natively or under valgrind: the half that is counted.
fn run(name: &str, rounds: u32) -> Result<()> {
    let (_, round) = rounds::ROUNDS.iter().find(|(known, _)| *known == name).context("no such benchmark")?;
    (0..rounds).for_each(|_| round());
    Ok(())
}

/// Counts all, says how each stands to its stored count, and stores them if `store` says so.
fn compare(store: bool) -> Result<ExitCode> {
    let stored: Counts = match std::fs::read_to_string(STORE) {
        Ok(text) => toml::from_str(&text).with_context(|| STORE.to_owned())?,
        Err(_) => Counts::new(),
    };
    let mut counts = Counts::new();
    for (name, _) in rounds::ROUNDS {
        counts.insert((*name).to_owned(), count(name)?);
    }
    let grown = report(&counts, &stored)?;
    if store {
        std::fs::write(STORE, document(&counts))?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(if grown { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Instructions per round of one benchmark.
fn count(name: &str) -> Result<f64> {
    let (short, more) = ROUNDS;
    let (short, long) = (instructions(name, short)?, instructions(name, short + more)?);
    ensure!(long > short, "{name}: the long run took no more instructions than the short one");
    // Counts stay far below 2^53, so the conversion is exact.
    let difference = u32::try_from(long - short).context("more instructions than fit")?;
    Ok(f64::from(difference) / f64::from(more))
}

/// Instructions of one whole run, as callgrind collects them.
fn instructions(name: &str, rounds: u32) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["run", name, &rounds.to_string()])
        .output()
        .context("valgrind does not start; is it installed?")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{name} under valgrind: {}\n{said}", output.status);
    }
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    collected.context("callgrind says no count")?.1.trim().parse().context("callgrind's count")
}

/// Prints every count beside its stored one; whether one grew beyond the tolerance.
fn report(counts: &Counts, stored: &Counts) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    let mut grown = false;
    for (name, &now) in counts {
        let Some(&then) = stored.get(name) else {
            writeln!(out, "{name:32} {now:10.1}  new: run with --store to keep its count")?;
            continue;
        };
        let change = now / then - 1.0;
        let verdict = if change > TOLERANCE { "GREW" } else { "ok" };
        writeln!(out, "{name:32} {now:10.1}  stored {then:10.1}  {:+6.2} %  {verdict}", change * 100.0)?;
        grown |= change > TOLERANCE;
    }
    if grown {
        let limit = TOLERANCE * 100.0;
        writeln!(
            out,
            "\nSome take over {limit} % more instructions than stored in benches/instructions.toml."
        )?;
        writeln!(out, "If that is the price of something wanted, store the new counts in the same commit:")?;
        writeln!(out, "    cargo bench --bench instructions -- --store")?;
    }
    Ok(grown)
}

/// The text of the store.
fn document(counts: &Counts) -> String {
    let mut text = String::from(
        "# Instructions per round, counted by callgrind; written by\n\
         # `cargo bench --bench instructions -- --store` and compared by every run without `--store`.\n",
    );
    for (name, count) in counts {
        text.push_str(&format!("{name} = {count:.1}\n"));
    }
    text
}
