//! WATCH and UNWATCH: a connection of the client's own from WATCH to EXEC.
//!
//! Knows of the transaction only the bytes and how to read the replies. Invariant: a watch that was lost, with
//! its connection or with its slot, makes EXEC answer nil; it never succeeds silently.

use std::{rc::Rc, time::Duration};

use super::{
    Worker, apart,
    bundle::Bundle,
    client::Client,
    dedicated::Dedicated,
    dispatch::{self, Step},
    errand::{Answered, Errand},
    line::Reply,
    redirect::MAY_HAVE_RUN,
    transaction::take_queued,
};
use crate::{
    cluster::Slot,
    command::Command,
    resp::{ASKING, Protocol, ReplyWriter, Request},
    routing::{Refusal, Verdict},
    topology::Signal,
};

const UNWATCH: &[u8] = b"*1\r\n$7\r\nUNWATCH\r\n";
/// Longest wait for a connection to be cleaned; else it is closed.
const CLEAN_WITHIN: Duration = Duration::from_secs(2);

/// Keys that must not change before EXEC.
pub(super) struct Watched {
    /// Where they are watched; nothing when that connection was lost.
    connection: Option<Dedicated>,
    pub(super) slot: Slot,
    /// Whether the slot was on its way to this node.
    asking: bool,
    pub(super) keys: usize,
}

/// WATCH: over the connection that watches already, or over one that does from now on.
pub(super) fn watch(
    client: &Rc<Client>,
    command: &'static Command,
    slot: Slot,
    request: Request<'_>,
) -> Step {
    let other = client.apart.look(|affairs| affairs.watched.as_ref().is_some_and(|w| w.slot != slot));
    if other {
        return dispatch::refused(client, command, Refusal::CrossSlot);
    }
    if client.waits() || !client.settles() {
        return Step::Hold;
    }
    let (ticket, keys) = (client.ticket(Some(command)), request.argc() - 1);
    let request = request.frame().to_vec();
    let before = client.apart.change(|affairs| affairs.watched.take());
    let errand_of = Rc::clone(client);
    apart::send(client, false, async move {
        let client = errand_of;
        let (reply, watched) = match before {
            Some(watched) => client.worker.watch_more(watched, &request, keys).await,
            None => watch_first(&client, slot, request, keys).await,
        };
        client.apart.change(|affairs| affairs.watched = watched);
        move || ticket.answer(Reply::Own(reply.into()))
    });
    Step::Done
}

async fn watch_first(
    client: &Rc<Client>,
    slot: Slot,
    request: Vec<u8>,
    keys: usize,
) -> (Vec<u8>, Option<Watched>) {
    // A WATCH that was lost watches nothing: it may be sent again.
    match Errand::new(client, slot, request, true).run().await {
        Ok(Answered { reply, connection, asking }) if reply.starts_with(b"+") => {
            (reply, Some(Watched { connection: Some(connection), slot, asking, keys }))
        }
        Ok(Answered { reply, .. }) | Err(reply) => (reply, None),
    }
}

impl Worker {
    /// Watches more keys. If their node is lost or will not, so is the whole watch, and EXEC will say so.
    async fn watch_more(
        &self,
        mut watched: Watched,
        request: &[u8],
        keys: usize,
    ) -> (Vec<u8>, Option<Watched>) {
        watched.keys += keys;
        let prefix = if watched.asking { ASKING } else { &[] };
        let request = [prefix, request].concat();
        let replies = 1 + usize::from(watched.asking);
        if let Some(mut connection) = watched.connection.take()
            && connection.is_quiet().await
            && let Ok(replies) = connection.exchange(&request, replies, self.patience()).await
            && let Some(reply) = replies.last()
            && Verdict::of(reply, &connection.addr) == Verdict::Deliver
        {
            watched.connection = Some(connection);
            return (reply.clone(), Some(watched));
        }
        (b"+OK\r\n".to_vec(), Some(watched))
    }
}

