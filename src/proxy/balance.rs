//! On how many workers clients are, and that all of these have about as many.
//!
//! A worker makes the larger turns the more clients it has, and a request costs the less, so that clients share as few
//! workers as their load needs: more when one of them is busy, fewer when they have long had little to do.
//! [`Balance`] decides, from figures alone.

use std::time::Duration;

use crate::worker::Equipment;

/// How often the workers are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Looks in a row at which a worker was busy, until more take clients on: twice as many.
const BUSY_LOOKS: u32 = 2;
/// Looks in a row at which one worker less would have been far from busy, until there is one less.
const CALM_LOOKS: u32 = 20;
/// How near to busy those that are left may come, in hundredths.
const CALM: u64 = 60;
/// Clients that are told to move at one look, so that no worker is held up.
const MOST_MOVES: usize = 500;

/// Looks after the workers for as long as the proxy takes clients on.
pub(super) async fn run(equipment: Equipment) {
    let Equipment { config, mailboxes, metrics, .. } = equipment;
    if config.threads == 1 || config.spread_at == 0 {
        return;
    }
    let mut balance = Balance::new(config.threads, config.spread_at);
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let before = balance.in_use;
        balance.look(&metrics.workers().iter().map(|worker| worker.busy.get()).collect::<Vec<_>>());
        if balance.in_use != before {
            tracing::debug!(workers = balance.in_use, before, "workers in use");
            mailboxes.place_on(balance.in_use);
        }
        for Move { from, to, count } in balance.moves(&mailboxes.movable().collect::<Vec<_>>()) {
            mailboxes.move_clients(from, to, count);
        }
    }
}

/// Clients that are to go from one worker to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Move {
    from: usize,
    to: usize,
    count: usize,
}

struct Balance {
    workers: usize,
    /// Thousandths of the time from which on a worker is busy.
    busy_at: u64,
    /// How many workers, the first ones, have clients.
    in_use: usize,
    busy_looks: u32,
    calm_looks: u32,
}

impl Balance {
    fn new(workers: usize, busy_at: u64) -> Self {
        Self { workers, busy_at, in_use: 1, busy_looks: 0, calm_looks: 0 }
    }

    /// Takes note of how many thousandths of the time each worker computed.
    fn look(&mut self, busy: &[u64]) {
        let busiest = busy.iter().copied().max().unwrap_or(0);
        let room = (self.in_use as u64 - 1) * self.busy_at * CALM / 100;
        let is_busy = busiest > self.busy_at && self.in_use < self.workers;
        let is_calm = busiest <= self.busy_at && busy.iter().sum::<u64>() < room;
        self.busy_looks = if is_busy { self.busy_looks + 1 } else { 0 };
        self.calm_looks = if is_calm { self.calm_looks + 1 } else { 0 };
        if self.busy_looks == BUSY_LOOKS {
            self.in_use = (2 * self.in_use).min(self.workers);
            self.busy_looks = 0;
        } else if self.calm_looks == CALM_LOOKS {
            self.in_use -= 1;
            self.calm_looks = 0;
        }
    }

    /// Who is to move, where each worker has so many `clients` that can: all from those not in use, and from those with
    /// a quarter more than their share what is beyond it. While there are more than may move at once it does not
    /// count that workers are busy.
    fn moves(&mut self, clients: &[usize]) -> Vec<Move> {
        let share = clients.iter().sum::<usize>().div_ceil(self.in_use);
        let surplus = |(from, &count): (usize, &usize)| match from < self.in_use {
            true if count > share + share / 4 => (from, count - share),
            true => (from, 0),
            false => (from, count),
        };
        let mut rooms: Vec<usize> =
            clients.iter().take(self.in_use).map(|&count| share.saturating_sub(count)).collect();
        let mut left = MOST_MOVES;
        let mut moves = Vec::new();
        for (from, mut surplus) in clients.iter().enumerate().map(surplus) {
            for (to, room) in rooms.iter_mut().enumerate() {
                let count = surplus.min(*room).min(left);
                if count > 0 {
                    moves.push(Move { from, to, count });
                }
                surplus -= count;
                *room -= count;
                left -= count;
            }
        }
        if left == 0 {
            self.busy_looks = 0;
        }
        moves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_worker_gets_help_and_gives_it_up_when_it_was_long_calm() {
        let mut balance = Balance::new(6, 850);
        let mut used = |busy: [u64; 6], looks| {
            (0..looks).for_each(|_| balance.look(&busy));
            balance.in_use
        };
        assert_eq!(used([850, 0, 0, 0, 0, 0], 99), 1, "not busy");
        assert_eq!(used([900, 0, 0, 0, 0, 0], BUSY_LOOKS - 1), 1, "a moment");
        assert_eq!(used([0, 0, 0, 0, 0, 0], 1), 1);
        assert_eq!(used([900, 0, 0, 0, 0, 0], BUSY_LOOKS - 1), 1, "another");
        assert_eq!(used([900, 0, 0, 0, 0, 0], 1), 2);
        assert_eq!(used([900, 200, 0, 0, 0, 0], BUSY_LOOKS), 4);
        assert_eq!(used([900, 200, 0, 0, 0, 0], BUSY_LOOKS), 6, "there are no more");
        assert_eq!(used([900, 200, 0, 0, 0, 0], 99), 6, "one client may be too much for a worker");
        assert_eq!(used([400, 400, 400, 400, 500, 500], 99), 6, "five would be near to busy");
        assert_eq!(used([400, 400, 400, 400, 400, 400], CALM_LOOKS - 1), 6);
        assert_eq!(used([400, 400, 400, 400, 400, 400], 1), 5);
        assert_eq!(used([480, 480, 480, 480, 480, 0], 99), 5);
        assert_eq!(used([0; 6], 99 * CALM_LOOKS), 1);
    }

    #[test]
    fn workers_not_in_use_lose_all_clients_and_the_others_have_about_as_many() {
        let moves = |in_use, clients: &[usize]| {
            let moves = Balance { in_use, ..Balance::new(clients.len(), 850) }.moves(clients);
            moves.into_iter().map(|Move { from, to, count }| (from, to, count)).collect::<Vec<_>>()
        };
        assert_eq!(moves(1, &[50, 0]), []);
        assert_eq!(moves(2, &[50, 0]), [(0, 1, 25)]);
        assert_eq!(moves(2, &[28, 22]), [], "near enough");
        assert_eq!(moves(2, &[1, 0]), []);
        assert_eq!(moves(2, &[2, 0]), [(0, 1, 1)], "two may be too much for a worker");
        assert_eq!(moves(2, &[2, 1]), []);
        assert_eq!(moves(1, &[10, 20, 30]), [(1, 0, 20), (2, 0, 30)]);
        assert_eq!(moves(2, &[40, 10, 10]), [(0, 1, 10), (2, 1, 10)]);
        assert_eq!(moves(3, &[90, 0, 0]), [(0, 1, 30), (0, 2, 30)]);
        assert_eq!(moves(2, &[5000, 0]), [(0, 1, MOST_MOVES)]);
        assert_eq!(moves(2, &[0, 0]), []);
    }
}
