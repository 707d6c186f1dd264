//! # Slotway: one plain-RESP address in front of a whole Redis or Valkey Cluster
//!
//! This page is the map. Each module's own page says what it holds, what it must not know and its invariant.
//!
//! ## Layers
//! Imports point down only. L0 to L2 know no tokio, no socket and no clock.
//!
//! ```text
//! L4  main, cli, proxy, sandbox   put the parts together: config -> control + workers + listeners -> drain
//! L3  worker                      data plane: a thread each, its sockets; the only awaits on the data path
//!     control                     control plane: one thread; sole writer of the slot table; HTTP
//! L2  routing, local              pure decisions: request -> route, split, merge, reply -> verdict;
//!                                 replies that slotway makes itself
//! L1  cluster, command            what the cluster says; what a command is
//! L0  resp                        bytes <-> frames; resumable, bounded
//! --  config, metrics, topology, node, identity, scripts, slowlog, log   leaves
//! ```
//!
//! `worker` and `control` never import each other. They meet in [`topology`]: control stores a slot table,
//! workers read it and signal when a node said that it is out of date.
//!
//! ## Threads
//! ```text
//!                 main: accepts, places clients on workers and balances them, takes signals
//!                   |  one message per connection
//!     +-------------+-------------+
//!  worker 0      worker 1  ...  worker N-1      each: its clients, its connections to the nodes
//!     |             |             |
//!     +---- slot table (arc-swap, read once per read) ----+
//!     +---- "please refresh" signals (bounded) -----------+---- control: CLUSTER SLOTS, /metrics, /readyz
//! ```
//! Clients are on as few workers as their load needs: `proxy::balance` says on how many and who is to move, and a client
//! moves between two of its requests (`worker::client::moving`).
//!
//! Before a worker looks at its sockets with nothing else to do (`worker::park`), it waits for more if it is busy, has many
//! clients at a time and found little the last time (`worker::moderation`); else others get its core first while nodes
//! owe it two replies or more (`worker::courtesy`). When it has just asked for the only reply that is due it looks for that at
//! the connection itself for a moment (`worker::busy_poll`).
//!
//! A worker is a thread with a tokio `LocalRuntime`. What its tasks share is in `Rc` and `Cell`. On the
//! path of a request there is no lock, no channel between threads, no task, no oneshot and no allocation. The
//! exception is asked for: with `--backend-connections-per-node` workers share connections through byte queues
//! (`worker::pipe`), each of which has a lock.
//!
//! ## The route of one request
//! 1. `worker::client` reads into the worker's scratch room; [`resp::RequestParser`] finds a frame in place.
//! 2. `worker::dispatch` resolves the [`command`], asks [`routing::route`] where it goes, and takes the
//!    client's next place in line ([ticket](#words)).
//! 3. `worker::backend` appends the bytes to the owner's outbox. `worker::deliver` writes for each backend once, behind
//!    all that is ready and behind the replies of this turn, and looks at the sockets again in between, so one write
//!    carries what all clients asked meanwhile. What is little waits for the next reply of a node that owes many, and so
//!    does what is asked of one that owes as many bytes as keep it busy (`worker::backend`'s queue). The bytes stay in the outbox until they are answered: a redirect finds them there.
//! 4. The node answers; [`resp::ReplyScanner`] finds where the reply ends, [`routing::Verdict`] says what it
//!    means: deliver, follow a redirect, or try again.
//! 5. `worker::line` puts the reply into the client's outbox if it is the head of the line, else parks it.
//!    `worker::deliver` writes for each client once too; replies to what was read at once wait for each other up to
//!    four milliseconds, unless about all that nodes owe is that client's.
//!
//! Where replicas may be read (`--read-from`), `worker::reads` chooses another node than the owner for reads, by
//! what [`routing::Readers`] says of the table and what the connections show.
//!
//! What speaks of the whole key space or must be on every node takes the same way as many times as there are
//! primaries: `worker::broadcast` sends it, [`routing::Fold`] makes one reply of theirs.
//!
//! ## Messages
//! `worker::pubsub` subscribes once at the nodes for all clients of its worker that listen to a channel, over
//! connections of its own ([`routing::ChannelKind`] says where), and appends each message to its clients'
//! outboxes between replies. The confirmation of a subscription is a reply like any other; no message comes
//! before it.
//!
//! ## Changed keys
//! `worker::tracking` hears of every key that changes over a connection to each primary, while any client of its
//! worker wants that, and tells those who read them, behind replies that may be older. Who does not want to hear
//! of its own writes has connections of its own, since only nodes can tell whose a write was.
//!
//! ## Watching
//! `worker::slow` notes requests that took long when they are answered, from the bytes in the outbox.
//! `worker::monitor` monitors each primary while any client of its worker does, and hands the nodes' lines on.
//! Its connections, and those that hear of changed keys, are kept by `worker::primaries`.
//!
//! ## Transactions and blocks
//! A transaction is queued by `worker::transaction` and takes the same route in one piece, to backends that its
//! client is *lent* meanwhile (`worker::lending`). Requests that block, and those behind a WATCH, leave the route: a
//! task carries each over a *dedicated* connection while its client's other requests wait (`worker::apart`,
//! `worker::errand`).
//!
//! Commands on keys of many slots that cannot be cut are errands too (`worker::cross`, [`routing::Cross`]). Those
//! that wait for something hear from the nodes of their keys when to look again (`worker::lookout`).
//!
//! ## Invariants
//! 1. Each request gets exactly one reply, in the order in which its client sent them. A ticket that is
//!    dropped unanswered answers itself.
//! 2. Two requests of one client for the same slot, but for reads that replicas may answer, reach the data in the
//!    order in which they were sent. Owners seldom change; when they do, a client that waits for replies sends
//!    nothing new until it has them, and requests for a slot that is moving go one at a time. What a node did not
//!    run strays until it is answered: `worker::stray` knows what later requests of its client may not pass.
//!    `worker::sim` tries that in virtual time, and `docs/guarantees.md` words the rules.
//! 3. A request is sent a second time only if it surely did not run, or only reads. A write whose connection
//!    broke after it was written is answered with an error that says so.
//! 4. Only control stores a slot table; a stored table never changes.
//! 5. Whatever a peer can make grow has a bound, named where it stands. At the bound slotway stops reading
//!    that client or answers with an error.
//! 6. Nothing a peer sends makes a worker panic or wait, nor touches another client.
//!
//! ## Latency, defined
//! - `command_duration`: from the read that completed the request to the write that handed the last byte of the
//!   reply to the client's socket.
//! - `queue_duration`: from that read to the write of the request's last byte to the node.
//! - `backend_duration`: from that write to the read that completed the node's reply.
//! - `reply_wait`: from that read to the hand-over to the client: the wait behind earlier replies.
//!
//! The clock is read once per read and once per write of a connection, not per request.
//!
//! ## Words
//! client: who connects to us. backend: our connection to a node. node, primary, replica. slot, hash tag, slot
//! table, owner. topology, refresh. request, reply, error reply, push. command: an entry of the command table.
//! redirect: moved or ask. *Route*: where a request goes. *Verdict*: what a reply means for its request.
//! *Topic*: a channel or pattern that clients of a worker listen to. *Home*: a node where it is subscribed.
//! *In flight*: given to a backend, not answered. *Ticket*: a request's place in its client's reply order.
//! *Profile*: what clients must have in common to share a backend: protocol version and database, and that none has
//! it for itself. *Lent*: of a profile that is one client's while its transactions are under way. *Pipe*: a connection
//! to a node that workers share. *Lane*: one worker's part of a pipe.
//! *Dedicated*: a backend connection that belongs to one client at a time. *Errand*: a request that a task
//! carries over one. *Bundle*: a transaction on its way, answered with many replies.

pub mod cli;
pub mod cluster;
pub mod command;
pub mod config;
pub mod control;
pub mod identity;
pub mod local;
pub mod log;
pub mod metrics;
pub mod node;
pub mod proxy;
pub mod resp;
pub mod routing;
pub mod sandbox;
pub mod scripts;
pub mod slowlog;
pub mod topology;
pub mod worker;
