//! LATENCY HISTOGRAM: how long commands took, from the same figures as the metrics. The shape is that of redis
//! latency.c `latencyAllCommandsFillCDF`.

use super::Ask;
use crate::{
    metrics::{BUCKET_BOUNDS, CommandSum, Durations},
    resp::ReplyWriter,
    worker::dispatch::Step,
};

/// Those that the request names, in its order, or all. What was never asked is left out.
pub(super) fn histogram(ask: &Ask<'_>) -> Step {
    let mut all: Vec<CommandSum> = ask.worker().registry.command_sums().collect();
    all.retain(|sum| sum.durations.count() > 0);
    let is = |sum: &CommandSum, name: &[u8]| name.eq_ignore_ascii_case(sum.name.as_bytes());
    let sums: Vec<&CommandSum> = match ask.request.argc() {
        2 => all.iter().collect(),
        _ => ask.request.args_from(2).filter_map(|name| all.iter().find(|sum| is(sum, name))).collect(),
    };
    ask.write(|w| {
        w.map(sums.len());
        sums.iter().for_each(|sum| write(sum, w));
    })
}

fn write(sum: &CommandSum, w: &mut ReplyWriter<'_>) {
    let samples = samples(&sum.durations);
    w.bulk(sum.name.as_bytes());
    w.map(2);
    w.bulk(b"calls");
    w.integer(integer(sum.durations.count()));
    w.bulk(b"histogram_usec");
    w.map(samples.len());
    for (bound, seen) in samples {
        w.integer(integer(bound / 1000));
        w.integer(integer(seen));
    }
}

/// The bound of each bucket that is not empty, in nanoseconds, and how many durations are below. What is
/// beyond the last bound counts there, as in Redis.
fn samples(durations: &Durations) -> Vec<(u64, u64)> {
    let (mut seen, mut samples) = (0, Vec::<(u64, u64)>::new());
    for (at, count) in durations.buckets.iter().enumerate().filter(|(_, count)| **count > 0) {
        seen += count;
        let bound = BUCKET_BOUNDS[at.min(BUCKET_BOUNDS.len() - 1)];
        match samples.last_mut() {
            Some(last) if last.0 == bound => last.1 = seen,
            _ => samples.push((bound, seen)),
        }
    }
    samples
}

fn integer(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Histogram;

    #[test]
    fn buckets_are_cumulated_and_empty_ones_left_out() {
        let histogram = Histogram::default();
        for nanos in [10_000, 20_000, 90_000, 4_000_000_000, 60_000_000_000] {
            histogram.record(nanos);
        }
        let durations: Durations = [&histogram].into_iter().collect();
        assert_eq!(samples(&durations), [(50_000, 2), (100_000, 3), (5_000_000_000, 5)]);
        assert_eq!(samples(&Durations::default()), []);
    }
}
