//! What the command line asks for: an [`Action`], with the [`Config`] made of flags, environment and file.
//!
//! Flag beats environment beats file beats default. Knows how to ask, not how to serve.

mod file;
mod options;
mod output_limits;
mod print;
mod resolve;
mod seed;
mod units;

use std::{ffi::OsString, path::PathBuf};

use clap::{
    ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind, parser::ValueSource,
};

pub use print::Print;

use self::{
    options::{Options, Settled},
    seed::{Seed, SeedParser},
};
use crate::{config::Config, sandbox};

/// What to do.
#[derive(Debug)]
pub enum Action {
    /// Serve clients.
    Run(Box<Config>),
    /// Write something to standard output and end.
    Print(Print),
    /// Start a throwaway cluster and show the proxy in front of it.
    Sandbox(sandbox::Options),
}

/// Why the command line asks for nothing that can be done; also how `--help` and `--version` end.
#[derive(Debug)]
pub enum Refusal {
    /// Help, version, or a wrong command line, in clap's words.
    Usage(Box<clap::Error>),
    /// A wrong file, or a wrong value in one.
    Configuration(String),
}

/// A fast Redis/Valkey Cluster proxy: one plain-RESP address in front of a whole cluster.
#[derive(Debug, Parser)]
#[command(name = "slotway", version, disable_version_flag = true, args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Each flag is also an environment variable, SLOTWAY_ and its name, and a key of the file; \
    a flag beats the environment, which beats the file. Durations: 250ms, 5s, 2m; sizes: 64kb, 32mb, 1gb."
)]
struct Line {
    /// Nodes to learn the cluster from: host:port or redis://user:password@host:port
    #[arg(value_name = "SEED", value_parser = SeedParser)]
    seeds: Vec<Seed>,
    /// File of settings (TOML)
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the settings, print them and exit
    #[arg(long)]
    check_config: bool,
    /// Print version
    #[arg(short = 'V', short_alias = 'v', long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Print each key with its slot and the hash tag the slot is made of
    Slot {
        /// Keys, of any bytes
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<OsString>,
    },
    /// Start a throwaway cluster on this machine with slotway in front, and show it at work
    Sandbox(sandbox::Options),
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff)
    Man,
}

/// Reads the command line `words` (the first is the program), the environment and the file they name.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Action, Refusal> {
    let matches = command().try_get_matches_from(words).map_err(Refusal::from)?;
    let line = Line::from_arg_matches_mut(&mut matches.clone()).map_err(Refusal::from)?;
    match line.task {
        Some(Task::Slot { keys }) => Ok(Action::Print(Print::Slots(keys))),
        Some(Task::Sandbox(options)) => Ok(Action::Sandbox(options)),
        Some(Task::Completions { shell }) => Ok(Action::Print(Print::Completions(shell))),
        Some(Task::Man) => Ok(Action::Print(Print::Man)),
        None => serve(line, &matches),
    }
}

fn serve(line: Line, matches: &ArgMatches) -> Result<Action, Refusal> {
    let check = line.check_config;
    let settled = settle(line, matches)?;
    let shown = settled.clone();
    match settled.resolve() {
        Ok(_) if check => Ok(Action::Print(Print::Settings(shown.to_toml()))),
        Ok(config) => Ok(Action::Run(Box::new(config))),
        Err(Refusal::Usage(wrong)) if check => Err(Refusal::Configuration(plain(&wrong))),
        Err(refusal) => Err(refusal),
    }
}

/// All sources as one.
fn settle(line: Line, matches: &ArgMatches) -> Result<Settled, Refusal> {
    let mut given = line.options;
    if !line.seeds.is_empty() {
        let flags = given.cluster.take().filter(|_| !from_environment(matches, "cluster"));
        given.cluster = Some([line.seeds, flags.unwrap_or_default()].concat());
    }
    let Some(path) = line.config else { return Ok(given.settle()) };
    let file = file::read(&path).map_err(Refusal::Configuration)?;
    let file = file.without_passwords_of(&given);
    Ok(given.over(file).settle())
}

fn from_environment(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::EnvVariable)
}

/// The command line, each flag with its environment variable and default.
fn command() -> clap::Command {
    let defaults = Options::default().settle().to_table();
    Line::command().mut_args(|arg| {
        let Some(name) = arg.get_long().filter(|&n| !matches!(n, "help" | "version")).map(str::to_owned)
        else {
            return arg;
        };
        // Clap keeps names for the life of the process, and this runs once or twice in it.
        let variable: &'static str = variable(&name).leak();
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let help = match defaults.get(&name).map(shown) {
            Some(default) if !default.is_empty() => format!("{help} [default: {default}]"),
            _ => help,
        };
        // Hidden since its value may be a secret, which help would show; the text after the help names it.
        arg.help(help).env(variable).hide_env(true)
    })
}

/// The environment variable of flag `name`.
fn variable(name: &str) -> String {
    format!("SLOTWAY_{}", name.replace('-', "_").to_ascii_uppercase())
}

/// A default as one would type it.
fn shown(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

impl Settled {
    fn to_table(&self) -> toml::Table {
        toml::Table::try_from(self).unwrap_or_default()
    }

    /// These settings as a file, secrets excepted.
    fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }
}

impl Refusal {
    fn usage(wrong: &str) -> Self {
        command().error(ErrorKind::MissingRequiredArgument, wrong).into()
    }

    /// The process's exit code: 0 after help, 2 for usage, 78 for configuration (as in sysexits.h).
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(error) => u8::try_from(error.exit_code()).unwrap_or(2),
            Self::Configuration(_) => 78,
        }
    }

    /// Writes it where it belongs: help to standard output, all else to standard error.
    pub fn print(&self) -> std::io::Result<()> {
        use std::io::Write;
        match self {
            Self::Usage(error) => error.print(),
            Self::Configuration(wrong) => writeln!(std::io::stderr(), "slotway: {wrong}"),
        }
    }
}

impl From<clap::Error> for Refusal {
    fn from(error: clap::Error) -> Self {
        Self::Usage(Box::new(error))
    }
}

/// The first line of what clap has to say, without its `error: `.
fn plain(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
