//! Networks that lose what is sent, between slotway and a node, or between nodes.

use std::time::Duration;

use super::{
    losses::UNPLANNED,
    moves::PATIENT,
    network::Network,
    stage::{Event, Happen, MOVING, Promise, Rounds},
};
use crate::support::{Client, Kind, eventually, slot::key_in};

/// The host of the first shard's primary, and those of all other primaries and of its replica, node 3.
const ALONE: usize = 1;
const OTHERS: [usize; 2] = [2, 3];
const REPLICA: usize = 3;

/// Slotway no longer reaches a primary, which all nodes find healthy.
pub(super) const ONE_NODE: Event = Event {
    name: "network cut between slotway and one node",
    promise: Promise::Down,
    voted: false,
    flags: &["--retry-deadline", "1s", "--backend-timeout", "500ms"],
    happen: Happen::Apart(one_node),
    kind: Kind::Valkey81,
    ..UNPLANNED
};

/// A primary no longer reaches the other nodes; slotway reaches them all.
pub(super) const MINORITY: Event = Event {
    name: "network cut between a primary and the other nodes",
    promise: Promise::Unnoticed,
    planned: true,
    flags: PATIENT,
    happen: Happen::Apart(minority),
    kind: Kind::Valkey,
    ..UNPLANNED
};

/// Slotway reaches a primary that no longer reaches the other nodes, and no other.
pub(super) const MINORITY_AND_PROXY: Event = Event {
    name: "network cut between slotway with a primary and the other nodes",
    promise: Promise::Down,
    local: false,
    flags: &["--retry-deadline", "1s", "--backend-timeout", "500ms"],
    planned: true,
    happen: Happen::Apart(minority_and_proxy),
    kind: Kind::Redis82,
    ..UNPLANNED
};

/// All nodes are elsewhere, and only the seed's name leads there.
pub(super) const ADDRESSES: Event = Event {
    name: "all addresses change behind a seed's name",
    promise: Promise::Down,
    local: false,
    silence: Duration::from_secs(10),
    flags: &["--retry-deadline", "1s", "--backend-timeout", "500ms"],
    happen: Happen::Apart(addresses),
    ..UNPLANNED
};

/// Whether the first shard serves.
fn serves(client: &mut Client) -> bool {
    !client.request(&["INCR", &key_in(MOVING[0], "cut")]).is_error()
}

fn one_node(network: &Network, rounds: &Rounds<'_>) {
    let mut client = network.client();
    rounds.repeatedly(|_| {
        network.cut(0, 1);
        eventually("it is missed", || (!serves(&mut client)).then_some(()));
        assert_eq!(network.undead(), "", "what was given up must not arrive later");
        network.mend(0, 1);
        eventually("it is back", || serves(&mut client).then_some(()));
    });
}

fn minority(network: &Network, rounds: &Rounds<'_>) {
    rounds.repeatedly(|_| {
        OTHERS.iter().for_each(|&host| network.cut(ALONE, host));
        network.wait_until_primary(REPLICA);
        rounds.all_work();
        OTHERS.iter().for_each(|&host| network.mend(ALONE, host));
        network.restore();
    });
}

fn minority_and_proxy(network: &Network, rounds: &Rounds<'_>) {
    let mut client = network.client();
    rounds.repeatedly(|_| {
        for host in OTHERS {
            network.cut(ALONE, host);
            network.cut(0, host);
        }
        network.wait_until_primary(REPLICA);
        eventually("slotway is cut off", || (!serves(&mut client)).then_some(()));
        for host in OTHERS {
            network.mend(ALONE, host);
            network.mend(0, host);
        }
        network.restore();
        eventually("it is back", || serves(&mut client).then_some(()));
    });
}

fn addresses(network: &Network, rounds: &Rounds<'_>) {
    let mut client = network.client();
    rounds.repeatedly(|_| {
        network.renumber();
        eventually("it is back", || serves(&mut client).then_some(()));
    });
}
