//! What may happen to a cluster while clients pipeline through slotway, and what they are promised meanwhile.
//!
//! ```text
//! cargo test --test suite chaos::      each event for a moment, and its promise
//! make chaos SECONDS=60                each event for a minute, and a table of what was seen
//! make chaos SERVERS=all               each event on all servers that can do it
//! ```
//! `tally` counts what clients see, `ledger` knows what a key may hold, `workload` and `works` are the clients,
//! `stage` brings cluster, proxy and clients together; what happens there is in `moves`, `losses`, `cuts` and
//! `changes`. `docs/guarantees.md` words the promises.

mod changes;
mod cuts;
mod ledger;
mod losses;
mod moves;
mod network;
mod stage;
mod table;
mod tally;
mod workload;
mod works;

use std::{env, time::Duration};

use self::stage::Event;
use crate::support::Kind;

/// How long an event goes on in the ordinary suite; it happens at least once.
const MOMENT: Duration = Duration::from_secs(2);

/// Each event as a test of its own, and all of them in the order of the table.
macro_rules! events {
    ($($test:ident: $module:ident::$event:ident,)*) => {
        const ALL: &[&Event] = &[$(&$module::$event,)*];
        $(
            #[test]
            fn $test() {
                keeps_its_promise(&$module::$event);
            }
        )*
    };
}

/// Lets it happen for a moment and compares what clients saw with what they are promised.
#[expect(clippy::print_stdout, reason = "what is skipped must be seen")]
fn keeps_its_promise(event: &Event) {
    for event in each(event) {
        match stage::perform(&event, MOMENT) {
            Ok(row) => row.assert_kept(&event),
            Err(reason) => println!("skipped: no network namespaces here: {reason}"),
        }
    }
}

events! {
    slots_that_move_key_by_key_are_not_noticed: moves::KEY_BY_KEY,
    nor_by_workers_that_share_connections: moves::KEY_BY_KEY_SHARED,
    slots_that_move_at_once_are_not_noticed: moves::AT_ONCE,
    a_planned_failover_is_not_noticed: moves::FAILOVER,
    a_killed_primary_is_replaced: losses::KILLED,
    a_killed_primary_that_returns_lost_nothing: losses::RESTARTED,
    a_frozen_primary_is_replaced: losses::FROZEN,
    a_primary_that_hesitates_mixes_nothing_up: losses::HESITANT,
    a_cluster_that_goes_down_and_up_lost_nothing: losses::ALL_DOWN,
    a_node_that_comes_and_goes_is_not_noticed: changes::ROLES,
    nodes_that_change_their_ports_are_found: changes::PORTS,
    a_cluster_that_returns_on_other_ports_is_found_by_its_seed: changes::ALL_PORTS,
    a_crowd_that_reconnects_while_a_node_is_down_makes_no_herd: changes::STORM,
    a_node_behind_a_cut_network_harms_nobody_else: cuts::ONE_NODE,
    a_primary_cut_off_from_the_others_is_replaced: cuts::MINORITY,
    a_proxy_cut_off_with_a_node_finds_the_others_again: cuts::MINORITY_AND_PROXY,
    a_cluster_that_moved_away_is_found_by_its_seeds_name: cuts::ADDRESSES,
}

/// `event` on its own servers, or on those that `SLOTWAY_TEST_SERVERS` names and that can do it: `all`, or one
/// [`Kind`].
#[expect(clippy::print_stdout, reason = "what is skipped must be seen")]
fn each(event: &Event) -> impl Iterator<Item = Event> {
    let wish = env::var("SLOTWAY_TEST_SERVERS").unwrap_or_default();
    let named = |kind: &Kind| wish == "all" || wish == format!("{kind:?}");
    assert!(
        wish.is_empty() || Kind::ALL.iter().any(named),
        "SLOTWAY_TEST_SERVERS is all or one of {:?}",
        Kind::ALL
    );
    let wanted = |kind: &&Kind| if wish.is_empty() { **kind == event.kind } else { named(kind) };
    let kinds: Vec<Kind> = event.kinds.iter().filter(wanted).copied().collect();
    if kinds.is_empty() {
        println!("skipped: {} is not for {wish}", event.name);
    }
    kinds.into_iter().map(|kind| event.on(kind))
}

/// How long each event goes on in a long run: `SLOTWAY_TEST_CHAOS` seconds, at most a day.
fn long() -> Duration {
    let seconds = env::var("SLOTWAY_TEST_CHAOS").map_or(Ok(20), |text| text.parse::<u64>());
    Duration::from_secs(seconds.expect("SLOTWAY_TEST_CHAOS is a number of seconds").min(86_400))
}

#[test]
#[ignore = "as long as one wishes: make chaos"]
#[expect(clippy::print_stdout, reason = "the table is what one wants to see")]
fn long_run() {
    println!("{}", table::HEAD);
    let mut rows = Vec::new();
    for event in ALL.iter().flat_map(|event| each(event)) {
        match stage::perform(&event, long()) {
            Ok(row) => {
                println!("{row}");
                rows.push((event, row));
            }
            Err(reason) => println!("skipped: no network namespaces here: {reason}"),
        }
    }
    rows.iter().for_each(|(event, row)| row.assert_kept(event));
}
