//! CLIENT TRACKING, CACHING, TRACKINGINFO and GETREDIR. Texts and shapes as in redis networking.c
//! `clientCommand`.

use std::rc::Rc;

use super::{
    Ask,
    client::{SYNTAX, lower},
};
use crate::worker::{
    Worker, apart,
    client::Client,
    dispatch::Step,
    line::Reply,
    tracking::{Change, Mode, Target, Tracked, change},
};

const NO_TARGET: &[u8] = b"-ERR The client ID you want redirect to does not exist\r\n";

impl Worker {
    /// Where client `id` is to be told of something, if there is one.
    async fn find(&self, id: i64) -> Option<Target> {
        let id = u64::try_from(id).ok()?;
        let worker = self.mailboxes.find(id).await?;
        Some(Target { id, worker })
    }
}

/// CLIENT TRACKING: the first waits until the nodes are heard; who could keep something earlier would not be
/// told.
pub(super) fn set(ask: &Ask<'_>) -> Step {
    let client = ask.client;
    let now = client.apart.look_at_tracked(|tracked| Some(tracked.mode.clone()));
    let wish = match change(&ask.request, now.as_ref()) {
        Err(text) => return ask.refuse(&text),
        Ok(Change::Off) => {
            ask.worker().untrack(client);
            return ask.ok();
        }
        Ok(Change::On(wish)) => wish,
    };
    if client.waits() || !client.settles() {
        return Step::Hold;
    }
    let ticket = client.ticket(Some(ask.command));
    let tracker = Rc::clone(client);
    apart::send(client, false, async move {
        let worker = Rc::clone(&tracker.worker);
        let target = match wish.redirect {
            Some(id) => worker.find(id).await.map(Some),
            None => Some(None),
        };
        let own = target.is_some() && wish.noloop && Rc::clone(&worker).hear_for_owner(&tracker).await;
        if target.is_some() && !own {
            Rc::clone(&worker).hear_of_changes().await;
        }
        move || {
            let Some(target) = target else { return ticket.answer(Reply::Copy(NO_TARGET)) };
            if !tracker.is_closed() {
                if !own {
                    worker.share_again(&tracker);
                }
                worker.track(&tracker, wish.mode, wish.noloop, target);
            }
            ticket.answer(Reply::Copy(b"+OK\r\n"));
        }
    });
    Step::Done
}

pub(super) fn caching(ask: &Ask<'_>) -> Step {
    let mode = ask.client.apart.look_at_tracked(|tracked| Some(tracked.mode.clone()));
    match (lower(ask.arg(2)).as_slice(), mode) {
        (_, None) => ask.refuse(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode \
             enabled",
        ),
        (b"yes", Some(Mode::OptIn)) | (b"no", Some(Mode::OptOut)) => {
            ask.client.apart.change(|affairs| {
                if let Some(tracked) = &mut affairs.tracked {
                    tracked.caching = true;
                }
            });
            ask.ok()
        }
        (b"yes", _) => {
            ask.refuse("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")
        }
        (b"no", _) => {
            ask.refuse("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
        }
        _ => ask.refuse(SYNTAX),
    }
}

/// CLIENT TRACKINGINFO.
pub(super) fn tell(ask: &Ask<'_>) -> Step {
    let (flags, prefixes) = ask
        .client
        .apart
        .look(|affairs| affairs.tracked.as_ref().map(shown))
        .unwrap_or_else(|| (vec!["off"], Vec::new()));
    ask.write(|w| {
        w.map(3);
        w.bulk(b"flags");
        w.set(flags.len());
        flags.iter().for_each(|flag| w.bulk(flag.as_bytes()));
        w.bulk(b"redirect");
        w.integer(redirection(ask.client));
        w.bulk(b"prefixes");
        w.array(prefixes.len());
        prefixes.iter().for_each(|prefix| w.bulk(prefix));
    })
}

fn shown(tracked: &Tracked) -> (Vec<&'static str>, Vec<Vec<u8>>) {
    let mut prefixes = Vec::new();
    let (mode, caching) = match &tracked.mode {
        Mode::All => (None, None),
        Mode::OptIn => (Some("optin"), Some("caching-yes")),
        Mode::OptOut => (Some("optout"), Some("caching-no")),
        Mode::Broadcast(all) => {
            prefixes.extend(all.iter().cloned());
            (Some("bcast"), None)
        }
    };
    let caching = caching.filter(|_| tracked.caching);
    let noloop = tracked.noloop.then_some("noloop");
    let broken = tracked.redirection.broken.then_some("broken_redirect");
    ([Some("on"), mode, caching, noloop, broken].into_iter().flatten().collect(), prefixes)
}

/// Whom its pushes go to: another client, 0 for itself, or -1 for nobody.
pub(super) fn redirection(client: &Client) -> i64 {
    let of = |tracked: &Tracked| tracked.redirection.target.map_or(0, |target| target.id);
    let id = client.apart.look(|affairs| affairs.tracked.as_ref().map(of));
    id.map_or(-1, |id| i64::try_from(id).unwrap_or(i64::MAX))
}
