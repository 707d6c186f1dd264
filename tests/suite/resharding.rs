//! Slots that move between real nodes, step by step; `chaos` has them move while clients are at work.

use crate::support::{Cluster, Kind, Proxy, Setup, Value, crosswise, eventually};

crosswise! {
    fn a_request_of_two_keys_waits_until_both_have_moved(setup) {
        let cluster = Cluster::start(setup.kind, 2, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &["--retry-deadline", "10m"]);
        let mut client = proxy.client();
        client.run("MSET {a}1 x {a}2 y");
        let from = cluster.first_owner("{a}");
        let slot = crate::support::slot::slot_of(b"a");
        let ids: Vec<String> = (0..2).map(|index| cluster.client(index).run("CLUSTER MYID").text()).collect();
        let (mut old, mut new) = (cluster.client(from), cluster.client(1 - from));
        new.run(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", ids[from]));
        old.run(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", ids[1 - from]));
        let port = cluster.port(1 - from).to_string();
        old.request(&["MIGRATE", "127.0.0.1", &port, "{a}1", "0", "1000"]);
        client.send(&["MGET", "{a}1", "{a}2"]);
        eventually("it was told to try again", || {
            (proxy.metric("slotway_retries_total{reason=\"tryagain\"}") > 0.0).then_some(())
        });
        old.request(&["MIGRATE", "127.0.0.1", &port, "{a}2", "0", "1000"]);
        assert_eq!(client.reply(), Value::Array(vec![Value::bulk("x"), Value::bulk("y")]));
    }
}
