//! Requests that slotway answers itself: about the connection, the commands, and itself as the one node
//! that it presents.

mod client;
mod clients;
mod hello;
mod info;
mod latency;
mod pubsub;
mod slowlog;
mod tracking;

use std::{net::SocketAddr, rc::Rc};

use super::{
    Worker, apart, broadcast,
    client::Client,
    dispatch::{Step, may_send, no_admin, refuse, send},
    flight::Flight,
    line::Reply,
    profile,
};
use crate::{
    cluster::Slot,
    command::{Command, Local},
    local::{self, cluster::OneNode},
    metrics::CloseReason,
    resp::{ReplyWriter, Request},
};
pub(super) use clients::listed;
pub(super) use pubsub::{forbids, refuse_forbidden};

/// The error reply with `text`, which must hold no line end.
pub(super) fn error(text: &str) -> String {
    format!("-{}\r\n", text.replace(['\r', '\n'], " "))
}

/// Whether `command` is served before the password is given, as in redis commands (flag `no_auth`).
pub(super) fn needs_no_password(command: &Command) -> bool {
    matches!(command.name, "auth" | "hello" | "quit" | "reset")
}

/// Answers `request`.
pub(super) fn answer(
    client: &Rc<Client>,
    command: &'static Command,
    local: Local,
    request: Request<'_>,
) -> Step {
    let ask = Ask { client, command, request };
    match local {
        Local::Ping => ask.ping(),
        Local::Echo => ask.write(|w| w.bulk(ask.arg(1))),
        Local::Quit => {
            ask.ok();
            client.end(CloseReason::Quit, true);
            Step::Done
        }
        Local::Reset => ask.reset(),
        Local::Hello => hello::hello(&ask),
        Local::Auth => hello::auth(&ask),
        Local::Select => ask.select(),
        Local::Command => {
            ask.write(|w| local::command::reply(&request, &mut ask.worker().keys.borrow_mut(), w))
        }
        Local::Client => client::answer(&ask),
        Local::Readonly | Local::Readwrite | Local::Asking => ask.ok(),
        Local::Config => ask.config(),
        Local::Time => ask.time(),
        Local::Lolwut => ask.lolwut(),
        Local::Cluster => ask.cluster(),
        Local::Info => info::answer(&ask),
        Local::Subscribe => pubsub::subscribe(&ask),
        Local::Unsubscribe => pubsub::unsubscribe(&ask),
        Local::Pubsub => pubsub::answer(&ask),
        Local::LatencyHistogram => latency::histogram(&ask),
        Local::Monitor => ask.monitor(),
        Local::Slowlog => slowlog::answer(&ask),
        Local::Commandlog => slowlog::answer_of_kind(&ask),
        Local::Role => ask.role(),
        Local::Whoami => ask.write(|w| w.bulk(b"default")),
    }
}

/// No primary can be had, or none lets itself be monitored.
const NOT_MONITORED: &str = "CLUSTERDOWN no primary can be monitored";

/// A request that is answered here.
struct Ask<'a> {
    client: &'a Rc<Client>,
    command: &'static Command,
    request: Request<'a>,
}

