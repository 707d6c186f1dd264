//! One scripted node: a listener, a thread for each connection, a record of all it was sent.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{
    Shared,
    script::{Act, Script},
    store,
};
use crate::support::{
    ports::free_port,
    resp::{self, Value},
    wait::eventually,
};

struct State {
    port: u16,
    shared: Arc<Shared>,
    script: Mutex<Script>,
    seen: Mutex<Vec<String>>,
    streams: Mutex<Vec<TcpStream>>,
    listening: AtomicBool,
}

/// Dropping it stops it.
pub(super) struct Node {
    state: Arc<State>,
}

impl Node {
    pub(super) fn start(shared: Arc<Shared>) -> Self {
        let state = State {
            port: free_port(),
            shared,
            script: Mutex::default(),
            seen: Mutex::default(),
            streams: Mutex::default(),
            listening: AtomicBool::new(false),
        };
        let node = Self { state: Arc::new(state) };
        node.resume();
        node
    }

    pub(super) fn port(&self) -> u16 {
        self.state.port
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
        self.state.script.lock().expect("not poisoned")
    }

    pub(super) fn seen(&self) -> Vec<String> {
        self.state.seen.lock().expect("not poisoned").clone()
    }

    /// Listens, on IPv6 too where there is any.
    pub(super) fn resume(&self) {
        self.state.listening.store(true, Ordering::SeqCst);
        // Until it runs a program of its own, a process that another test starts has all that was open when it began, and
        // that may be what looked whether this port is free.
        let listener = eventually("the port is free", || TcpListener::bind(("127.0.0.1", self.port())).ok());
        accept_all(Arc::clone(&self.state), listener);
        if let Ok(listener) = TcpListener::bind(("::1", self.port())) {
            accept_all(Arc::clone(&self.state), listener);
        }
    }

    /// Closes every connection; new ones are refused once this returns.
    pub(super) fn stop(&self) {
        self.state.listening.store(false, Ordering::SeqCst);
        for host in ["127.0.0.1", "::1"] {
            // Each listener waits in accept: one connection wakes it, and the next is refused once it has closed.
            while TcpStream::connect((host, self.port())).is_ok() {}
        }
        for stream in self.state.streams.lock().expect("not poisoned").drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop();
    }
}

fn accept_all(state: Arc<State>, listener: TcpListener) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if !state.listening.load(Ordering::SeqCst) {
                return;
            }
            state.streams.lock().expect("not poisoned").push(stream.try_clone().expect("a second handle"));
            let state = Arc::clone(&state);
            thread::spawn(move || {
                Connection { state, stream, resp3: false, trusted: false, queue: None }.serve();
            });
        }
    });
}

struct Connection {
    state: Arc<State>,
    stream: TcpStream,
    resp3: bool,
    trusted: bool,
    queue: Option<Queue>,
}

/// A transaction: its commands, and whether one was refused.
#[derive(Default)]
struct Queue {
    commands: Vec<Vec<Vec<u8>>>,
    refused: bool,
}

impl Connection {
    /// Until either end closes.
    fn serve(mut self) {
        let (mut bytes, mut scratch) = (Vec::new(), vec![0; 1 << 16]);
        let mut stalled = false;
        loop {
            if self.take_all(&mut bytes, &mut stalled).is_none() {
                drop(self.stream.shutdown(Shutdown::Both));
                return;
            }
            match self.stream.read(&mut scratch) {
                Ok(0) | Err(_) => return,
                Ok(read) => bytes.extend_from_slice(&scratch[..read]),
            }
        }
    }

    /// Every request that is whole; `None` ends the connection.
    fn take_all(&mut self, bytes: &mut Vec<u8>, stalled: &mut bool) -> Option<()> {
        while let Some((request, length)) = resp::parse(bytes) {
            bytes.drain(..length);
            let args = words(&request);
            let act = self.receive(&args);
            *stalled |= matches!(act, Act::Stall);
            if !*stalled {
                self.perform(act, &args)?;
            }
        }
        Some(())
    }

    fn receive(&self, args: &[Vec<u8>]) -> Act {
        let shown: Vec<_> = args.iter().map(|arg| String::from_utf8_lossy(arg)).collect();
        let line = shown.join(" ");
        self.state.seen.lock().expect("not poisoned").push(line.clone());
        self.state.script.lock().expect("not poisoned").next(&line)
    }