/// EXEC over the connection that watches, when all that was sent over the shared ones is answered.
pub(super) fn exec(client: &Rc<Client>, command: &'static Command) -> Step {
    if client.waits() {
        return Step::Hold;
    }
    let ticket = client.ticket(Some(command));
    let watched = client.apart.change(|affairs| affairs.watched.take());
    let Some(((bytes, bundle), watched)) = take_queued(client).zip(watched) else {
        return Step::Done;
    };
    client.wrote.note(Some(watched.slot));
    let (worker, protocol) = (Rc::clone(&client.worker), client.protocol.get());
    let (begun, node) = (worker.now(), watched.connection.as_ref().map(|connection| connection.addr.clone()));
    apart::send(client, false, async move {
        let reply = match worker.execute(watched, &bytes, bundle).await {
            Some(reply) => reply,
            None => nil(protocol),
        };
        worker.note_if_slow(&ticket, &bytes, begun, node.map(|addr| (addr, worker.age(begun))));
        move || ticket.answer(Reply::Own(reply.into()))
    });
    Step::Done
}

/// What EXEC answers when a watched key changed.
fn nil(protocol: Protocol) -> Vec<u8> {
    let mut reply = Vec::new();
    ReplyWriter::new(&mut reply, protocol).null_array();
    reply
}

impl Worker {
    /// The reply to EXEC; nothing if the watch was lost before it ran.
    async fn execute(&self, watched: Watched, bytes: &[u8], mut bundle: Bundle) -> Option<Vec<u8>> {
        let mut connection = watched.connection?;
        if !connection.is_quiet().await {
            return None;
        }
        let prefix = if watched.asking { ASKING } else { &[] };
        let loads = self.loads(&bundle);
        let extra = loads.len() + usize::from(watched.asking);
        let request = [&loads.concat(), prefix, bytes].concat();
        let done = connection.exchange(&request, bundle.replies() + extra, self.patience()).await;
        self.tick_clock();
        let Ok(replies) = done.as_deref() else {
            self.topology.signal(Signal::Lost);
            let ran = done.is_err_and(|broken| broken.sent) && !bundle.read_only;
            return ran.then(|| MAY_HAVE_RUN.to_vec());
        };
        let (exec, before) = replies[extra..].split_last()?;
        before.iter().for_each(|reply| {
            bundle.takes(reply);
        });
        let (verdict, error) = bundle.judge(exec, &connection.addr);
        if exec.starts_with(b"*") || exec.starts_with(b"_") || exec.starts_with(b"-EXECABORT ") {
            self.pool.give_back(connection);
        }
        match verdict {
            Verdict::Deliver | Verdict::Noscript | Verdict::Nofunction => {
                Some(error.unwrap_or_else(|| exec.clone()))
            }
            Verdict::Follow(redirect) => {
                self.note_redirect(&redirect);
                None
            }
            Verdict::Retry(after) => {
                self.note_retry(after, Some(watched.slot));
                None
            }
        }
    }

    /// How long a node may take to answer what does not block.
    pub(super) fn patience(&self) -> Option<Duration> {
        Some(self.config.backend_timeout).filter(|timeout| !timeout.is_zero())
    }

    /// Leaves no watch on `connection`, for the next client.
    async fn clean(self: Rc<Self>, mut connection: Dedicated) {
        let done = connection.exchange(UNWATCH, 1, Some(CLEAN_WITHIN)).await;
        if done.is_ok_and(|replies| replies.first().is_some_and(|reply| reply.starts_with(b"+"))) {
            self.pool.give_back(connection);
        }
    }
}

/// Watches nothing any more.
pub(super) fn unwatch(client: &Client) {
    let watched = client.apart.change(|affairs| affairs.watched.take());
    if let Some(connection) = watched.and_then(|watched| watched.connection) {
        tokio::task::spawn_local(Rc::clone(&client.worker).clean(connection));
    }
}

/// The client speaks another protocol version from now on: its watch can't be carried over.
pub(super) fn lose(client: &Client) {
    if client.apart.look(|affairs| affairs.watched.is_some()) {
        client.apart.change(|affairs| {
            if let Some(watched) = &mut affairs.watched {
                watched.connection = None;
            }
        });
    }
}
