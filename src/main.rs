//! The program: reads the command line, then serves, prints or shows a sandbox.

use std::{
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
};

use slotway::{
    cli::{self, Action, Refusal},
    config::Config,
    log, proxy, sandbox,
};

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()) {
        Ok(Action::Run(config)) => serve(*config),
        Ok(Action::Print(print)) => ended(print.to(&mut io::stdout().lock())),
        Ok(Action::Sandbox(options)) => ended(sandbox::run(&options, &mut io::stdout())),
        Err(refusal) => refused(&refusal),
    }
}

fn serve(config: Config) -> ExitCode {
    log::start(config.loglevel, config.log_format);
    match proxy::run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failed(&failure, failure.exit_code()),
    }
}

fn ended<E: Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failed(&failure, 1),
    }
}

fn refused(refusal: &Refusal) -> ExitCode {
    match refusal.print() {
        Ok(()) => ExitCode::from(refusal.exit_code()),
        Err(_) => ExitCode::FAILURE,
    }
}

/// One line on standard error; where even that is closed, the exit code alone has to say it.
fn failed(failure: &impl Display, code: u8) -> ExitCode {
    let _written = writeln!(io::stderr(), "slotway: {failure}");
    ExitCode::from(code)
}
