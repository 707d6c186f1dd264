//! One complete request, seen in place: where its frame lies and where its arguments are in it.

/// Where one argument lies in its frame, in bytes from the frame's start.
///
/// A frame is at most `client-query-buffer-limit` long, which the configuration keeps below 4 GiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte of the argument.
    pub start: u32,
    /// Length of the argument, without its CRLF.
    pub len: u32,
}

/// A complete request: a RESP array of bulk strings, as it came off the wire.
///
/// Invariants: `args` is not empty, and each span lies in `frame`.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    frame: &'a [u8],
    args: &'a [Span],
}

impl<'a> Request<'a> {
    /// A view of `frame` with its arguments at `args`, which must lie inside it.
    pub fn new(frame: &'a [u8], args: &'a [Span]) -> Self {
        Self { frame, args }
    }

    /// The whole frame, `*N\r\n` to its last CRLF: what is forwarded to a node.
    pub fn frame(&self) -> &'a [u8] {
        self.frame
    }

    /// How many arguments there are, the command's name included: at least 1.
    pub fn argc(&self) -> usize {
        self.args.len()
    }

    /// The command's name as the client wrote it, in any case.
    pub fn name(&self) -> &'a [u8] {
        self.arg(0).unwrap_or_default()
    }

    /// Argument `index` (0 is the command's name), if there are that many.
    pub fn arg(&self, index: usize) -> Option<&'a [u8]> {
        let span = self.args.get(index)?;
        let start = span.start as usize;
        self.frame.get(start..start + span.len as usize)
    }

    /// The request that the arguments from `first` on are by themselves, if there are any.
    pub fn tail(&self, first: usize) -> Option<Self> {
        let args = self.args.get(first..).filter(|args| !args.is_empty())?;
        Some(Self { frame: self.frame, args })
    }

    /// The arguments from `first` on.
    pub fn args_from(&self, first: usize) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let frame = self.frame;
        let spans = self.args.get(first..).unwrap_or_default();
        spans.iter().map(move |s| &frame[s.start as usize..(s.start + s.len) as usize])
    }

    /// The arguments `first..end` as they are on the wire, their headers included.
    pub fn wire(&self, first: usize, end: usize) -> &'a [u8] {
        let (Some(head), Some(tail)) = (self.args.get(first), self.args.get(end.wrapping_sub(1))) else {
            return &[];
        };
        let header = 3 + head.len.checked_ilog10().unwrap_or(0) as usize + 1;
        &self.frame[head.start as usize - header..(tail.start + tail.len) as usize + 2]
    }
}
