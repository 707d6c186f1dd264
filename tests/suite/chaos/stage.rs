//! A cluster, a proxy in front of it, clients at work, and an event that happens meanwhile.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Promise {
    /// Nothing.
    Unnoticed,
    /// For writes that were on the way: that they may have run. What was acknowledged is there.
    MayHaveRun,
    /// The same, but a replica took over, which need not have all that its primary acknowledged.
    Promoted,
    /// And that the cluster is down, when it is.
    Down,
}

/// One row of the table.
pub(super) struct Event {
    /// What happens.
    pub(super) name: &'static str,
    pub(super) promise: Promise,
    /// The longest time that a client may have to wait.
    pub(super) silence: Duration,
    /// Whether the third primary is none of its business, so that clients of it must not notice anything.
    pub(super) local: bool,
    pub(super) kind: Kind,
    /// Workers of the proxy.
    pub(super) threads: usize,
    pub(super) replicas: usize,
    pub(super) server_flags: &'static [&'static str],
    pub(super) flags: &'static [&'static str],
    /// Makes it happen, once or more.
    pub(super) happen: fn(&Scene<'_>),
}

/// Where an event happens.
pub(super) struct Scene<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) proxy: &'a Proxy,
    watch: &'a Watch,
    end: Instant,
}

impl Scene<'_> {
    /// Does it again and again while there is time, at least once; clients get replies before and after.
    pub(super) fn repeatedly(&self, mut step: impl FnMut(usize)) {
        for round in 0.. {
            self.watch.all_work();
            step(round);
            if Instant::now() >= self.end {
                break;
            }
        }
        self.watch.all_work();
    }

    /// Waits until each client has had some more replies.
    pub(super) fn all_work(&self) {
        self.watch.all_work();
    }
}

/// Lets `event` happen for about `span` while clients work.
pub(super) fn perform(event: &Event, span: Duration) -> Row {
    let cluster = Cluster::start_with(event.kind, 3, event.replicas, event.server_flags);
    let proxy = Proxy::of(&cluster, event.threads, event.flags);
    let mut works = works(&mut proxy.client());
    let quiet = works.len() - 1;
    let watch = Watch::new(works.len());
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let stopper = Stopper(&watch);
        let clients: Vec<_> = works
            .iter_mut()
            .enumerate()
            .map(|(place, work)| {
                let (client, watch) = (proxy.client(), &watch);
                scope.spawn(move || run(client, &mut **work, watch, place))
            })
            .collect();
        let scene = Scene { cluster: &cluster, proxy: &proxy, watch: &watch, end: Instant::now() + span };
        (event.happen)(&scene);
        drop(stopper);
        clients.into_iter().map(|client| client.join().expect("a client's thread")).collect()
    });
    let elsewhere = tallies[quiet].clone();
    let mut all = Tally::default();
    tallies.into_iter().for_each(|tally| all.add(tally));
    let mut client = proxy.client();
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
