//! The Prometheus text format, for what the recorder can't keep: histograms that are already counted,
//! and counters with fractions.
//!
//! Must not know which metrics there are. Invariant: a name is declared before its first sample.

use std::fmt::Write;

use super::{BUCKET_BOUNDS, Durations};

/// Nanoseconds in a second.
const SECOND: f64 = 1e9;

/// A page of metrics under way.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// Goes on with a page that somebody else began.
    pub(super) fn after(mut begun: String) -> Self {
        if !begun.is_empty() && !begun.ends_with('\n') {
            begun.push('\n');
        }
        Self(begun)
    }

    /// The finished page.
    pub(super) fn finish(self) -> String {
        self.0
    }

    /// Writes one sample without labels, with HELP and TYPE (`gauge`, `counter`).
    pub(super) fn single(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.declare(name, kind, help);
        self.line(format_args!("{name} {value}"));
    }

    /// Writes a histogram with one series for each (label's value, durations); nothing if there is none.
    pub(super) fn histograms<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        series: impl IntoIterator<Item = (&'a str, Durations)>,
    ) {
        let mut series = series.into_iter().peekable();
        if series.peek().is_some() {
            self.declare(name, "histogram", help);
        }
        for (value, durations) in series {
            let labels = format!("{label}=\"{}\"", escape(value));
            self.series(name, &labels, &durations);
        }
    }

    /// Writes a histogram without labels.
    pub(super) fn histogram(&mut self, name: &str, help: &str, durations: &Durations) {
        self.declare(name, "histogram", help);
        self.series(name, "", durations);
    }

    fn series(&mut self, name: &str, labels: &str, durations: &Durations) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut seen = 0;
        for (count, bound) in durations.buckets.iter().zip(bounds()) {
            seen += count;
            self.line(format_args!("{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {seen}"));
        }
        let braced = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        self.line(format_args!("{name}_sum{braced} {}", seconds(durations.sum)));
        self.line(format_args!("{name}_count{braced} {seen}"));
    }

    fn declare(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string can't fail.
        let _ = writeln!(self.0, "{line}");
    }
}

/// The upper bounds as `le` shows them.
fn bounds() -> impl Iterator<Item = String> {
    BUCKET_BOUNDS.iter().map(|&b| seconds(b).to_string()).chain(["+Inf".to_owned()])
}

#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 ns (104 days) a sum may lose nanoseconds")]
fn seconds(nanos: u64) -> f64 {
    nanos as f64 / SECOND
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Histogram;

    #[test]
    fn buckets_are_cumulated_and_the_last_equals_the_count() {
        let histogram = Histogram::default();
        for nanos in [40_000, 60_000, 9_000_000_000] {
            histogram.record(nanos);
        }
        let mut page = Page::default();
        page.histograms("x_seconds", "Help.", "node", [("a\"b", [&histogram].into_iter().collect())]);
        let text = page.finish();
        for line in [
            "# HELP x_seconds Help.",
            "# TYPE x_seconds histogram",
            r#"x_seconds_bucket{node="a\"b",le="0.00005"} 1"#,
            r#"x_seconds_bucket{node="a\"b",le="0.0001"} 2"#,
            r#"x_seconds_bucket{node="a\"b",le="5"} 2"#,
            r#"x_seconds_bucket{node="a\"b",le="+Inf"} 3"#,
            r#"x_seconds_sum{node="a\"b"} 9.0001"#,
            r#"x_seconds_count{node="a\"b"} 3"#,
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing in\n{text}");
        }
    }
}
