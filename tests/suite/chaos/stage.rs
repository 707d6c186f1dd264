//! A cluster, a proxy in front of it, clients at work, and an event that happens meanwhile.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    network::Network,
    table::Row,
    tally::Tally,
    workload::{Stopper, Watch, Work, run},
    works::{Counter, Pusher, Reader, Setter, Transactor},
};
use crate::support::{Client, Cluster, Kind, Proxy, slot::key_in};

/// Clients that append to lists.
const PUSHERS: usize = 8;
/// Slots of the first primary that events move; others are with the second.
pub(super) const MOVING: [u16; 3] = [7, 99, 6000];
/// A slot of the third primary, to which no event happens.
const QUIET: u16 = 12_000;

/// What clients may see of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    /// Nothing.
    Unnoticed,
    /// For writes that were on the way: that they may have run.
    MayHaveRun,
    /// And that the cluster is down, when it is.
    Down,
}

/// One row of the table.
#[derive(Clone, Copy)]
pub(super) struct Event {
    /// What happens.
    pub(super) name: &'static str,
    pub(super) promise: Promise,
    /// Whether a replica takes over unplanned, which need not have all that its primary acknowledged.
    pub(super) voted: bool,
    /// The longest time that a client may have to wait.
    pub(super) silence: Duration,
    /// Whether it includes a planned failover. Redis before 7.0 lets a primary that gave way keep writes for 10 s.
    pub(super) planned: bool,
    /// Whether the third primary is none of its business, so that clients of it must not notice anything.
    pub(super) local: bool,
    pub(super) kind: Kind,
    /// Servers that can do it.
    pub(super) kinds: &'static [Kind],
    /// Workers of the proxy.
    pub(super) threads: usize,
    pub(super) replicas: usize,
    pub(super) server_flags: &'static [&'static str],
    pub(super) flags: &'static [&'static str],
    /// Makes it happen, once or more.
    pub(super) happen: Happen,
}

impl Event {
    /// The same with servers of this `kind`.
    pub(super) fn on(&self, kind: Kind) -> Self {
        let kept =
            if kind == Kind::Redis62 && self.planned { Duration::from_secs(10) } else { Duration::ZERO };
        Self { kind, silence: self.silence + kept, ..*self }
    }
}

/// Where an event happens, and what it does.
#[derive(Clone, Copy)]
pub(super) enum Happen {
    /// On loopback.
    Here(fn(&Scene<'_>)),
    /// Between hosts of their own.
    Apart(fn(&Network, &Rounds<'_>)),
}

/// How often an event happens.
pub(super) struct Rounds<'a> {
    watch: &'a Watch,
    connect: &'a dyn Fn() -> Client,
    end: Instant,
}

/// Where an event on loopback happens.
pub(super) struct Scene<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) proxy: &'a Proxy,
    /// Of the proxy.
    pub(super) workers: usize,
    pub(super) rounds: Rounds<'a>,
}

impl Rounds<'_> {
    /// Does it again and again while there is time, at least once; clients get replies before and after.
    pub(super) fn repeatedly(&self, mut step: impl FnMut(usize)) {
        for round in 0.. {
            self.all_work();
            step(round);
            if Instant::now() >= self.end {
                break;
            }
        }
        self.all_work();
    }

    /// Waits until each client has had some more replies.
    pub(super) fn all_work(&self) {
        self.watch.all_work(self.connect);
    }
}

/// Lets `event` happen for about `span` while clients work; why it can't on this machine.
pub(super) fn perform(event: &Event, span: Duration) -> Result<Row, String> {
    match event.happen {
        Happen::Here(happen) => Ok(here(event, span, happen)),
        Happen::Apart(happen) => {
            let network = Network::start(event)?;
            let connect = || network.client();
            Ok(watched(event, span, &connect, |rounds| happen(&network, &rounds)))
        }
    }
}

fn here(event: &Event, span: Duration, happen: fn(&Scene<'_>)) -> Row {
    let cluster = Cluster::start_with(event.kind, 3, event.replicas, event.server_flags);
    let proxy = Proxy::of(&cluster, event.threads, event.flags);
    let connect = || proxy.client();
    watched(event, span, &connect, |rounds| {
        happen(&Scene { cluster: &cluster, proxy: &proxy, workers: event.threads, rounds });
    })
}

/// Lets clients work while it happens, and judges what they saw.
fn watched(
    event: &Event,
    span: Duration,
    connect: &dyn Fn() -> Client,
    happen: impl FnOnce(Rounds<'_>),
) -> Row {
    let mut works = works(&mut connect());
    let quiet = works.len() - 1;
    let watch = Watch::new(works.len());
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let stopper = Stopper(&watch);
        let clients: Vec<_> = works
            .iter_mut()
            .enumerate()
            .map(|(place, work)| {
                let (client, watch) = (connect(), &watch);
                scope.spawn(move || run(client, &mut **work, watch, place))
            })
            .collect();
        happen(Rounds { watch: &watch, connect, end: Instant::now() + span });
        drop(stopper);
        clients.into_iter().map(|client| client.join().expect("a client's thread")).collect()
    });
    let elsewhere = tallies[quiet].clone();
    let mut all = Tally::default();
    tallies.into_iter().for_each(|tally| all.add(tally));
    let mut client = connect();
    works.iter_mut().for_each(|work| work.judge(&mut client, &mut all));
    Row::of(event, all, elsewhere)
}

/// All clients; the last keeps to the quiet slot.
fn works(client: &mut Client) -> Vec<Box<dyn Work>> {
    let quiet = vec![key_in(QUIET, "chaos")];
    let tags: Vec<String> =
        MOVING.into_iter().map(|slot| key_in(slot, "chaos")).chain(quiet.clone()).collect();
    let mut works: Vec<Box<dyn Work>> = Vec::new();
    for number in 0..PUSHERS {
        works.push(Box::new(Pusher::new(&tags, number)));
    }
    works.push(Box::new(Counter::new(&tags, 0)));
    works.push(Box::new(Setter::pairs(&tags, 0)));
    works.push(Box::new(Setter::split(&tags, 0)));
    works.push(Box::new(Transactor::new(&tags, 0)));
    works.push(Box::new(Reader::new(&tags, client)));
    works.push(Box::new(Counter::new(&quiet, 1)));
    works
}