impl<'a> Ask<'a> {
    fn worker(&self) -> &'a Rc<Worker> {
        &self.client.worker
    }

    /// Argument `index`, empty if there are fewer.
    fn arg(&self, index: usize) -> &'a [u8] {
        self.request.arg(index).unwrap_or_default()
    }

    /// The name of the subcommand.
    fn subcommand(&self) -> &'static str {
        self.command.name.split_once('|').map_or("", |(_, name)| name)
    }

    /// Answers with what `write` writes.
    fn write(&self, write: impl FnOnce(&mut ReplyWriter<'_>)) -> Step {
        let mut reply = self.worker().reply.borrow_mut();
        reply.clear();
        write(&mut ReplyWriter::new(&mut reply, self.client.protocol.get()));
        self.client.reply(Some(self.command), &reply);
        Step::Done
    }

    fn ok(&self) -> Step {
        self.client.reply(Some(self.command), b"+OK\r\n");
        Step::Done
    }

    fn refuse(&self, text: &str) -> Step {
        refuse(self.client, Some(self.command), text)
    }

    fn refuse_arity(&self) -> Step {
        self.refuse(&format!("ERR wrong number of arguments for '{}' command", self.command.name))
    }

    fn ping(&self) -> Step {
        match self.request.argc() {
            // Where messages may come between, the answer looks like one.
            1 | 2 if pubsub::subscribes2(self.client) => self.write(|w| {
                w.array(2);
                w.bulk(b"pong");
                w.bulk(self.arg(1));
            }),
            1 => self.write(|w| w.simple("PONG")),
            2 => self.write(|w| w.bulk(self.arg(1))),
            _ => self.refuse_arity(),
        }
    }

    /// The version that VERSION chooses has but one picture here. Texts as in redis lolwut.c.
    fn lolwut(&self) -> Step {
        let version = self.request.arg(2).filter(|_| self.arg(1).eq_ignore_ascii_case(b"version"));
        let is_number = |text: &[u8]| std::str::from_utf8(text).is_ok_and(|text| text.parse::<i64>().is_ok());
        if version.is_some_and(|text| !is_number(text)) {
            return self.refuse("ERR value is not an integer or out of range");
        }
        self.write(local::lolwut::reply)
    }

    /// Texts as in redis db.c `selectCommand`.
    fn select(&self) -> Step {
        let number = std::str::from_utf8(self.arg(1)).ok().and_then(|text| text.parse::<i64>().ok());
        match number.map(i32::try_from) {
            Some(Ok(number)) => profile::select(self.client, self.command, number),
            Some(Err(_)) => {
                self.refuse("ERR value is out of range, value must between -2147483648 and 2147483647")
            }
            None => self.refuse("ERR value is not an integer or out of range"),
        }
    }

    /// A primary without replicas, as INFO says too. The shape is that of redis replication.c `roleCommand`.
    fn role(&self) -> Step {
        self.write(|w| {
            w.array(3);
            w.bulk(b"master");
            w.integer(0);
            w.array(0);
        })
    }

    fn reset(&self) -> Step {
        // A subscription that is not answered yet is, first.
        if self.client.listens.get() && self.client.waits() {
            return Step::Hold;
        }
        self.worker().unsubscribe_all(self.client);
        hello::reset(self.client);
        self.write(|w| w.simple("RESET"))
    }

    /// From its answer on the client is shown what the primaries are asked.
    fn monitor(&self) -> Step {
        if !self.worker().config.admin_commands {
            return no_admin(self.client, self.command);
        }
        if self.client.waits() {
            return Step::Hold;
        }
        let (ticket, monitor) = (self.client.ticket(Some(self.command)), Rc::clone(self.client));
        apart::send(self.client, false, async move {
            let worker = Rc::clone(&monitor.worker);
            let monitored = Rc::clone(&worker).monitor_primaries().await;
            move || {
                if !monitored {
                    return ticket.answer(Reply::Own(error(NOT_MONITORED).into_bytes().into()));
                }
                if !monitor.is_closed() {
                    worker.monitor(&monitor);
                }
                ticket.answer(Reply::Copy(b"+OK\r\n"));
            }
        });
        Step::Done
    }

    fn time(&self) -> Step {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        self.write(|w| {
            w.array(2);
            w.bulk(now.as_secs().to_string().as_bytes());
            w.bulk(now.subsec_micros().to_string().as_bytes());
        })
    }

    /// Who may change the nodes' parameters reads theirs, but for those of the slow log, which is slotway's.
    fn config(&self) -> Step {
        let config = &self.worker().config;
        let slowlog = [
            ("slowlog-log-slower-than", config.slowlog_log_slower_than.to_string()),
            ("slowlog-max-len", config.slowlog_max_len.to_string()),
        ];
        if config.admin_commands && self.subcommand() == "get" {
            let mut ours = Vec::new();
            let mut w = ReplyWriter::new(&mut ours, self.client.protocol.get());
            local::config::matching(&self.request, &slowlog, &mut w);
            return broadcast::settings(self.client, self.command, ours, self.request);
        }
        let bind: Vec<String> = config.bind.iter().map(ToString::to_string).collect();
        let settings = [
            ("maxclients", config.maxclients.to_string()),
            ("timeout", config.timeout.as_secs().to_string()),
            ("tcp-keepalive", config.tcp_keepalive.as_secs().to_string()),
            ("tcp-backlog", config.tcp_backlog.to_string()),
            ("proto-max-bulk-len", config.proto_max_bulk_len.to_string()),
            ("client-query-buffer-limit", config.client_query_buffer_limit.to_string()),
            ("port", config.port.to_string()),
            ("bind", bind.join(" ")),
        ];
        let settings: Vec<_> = slowlog.into_iter().chain(settings).collect();
        self.write(|w| local::config::reply(&self.request, &settings, w))
    }

    fn cluster(&self) -> Step {
        match self.subcommand() {
            "countkeysinslot" => return self.of_slot("ERR Invalid slot"),
            "getkeysinslot" => return self.of_slot("ERR Invalid slot or number of keys"),
            _ => {}
        }
        let config = &self.worker().config;
        let local: Option<SocketAddr> = self.client.local.parse().ok();
        let host = local.map_or_else(
            || config.bind.first().map_or_else(|| "127.0.0.1".to_owned(), ToString::to_string),
            |addr| addr.ip().to_canonical().to_string(),
        );
        let port = local.map_or(config.port, |addr| addr.port());
        let node = OneNode { id: self.worker().identity.id(), host: &host, port };
        self.write(|w| local::cluster::reply(&self.request, &node, w))
    }

    /// Which keys are in a slot is its owner's to answer.
    fn of_slot(&self, invalid: &str) -> Step {
        let Some(number) = std::str::from_utf8(self.arg(2)).ok().and_then(|text| text.parse::<i64>().ok())
        else {
            return self.refuse("ERR value is not an integer or out of range");
        };
        let Some(slot) = u64::try_from(number).ok().and_then(Slot::new) else { return self.refuse(invalid) };
        if !may_send(self.client, slot) {
            return Step::Hold;
        }
        match self.worker().owner(slot, self.client.profile()) {
            Some(backend) if backend.refuses(self.client) => Step::Hold,
            Some(backend) => {
                let ticket = self.client.ticket(Some(self.command));
                let flight = Flight::new(ticket, self.command, Some(slot), self.worker().now());
                send(backend, flight, self.request)
            }
            None => self.refuse("CLUSTERDOWN Hash slot not served"),
        }
    }
}
