//! Where log lines go: standard error, RFC 3339 times, `key=value` text or one JSON object a line.
//!
//! Knows nothing of what is logged. Invariant: no secret has a form that can be logged, so none is filtered
//! here.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{LogFormat, LogLevel};

/// Starts logging for the whole process; `RUST_LOG` beats `level`. A second call changes nothing.
pub fn start(level: LogLevel, format: LogFormat) {
    let lines = fmt().with_env_filter(filter(level)).with_writer(io::stderr);
    let started = match format {
        LogFormat::Text => lines.with_ansi(colour()).with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
    };
    if let Err(already) = started {
        tracing::debug!(%already, "logging was started before");
    }
}

fn filter(level: LogLevel) -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level.as_str()))
}

/// Colour only for a person's terminal, and not for one who declined it (no-color.org).
fn colour() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_a_filter() {
        for level in [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug] {
            assert_eq!(EnvFilter::new(level.as_str()).to_string(), level.as_str());
        }
    }

    #[test]
    fn starting_twice_is_harmless() {
        start(LogLevel::Error, LogFormat::Json);
        start(LogLevel::Error, LogFormat::Text);
    }
}
