//! Writes replies in the client's protocol version, and requests in RESP arrays.
//!
//! Knows no command. Invariant: each call appends one well-formed value or aggregate header; the caller
//! sees to it that an aggregate's values follow.

/// Version of the protocol that a client speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Default)]
pub enum Protocol {
    /// What every connection starts with.
    #[default]
    Resp2,
    /// After `HELLO 3`: maps, sets, doubles, booleans, one null.
    Resp3,
}

/// Appends replies to a client's output.
#[derive(Debug)]
pub struct ReplyWriter<'a> {
    out: &'a mut Vec<u8>,
    protocol: Protocol,
}

impl<'a> ReplyWriter<'a> {
    /// A writer that appends to `out`.
    pub fn new(out: &'a mut Vec<u8>, protocol: Protocol) -> Self {
        Self { out, protocol }
    }

    /// The version that replies are written in.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// A simple string; CR and LF in it become spaces.
    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// An error reply, its code (`ERR`) included in `text`; CR and LF in it become spaces.
    pub fn error(&mut self, text: impl AsRef<[u8]>) {
        self.line(b'-', text.as_ref());
    }

    /// An integer.
    pub fn integer(&mut self, value: i64) {
        self.number(b':', value);
    }

    /// A bulk string.
    pub fn bulk(&mut self, bytes: &[u8]) {
        encode_bulk(self.out, bytes);
    }

    /// Nothing where a string could be.
    pub fn null(&mut self) {
        self.either(b"$-1\r\n", b"_\r\n");
    }

    /// Nothing where an array could be.
    pub fn null_array(&mut self) {
        self.either(b"*-1\r\n", b"_\r\n");
    }

    /// The header of an array; `len` values follow.
    pub fn array(&mut self, len: usize) {
        encode_header(self.out, b'*', len);
    }

    /// The header of a map; `pairs` times a key and a value follow.
    pub fn map(&mut self, pairs: usize) {
        match self.protocol {
            Protocol::Resp2 => self.array(pairs * 2),
            Protocol::Resp3 => encode_header(self.out, b'%', pairs),
        }
    }

    /// The header of a set; `len` values follow.
    pub fn set(&mut self, len: usize) {
        self.aggregate(b'~', len);
    }

    /// The header of a push; `len` values follow.
    pub fn push(&mut self, len: usize) {
        self.aggregate(b'>', len);
    }

    /// A boolean; `1` or `0` in RESP2.
    pub fn bool(&mut self, value: bool) {
        match (self.protocol, value) {
            (Protocol::Resp2, value) => self.integer(i64::from(value)),
            (Protocol::Resp3, true) => self.out.extend_from_slice(b"#t\r\n"),
            (Protocol::Resp3, false) => self.out.extend_from_slice(b"#f\r\n"),
        }
    }

    /// A double; a bulk string in RESP2.
    pub fn double(&mut self, value: f64) {
        let text = if value.is_nan() { "nan".to_owned() } else { value.to_string() };
        match self.protocol {
            Protocol::Resp2 => self.bulk(text.as_bytes()),
            Protocol::Resp3 => self.line(b',', text.as_bytes()),
        }
    }

    /// Text for people; a bulk string in RESP2.
    pub fn verbatim(&mut self, text: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text.as_bytes()),
            Protocol::Resp3 => {
                encode_header(self.out, b'=', text.len() + 4);
                self.out.extend_from_slice(b"txt:");
                self.out.extend_from_slice(text.as_bytes());
                self.out.extend_from_slice(b"\r\n");
            }
        }
    }

    fn aggregate(&mut self, kind: u8, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.array(len),
            Protocol::Resp3 => encode_header(self.out, kind, len),
        }
    }

    fn either(&mut self, resp2: &[u8], resp3: &[u8]) {
        self.out.extend_from_slice(match self.protocol {
            Protocol::Resp2 => resp2,
            Protocol::Resp3 => resp3,
        });
    }

    fn number(&mut self, kind: u8, value: i64) {
        self.out.push(kind);
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.out.push(kind);
        self.out.extend(text.iter().map(|&byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }));
        self.out.extend_from_slice(b"\r\n");
    }
}

/// Appends a request: an array of bulk strings.
pub fn encode_request(out: &mut Vec<u8>, args: &[impl AsRef<[u8]>]) {
    encode_header(out, b'*', args.len());
    for arg in args {
        encode_bulk(out, arg.as_ref());
    }
}

fn encode_bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    encode_header(out, b'$', bytes.len());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

fn encode_header(out: &mut Vec<u8>, kind: u8, len: usize) {
    out.push(kind);
    out.extend_from_slice(itoa::Buffer::new().format(len).as_bytes());
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(protocol: Protocol, write: impl Fn(&mut ReplyWriter<'_>)) -> String {
        let mut out = Vec::new();
        write(&mut ReplyWriter::new(&mut out, protocol));
        String::from_utf8(out).unwrap()
    }

    fn both(write: impl Fn(&mut ReplyWriter<'_>)) -> [String; 2] {
        [written(Protocol::Resp2, &write), written(Protocol::Resp3, &write)]
    }

    #[test]
    fn each_type_has_its_shape_in_each_version() {
        assert_eq!(both(|w| w.simple("OK")), ["+OK\r\n"; 2]);
        assert_eq!(both(|w| w.error("ERR x")), ["-ERR x\r\n"; 2]);
        assert_eq!(both(|w| w.integer(-7)), [":-7\r\n"; 2]);
        assert_eq!(both(|w| w.bulk(b"ab")), ["$2\r\nab\r\n"; 2]);
        assert_eq!(both(|w| w.null()), ["$-1\r\n", "_\r\n"]);
        assert_eq!(both(|w| w.null_array()), ["*-1\r\n", "_\r\n"]);
        assert_eq!(both(|w| w.array(2)), ["*2\r\n"; 2]);
        assert_eq!(both(|w| w.map(2)), ["*4\r\n", "%2\r\n"]);
        assert_eq!(both(|w| w.set(2)), ["*2\r\n", "~2\r\n"]);
        assert_eq!(both(|w| w.push(2)), ["*2\r\n", ">2\r\n"]);
        assert_eq!(both(|w| w.bool(true)), [":1\r\n", "#t\r\n"]);
        assert_eq!(both(|w| w.bool(false)), [":0\r\n", "#f\r\n"]);
        assert_eq!(both(|w| w.double(1.5)), ["$3\r\n1.5\r\n", ",1.5\r\n"]);
        assert_eq!(both(|w| w.double(f64::NEG_INFINITY)), ["$4\r\n-inf\r\n", ",-inf\r\n"]);
        assert_eq!(both(|w| w.double(f64::NAN)), ["$3\r\nnan\r\n", ",nan\r\n"]);
        assert_eq!(both(|w| w.verbatim("hi")), ["$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"]);
    }

    #[test]
    fn a_line_never_holds_a_line_end() {
        assert_eq!(both(|w| w.error("ERR a\r\nb")), ["-ERR a  b\r\n"; 2]);
    }

    #[test]
    fn a_request_is_an_array_of_bulk_strings() {
        let mut out = Vec::new();
        encode_request(&mut out, &["GET", ""]);
        assert_eq!(out, b"*2\r\n$3\r\nGET\r\n$0\r\n\r\n");
    }
}
