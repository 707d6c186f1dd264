//! Requests that wait on their node for something to happen, each over a connection of its client's own, and
//! CLIENT UNBLOCK.

use std::rc::Rc;

use super::{
    Worker,
    apart::{self, Place},
    client::Client,
    cross::ODD_REPLY,
    dial,
    dispatch::Step,
    errand::{Block, Errand},
    line::Reply,
    news,
};
use crate::{
    cluster::Slot,
    command::Command,
    node,
    resp::{Request, Value},
    routing::Series,
};

/// Sends `request`, which may block, when all before it is answered.
pub(super) fn block(
    client: &Rc<Client>,
    command: &'static Command,
    slot: Slot,
    request: Request<'_>,
) -> Step {
    if client.waits() || !client.settles() {
        return Step::Hold;
    }
    let ticket = client.ticket(Some(command));
    let series =
        wants_news(command, &request).then(|| Series::of(command, request, &client.worker.keys.borrow()));
    let errand = Errand {
        block: Block::For(command.block_time(&request)),
        ..Errand::new(client, slot, request.frame().to_vec(), command.read_only())
    };
    apart::send(client, true, async move {
        let reply = run(errand, series).await.unwrap_or_else(|error| error);
        move || ticket.answer(Reply::Own(reply.into()))
    });
    Step::Done
}

/// Whether it reads of a stream only what is new.
fn wants_news(command: &Command, request: &Request<'_>) -> bool {
    command.name == "xread" && request.args_from(0).any(|arg| arg == b"$")
}

async fn run(mut errand: Errand, series: Option<Series>) -> Result<Vec<u8>, Vec<u8>> {
    let client = Rc::clone(&errand.client);
    if let Some(mut series) = series {
        match news::settle(&client, &mut series).await {
            Ok(()) => errand.request = series.whole(),
            // Without leave to look, news are what comes after the last try.
            Err(error) if error.starts_with(b"-NOPERM ") || error == ODD_REPLY => {}
            Err(error) => return Err(error),
        }
    }
    let answered = errand.run().await?;
    client.worker.pool.give_back(answered.connection);
    Ok(answered.reply)
}

impl Worker {
    /// Lets client `id` of this worker go on: as after its time, or with an error. Returns whether it was blocked.
    ///
    /// Its node is asked to, which alone knows whether the client was given something in the meantime. Between
    /// two tries at different nodes a client is blocked nowhere.
    pub(super) async fn unblock(self: Rc<Self>, id: u64, with_error: bool) -> bool {
        let client = self.clients.borrow().get(&id).cloned();
        let places = client.as_ref().map(|client| client.apart.waits_at()).unwrap_or_default();
        let mut unblocked = false;
        if let Some(client) = &client {
            unblocked |= client.apart.release(with_error);
        }
        for place in places {
            place.recalled.set(true);
            unblocked |= self.unblock_at(&place, with_error).await;
        }
        unblocked
    }

    async fn unblock_at(&self, place: &Place, with_error: bool) -> bool {
        let number = place.number.to_string();
        let how: &[u8] = if with_error { b"ERROR" } else { b"TIMEOUT" };
        let request: [&[u8]; 4] = [b"CLIENT", b"UNBLOCK", number.as_bytes(), how];
        let reply = node::ask(&place.addr, &self.credentials, &request, dial::timeout(&self.config)).await;
        reply == Ok(Value::Integer(1))
    }
}
