//! Reads command latencies off a metrics page.
//!
//! Knows the text format of Prometheus just as far as one histogram needs. What is missing is left out.

use std::io::{self, Write};

/// The histogram that is read.
const NAME: &str = "slotway_command_duration_seconds";

/// How often a command ran and how long it took.
#[derive(Debug, PartialEq)]
struct Summary {
    count: u64,
    /// The upper bound of the bucket that holds the quantile, in seconds; infinite beyond the last.
    p50: f64,
    p99: f64,
}

/// Writes count, p50 and p99 of each of `commands` that `page` knows.
pub(super) fn write_summary(page: &str, commands: &[&str], out: &mut impl Write) -> io::Result<()> {
    let found: Vec<_> =
        commands.iter().filter_map(|&command| Some((command, summary(page, command)?))).collect();
    if found.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nThe same in /metrics ({NAME}, request read to reply handed over):\n")?;
    writeln!(out, "  {:<8} {:>8} {:>10} {:>10}", "command", "count", "p50", "p99")?;
    for (command, Summary { count, p50, p99 }) in found {
        writeln!(out, "  {command:<8} {count:>8} {:>10} {:>10}", shown(p50), shown(p99))?;
    }
    Ok(())
}

fn summary(page: &str, command: &str) -> Option<Summary> {
    let buckets = buckets(page, command);
    let count = buckets.last().map(|&(_, count)| count).filter(|&count| count > 0)?;
    let quantile = |percent: u64| {
        let rank = (count * percent).div_ceil(100);
        buckets.iter().find(|&&(_, below)| below >= rank).map_or(f64::INFINITY, |&(bound, _)| bound)
    };
    Some(Summary { count, p50: quantile(50), p99: quantile(99) })
}

/// The upper bound and cumulative count of each bucket, the smallest first.
fn buckets(page: &str, command: &str) -> Vec<(f64, u64)> {
    let label = format!("command=\"{command}\"");
    let lines = page.lines().filter_map(|line| line.strip_prefix(NAME)?.strip_prefix("_bucket"));
    let mut buckets: Vec<_> = lines.filter(|line| line.contains(&label)).filter_map(bucket).collect();
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    buckets
}

/// `{…le="0.001"} 17` as its bound and count.
fn bucket(line: &str) -> Option<(f64, u64)> {
    let (_, from_bound) = line.split_once("le=\"")?;
    let (bound, _) = from_bound.split_once('"')?;
    let (_, count) = line.rsplit_once(' ')?;
    Some((bound.parse().ok()?, count.parse().ok()?))
}

fn shown(seconds: f64) -> String {
    match seconds {
        s if s.is_infinite() => "beyond".to_owned(),
        s if s < 0.001 => format!("<= {:.0} us", s * 1e6),
        s => format!("<= {:.1} ms", s * 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# TYPE slotway_command_duration_seconds histogram\n\
        slotway_command_duration_seconds_bucket{command=\"get\",le=\"0.00005\"} 49\n\
        slotway_command_duration_seconds_bucket{command=\"get\",le=\"0.0001\"} 98\n\
        slotway_command_duration_seconds_bucket{command=\"get\",le=\"0.0025\"} 99\n\
        slotway_command_duration_seconds_bucket{command=\"get\",le=\"+Inf\"} 100\n\
        slotway_command_duration_seconds_count{command=\"get\"} 100\n\
        slotway_command_duration_seconds_bucket{command=\"getex\",le=\"+Inf\"} 7\n";

    #[test]
    fn quantiles_are_the_bounds_of_their_buckets() {
        assert_eq!(summary(PAGE, "get"), Some(Summary { count: 100, p50: 0.0001, p99: 0.0025 }));
        assert_eq!(
            summary(PAGE, "getex"),
            Some(Summary { count: 7, p50: f64::INFINITY, p99: f64::INFINITY })
        );
        assert_eq!(summary(PAGE, "set"), None);
    }

    #[test]
    fn the_summary_is_a_table_and_is_left_out_where_there_is_none() {
        let mut out = Vec::new();
        write_summary(PAGE, &["set", "get"], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.ends_with("  get           100  <= 100 us  <= 2.5 ms\n"), "{text}");
        let mut none = Vec::new();
        write_summary("", &["set"], &mut none).unwrap();
        assert!(none.is_empty());
    }
}