    /// `None` ends the connection.
    fn perform(&mut self, act: Act, args: &[Vec<u8>]) -> Option<()> {
        let reply = match act {
            Act::Reply(bytes) => {
                if let Some(queue) = &mut self.queue {
                    queue.refused |= bytes.starts_with(b"-");
                }
                if args[0].eq_ignore_ascii_case(b"EXEC") {
                    self.queue = None;
                }
                bytes
            }
            Act::Cut(bytes) => {
                self.stream.write_all(&bytes).ok()?;
                return None;
            }
            Act::Close => return None,
            Act::Stall => return Some(()),
            Act::Hold(gate) => {
                gate.pass();
                self.answer(args)
            }
            Act::Behave => self.answer(args),
        };
        self.stream.write_all(&reply).ok()
    }

    fn answer(&mut self, args: &[Vec<u8>]) -> Vec<u8> {
        let word =
            |index: usize| args.get(index).map(|arg| String::from_utf8_lossy(arg).to_ascii_uppercase());
        let name = word(0).unwrap_or_default();
        if !matches!(name.as_str(), "HELLO" | "AUTH") && !self.may_ask() {
            return b"-NOAUTH Authentication required.\r\n".to_vec();
        }
        match name.as_str() {
            "MULTI" => {
                self.queue = Some(Queue::default());
                return b"+OK\r\n".to_vec();
            }
            "EXEC" => return self.execute(),
            _ => {}
        }
        if let Some(queue) = &mut self.queue {
            queue.commands.push(args.to_vec());
            return b"+QUEUED\r\n".to_vec();
        }
        match (name.as_str(), word(1).as_deref()) {
            ("CLIENT", Some("ID")) => b":7\r\n".to_vec(),
            ("HELLO", version) => self.hello(version == Some("3"), args),
            ("AUTH", _) => self.authenticate(args.last()),
            ("CLUSTER", Some("SLOTS")) => self.state.shared.slots_reply(),
            ("PING", None) => b"+PONG\r\n".to_vec(),
            ("COMMAND", _) => b"*1\r\n*-1\r\n".to_vec(),
            _ => store::answer(&mut self.state.shared.store.lock().expect("not poisoned"), args, self.resp3),
        }
    }

    fn execute(&mut self) -> Vec<u8> {
        match self.queue.take() {
            None => b"-ERR EXEC without MULTI\r\n".to_vec(),
            Some(queue) if queue.refused => {
                b"-EXECABORT Transaction discarded because of previous errors.\r\n".to_vec()
            }
            Some(queue) => {
                let mut reply = format!("*{}\r\n", queue.commands.len()).into_bytes();
                for command in queue.commands {
                    reply.extend_from_slice(&self.answer(&command));
                }
                reply
            }
        }
    }

    fn may_ask(&self) -> bool {
        self.trusted || self.state.shared.password.lock().expect("not poisoned").is_none()
    }

    fn authenticate(&mut self, given: Option<&Vec<u8>>) -> Vec<u8> {
        let wanted = self.state.shared.password.lock().expect("not poisoned").clone();
        self.trusted = wanted.is_none_or(|wanted| given.is_some_and(|given| *given == wanted.as_bytes()));
        if self.trusted { b"+OK\r\n".to_vec() } else { b"-WRONGPASS no\r\n".to_vec() }
    }

    fn hello(&mut self, resp3: bool, args: &[Vec<u8>]) -> Vec<u8> {
        if args.len() >= 5 {
            let refused = self.authenticate(args.get(4));
            if !self.trusted {
                return refused;
            }
        }
        if !self.may_ask() {
            return b"-NOAUTH HELLO must be called with the client already authenticated\r\n".to_vec();
        }
        self.resp3 = resp3;
        let (kind, proto) = if resp3 { ("%2", 3) } else { ("*4", 2) };
        format!("{kind}\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:{proto}\r\n").into_bytes()
    }
}

fn words(request: &Value) -> Vec<Vec<u8>> {
    let items = request.items().iter();
    items
        .map(|item| if let Value::Bulk(word) = item { word.clone() } else { panic!("a request: {item:?}") })
        .collect()
}
