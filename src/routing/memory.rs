//! How the nodes' replies to MEMORY STATS become one: as if one server had all their memory.
//!
//! Pure. Must not know which figures there are, but for those that are no sums. Invariant: a figure that any
//! node tells of is told of once, in the shape in which the first node replied.

use crate::resp::{Protocol, ReplyWriter, Value, parse};

/// What the nodes say of one figure.
enum Figure {
    /// Bytes, or a count: added up.
    Sum(i64),
    /// A ratio, or a percentage: the mean of so many nodes' is shown.
    Mean(f64, u32),
    /// Figures of a part, such as a database.
    Part(Figures),
}

/// In the order in which they were first told of.
#[derive(Default)]
struct Figures(Vec<(Vec<u8>, Figure)>);

/// One reply of `replies`; none if one is not of their shape.
pub(super) fn memory(replies: &[&[u8]]) -> Option<Vec<u8>> {
    let mut figures = Figures::default();
    for reply in replies {
        figures.add(&parse(reply).ok()??.0)?;
    }
    figures.settle();
    let is_map = replies.first()?.starts_with(b"%");
    let (mut reply, protocol) = (Vec::new(), if is_map { Protocol::Resp3 } else { Protocol::Resp2 });
    figures.write(&mut ReplyWriter::new(&mut reply, protocol));
    Some(reply)
}

impl Figures {
    fn add(&mut self, stats: &Value) -> Option<()> {
        let pairs: Vec<(&Value, &Value)> = match stats {
            Value::Map(pairs) => pairs.iter().map(|(name, value)| (name, value)).collect(),
            _ => stats.as_array()?.as_chunks::<2>().0.iter().map(|[name, value]| (name, value)).collect(),
        };
        pairs.into_iter().try_for_each(|(name, value)| self.add_figure(name.as_bytes()?, value))
    }

    fn add_figure(&mut self, name: &[u8], value: &Value) -> Option<()> {
        let at = self.0.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.0.push((name.to_vec(), Figure::first(value)));
            self.0.len() - 1
        });
        match (&mut self.0[at].1, value) {
            (Figure::Sum(sum), Value::Integer(n)) => *sum = sum.saturating_add(*n),
            (Figure::Mean(sum, nodes), value) => {
                *sum += fraction(value)?;
                *nodes += 1;
            }
            (Figure::Part(part), value) => part.add(value)?,
            _ => return None,
        }
        Some(())
    }

    fn sum(&self, name: &str) -> i64 {
        let found = self.0.iter().find(|(known, _)| known == name.as_bytes());
        if let Some((_, Figure::Sum(sum))) = found { *sum } else { 0 }
    }

    /// Makes good what is an integer and no sum, as in redis object.c `getMemoryOverheadData`.
    fn settle(&mut self) {
        let used = (self.sum("total.allocated") - self.sum("startup.allocated")).max(1);
        let each = used.checked_div(self.sum("keys.count")).unwrap_or(0);
        for (name, figure) in &mut self.0 {
            if name == b"keys.bytes-per-key" {
                *figure = Figure::Sum(each);
            }
        }
    }

    fn write(&self, w: &mut ReplyWriter<'_>) {
        w.map(self.0.len());
        for (name, figure) in &self.0 {
            w.bulk(name);
            match figure {
                Figure::Sum(sum) => w.integer(*sum),
                Figure::Mean(sum, nodes) => w.double(sum / f64::from((*nodes).max(1))),
                Figure::Part(part) => part.write(w),
            }
        }
    }
}

impl Figure {
    /// Nothing yet, of the kind of `value`.
    fn first(value: &Value) -> Self {
        match value {
            Value::Integer(_) => Self::Sum(0),
            Value::Map(_) | Value::Array(_) => Self::Part(Figures::default()),
            _ => Self::Mean(0.0, 0),
        }
    }
}

fn fraction(value: &Value) -> Option<f64> {
    match value {
        Value::Double(fraction) => Some(*fraction),
        value => value.as_str()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(replies: &[&str]) -> Option<String> {
        let replies: Vec<&[u8]> = replies.iter().map(|reply| reply.as_bytes()).collect();
        memory(&replies).map(|reply| String::from_utf8(reply).unwrap())
    }

    #[test]
    fn bytes_are_added_up_and_ratios_are_the_mean() {
        let one = "*6\r\n$1\r\na\r\n:5\r\n$1\r\nr\r\n$3\r\n1.5\r\n$4\r\ndb.0\r\n*2\r\n$1\r\nx\r\n:1\r\n";
        let two = "*8\r\n$1\r\na\r\n:7\r\n$1\r\nr\r\n$1\r\n2\r\n$4\r\ndb.0\r\n*2\r\n$1\r\nx\r\n:2\r\n$1\r\nb\r\n:9\r\n";
        let sum = "*8\r\n$1\r\na\r\n:12\r\n$1\r\nr\r\n$4\r\n1.75\r\n$4\r\ndb.0\r\n*2\r\n$1\r\nx\r\n:3\r\n$1\r\nb\r\n:9\r\n";
        assert_eq!(folded(&[one, two]).as_deref(), Some(sum));
        let one = "%2\r\n$1\r\na\r\n:5\r\n$1\r\nr\r\n,1.5\r\n";
        assert_eq!(folded(&[one, one]).as_deref(), Some("%2\r\n$1\r\na\r\n:10\r\n$1\r\nr\r\n,1.5\r\n"));
    }

    #[test]
    fn bytes_per_key_are_those_of_all_keys() {
        let node = |total: u32, keys: u32| {
            format!(
                "*8\r\n$15\r\ntotal.allocated\r\n:{total}\r\n$17\r\nstartup.allocated\r\n:100\r\n\
                 $10\r\nkeys.count\r\n:{keys}\r\n$18\r\nkeys.bytes-per-key\r\n:7\r\n"
            )
        };
        let sum = folded(&[&node(300, 1), &node(100, 0), &node(500, 2)]).unwrap();
        assert!(sum.ends_with("$18\r\nkeys.bytes-per-key\r\n:200\r\n"), "{sum}");
        assert!(folded(&[&node(300, 0)]).unwrap().ends_with("bytes-per-key\r\n:0\r\n"));
    }

    #[test]
    fn what_is_of_another_shape_is_told_from_figures() {
        for odd in ["+OK\r\n", "*2\r\n:1\r\n:1\r\n", "*2\r\n$1\r\na\r\n$1\r\nx\r\n", "*2\r\n$1\r\na\r\n_\r\n"]
        {
            assert_eq!(folded(&[odd]), None, "{odd}");
        }
        assert_eq!(folded(&["*2\r\n$1\r\na\r\n:1\r\n", "*2\r\n$1\r\na\r\n$1\r\n2\r\n"]), None);
        assert_eq!(folded(&[]), None);
    }
}
