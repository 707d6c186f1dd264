//! Commands that the table does not know (modules, newer servers) are asked of the cluster itself, once.

use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Duration};

use super::{Worker, client::Client};
use crate::{
    cluster::{NodeAddr, Role},
    command::discovered,
    node,
};

/// Lookups of one worker at a time; more unknown names are refused at once.
const MAX_LOOKUPS: usize = 64;
/// Longest that a lookup may take.
const DEADLINE: Duration = Duration::from_secs(2);
/// A lookup that failed is not repeated for so long.
const FAILED_FOR: Duration = Duration::from_secs(1);

/// Lookups under way or failed, by name.
#[derive(Default)]
pub(super) struct Discoveries(RefCell<HashMap<Box<[u8]>, Lookup>>);

enum Lookup {
    /// These clients wait for it.
    Running(Vec<Rc<Client>>),
    /// No node could tell, at this time of the worker's clock.
    Failed(u64),
}

impl Worker {
    /// Holds `client` until the cluster told what `name` is. False where it can't be asked now.
    pub(super) fn discover(client: &Rc<Client>, name: &[u8]) -> bool {
        let worker = &client.worker;
        let name: Box<[u8]> = name.to_ascii_lowercase().into();
        let mut lookups = worker.discoveries.0.borrow_mut();
        match lookups.get_mut(&name) {
            Some(Lookup::Running(waiters)) => {
                waiters.push(Rc::clone(client));
                return true;
            }
            Some(Lookup::Failed(at)) if worker.age(*at) < FAILED_FOR => return false,
            _ => {}
        }
        lookups.retain(|_, lookup| matches!(lookup, Lookup::Running(_)));
        if lookups.len() >= MAX_LOOKUPS {
            return false;
        }
        lookups.insert(name.clone(), Lookup::Running(vec![Rc::clone(client)]));
        tokio::task::spawn_local(Rc::clone(worker).look_up(name));
        true
    }

    /// Asks one node after the other for COMMAND INFO `name`.
    async fn look_up(self: Rc<Self>, name: Box<[u8]>) {
        let mut known = false;
        for addr in self.primaries() {
            let request: [&[u8]; 3] = [b"COMMAND", b"INFO", &name];
            let reply = node::ask(&addr, &self.credentials, &request, DEADLINE).await;
            if let Ok(reply) = reply.as_ref()
                && reply.as_error().is_none()
            {
                discovered::store(&name, reply);
                known = true;
                break;
            }
        }
        self.tick_clock();
        let mut lookups = self.discoveries.0.borrow_mut();
        let lookup =
            if known { lookups.remove(&name) } else { lookups.insert(name, Lookup::Failed(self.now())) };
        drop(lookups);
        if let Some(Lookup::Running(waiters)) = lookup {
            for client in waiters {
                client.wake();
            }
        }
    }

    fn primaries(&self) -> Vec<NodeAddr> {
        let table = self.topology.table().load();
        let primaries = table.nodes().iter().filter(|node| node.role == Role::Primary);
        primaries.map(|node| node.addr.clone()).take(3).collect()
    }
}
