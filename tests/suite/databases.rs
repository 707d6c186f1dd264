//! SELECT on a cluster with numbered databases, and on one without.

use std::sync::LazyLock;

use crate::support::{
    Client, Cluster, Kind, PATIENCE, Proxy, Setup, Value, eventually, everywhere, server::Server, sharing,
};

/// Two primaries with as many databases as one server has.
fn cluster() -> &'static Cluster {
    static CLUSTER: LazyLock<Cluster> =
        LazyLock::new(|| Cluster::start_with(Kind::Valkey, 2, 0, &["--cluster-databases", "16"]));
    &CLUSTER
}

fn proxy(threads: usize) -> Proxy {
    Proxy::of(cluster(), threads, &[])
}

fn selected(proxy: &Proxy, database: u16) -> Client {
    let mut client = proxy.client();
    assert_eq!(client.run(&format!("SELECT {database}")), Value::ok());
    client
}

#[test]
fn all_that_a_client_asks_is_of_its_database() {
    let cluster = Cluster::start_with(Kind::Valkey, 2, 0, &["--cluster-databases", "16"]);
    let (proxy, single) = (Proxy::of(&cluster, 4, &["--cross-slot"]), Server::single(Kind::Valkey));
    for version in ["HELLO 2", "HELLO 3"] {
        let (mut proxied, mut direct) = (proxy.client(), single.client());
        proxied.run(version);
        direct.run(version);
        for line in [
            "FLUSHALL",
            "SET db:a 0",
            "SELECT 3",
            "GET db:a",
            "SET db:a 3",
            "MSET db:b 1 db:c 2",
            "DBSIZE",
            "KEYS db:a",
            "MGET db:a db:b db:c",
            "MULTI",
            "INCR db:a",
            "GET db:a",
            "EXEC",
            "WATCH db:a",
            "MULTI",
            "INCR db:a",
            "EXEC",
            "EVAL return{redis.call('get',KEYS[1])} 1 db:a",
            "RPUSH db:l x",
            "BLPOP db:l 1",
            "MOVE db:b 4",
            "MOVE db:b 3",
            "COPY db:c db:c DB 4",
            "COPY db:c {db:c}2 DB 3",
            "COPY db:c db:far DB 4",
            "COPY db:c db:far2 DB 3",
            "COPY db:c db:far3 DB 16",
            "RENAME db:far2 db:near",
            "DBSIZE",
            "SELECT 4",
            "GET db:far",
            "DBSIZE",
            "MGET db:a db:b db:c",
            "FLUSHDB",
            "DBSIZE",
            "RANDOMKEY",
            "SELECT 16",
            "SELECT -1",
            "SELECT 99999",
            "SELECT 9999999999",
            "SELECT x",
            "DBSIZE",
            "SELECT 3",
            "GET db:a",
            "RESET",
            "GET db:a",
            "DBSIZE",
        ] {
            assert_eq!(proxied.run(line).sorted(), direct.run(line).sorted(), "{version} {line}");
        }
    }
}

#[test]
fn databases_are_apart_where_workers_share_connections() {
    sharing(|| {
        let proxy = proxy(4);
        let mut clients: Vec<Client> = (5..9).map(|database| selected(&proxy, database)).collect();
        for round in 0..8 {
            let key = format!("db:shared:{round}");
            for (n, client) in clients.iter_mut().enumerate() {
                assert_eq!(client.run(&format!("SET {key} {n}")), Value::ok());
            }
            for (n, client) in clients.iter_mut().enumerate() {
                assert_eq!(client.run(&format!("GET {key}")), Value::bulk(n.to_string()));
            }
        }
        assert_eq!(proxy.client().run("GET db:shared:0"), Value::Nil);
    });
}

#[test]
fn a_pipeline_changes_databases_in_order() {
    let proxy = proxy(4);
    let lines = [
        "SET db:p 0",
        "SELECT 9",
        "SET db:p 9",
        "SELECT 10",
        "GET db:p",
        "SET db:p 10",
        "SELECT 9",
        "GET db:p",
        "SELECT 0",
        "GET db:p",
    ];
    let mut client = proxy.client();
    client.run("SELECT 9");
    client.run("DEL db:p");
    client.run("SELECT 10");
    client.run("DEL db:p");
    client.run("SELECT 0");
    for _ in 0..5 {
        let replies = client.pipeline(&lines);
        assert_eq!(replies[7], Value::bulk("9"), "{replies:?}");
        assert_eq!(replies[9], Value::bulk("0"), "{replies:?}");
    }
    assert_eq!(client.pipeline(&lines)[4], Value::bulk("10"));
}

#[test]
fn scan_and_the_key_space_tell_of_databases() {
    let proxy = proxy(1);
    let mut client = selected(&proxy, 11);
    for n in 0..200 {
        client.run(&format!("SET db:scan:{n} x"));
    }
    let (mut cursor, mut found) = ("0".to_owned(), std::collections::BTreeSet::new());
    loop {
        let page = client.run(&format!("SCAN {cursor} COUNT 50"));
        found.extend(page.items()[1].items().iter().map(Value::text));
        cursor = page.items()[0].text();
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(found.len(), 200);
    assert!(proxy.client().run("INFO keyspace").text().contains("db11:keys=200,"));
    assert!(client.run("CLIENT INFO").text().contains(" db=11 "));
    client.run("FLUSHDB");
    assert!(!client.run("INFO keyspace").text().contains("db11:"));
}

#[test]
fn a_redirected_request_finds_its_database() {
    let cluster = Cluster::start_with(Kind::Valkey, 2, 0, &["--cluster-databases", "4"]);
    let proxy = Proxy::of(&cluster, 1, &["--topology-refresh", "60s"]);
    let mut client = selected(&proxy, 2);
    let key = "db:moves";
    let (from, slot) = (cluster.first_owner(key), crate::support::slot::slot_of(key.as_bytes()));
    client.run(&format!("SET {key} before"));
    client.run(&format!("DEL {key}"));
    cluster.migrate(slot, from, 1 - from);
    assert_eq!(client.run(&format!("SET {key} x")), Value::ok());
    assert_eq!(client.run(&format!("GET {key}")), Value::bulk("x"));
    let mut owner = cluster.client(1 - from);
    assert_eq!(owner.run(&format!("GET {key}")), Value::Nil);
    owner.run("SELECT 2");
    assert_eq!(owner.run(&format!("GET {key}")), Value::bulk("x"));
}

#[test]
fn a_watch_is_lost_with_its_database() {
    let proxy = proxy(1);
    let mut client = selected(&proxy, 12);
    let lines = ["WATCH db:w", "SELECT 0", "MULTI", "SET db:w 1", "EXEC"];
    assert_eq!(client.pipeline(&lines)[4], Value::NilArray);
    assert!(client.pipeline(&["MULTI", "SELECT 1", "EXEC"])[1].is_error());
}

#[test]
fn connections_of_a_database_that_nobody_is_in_are_closed() {
    let proxy = proxy(1);
    let clients: Vec<Client> = (13..16).map(|database| selected(&proxy, database)).collect();
    for mut client in clients {
        client.patience(PATIENCE);
        client.run("MSET db:x 1 db:y 2 db:z 3");
    }
    let open = |database: u16| {
        let list = |node| cluster().client(node).run("CLIENT LIST").text();
        (0..2).any(|node| list(node).lines().any(|line| line.contains(&format!(" db={database} cmd=mset"))))
    };
    eventually("the connections are closed", || (!(13..16).any(open)).then_some(()));
    assert_eq!(selected(&proxy, 14).run("GET db:x"), Value::bulk("1"));
}

everywhere! {
    fn a_cluster_without_databases_says_so(setup) {
        let proxy = setup.proxy();
        let mut direct = Cluster::shared(setup.kind).client(0);
        let mut client = proxy.client();
        for line in ["SELECT 0", "SELECT 1", "SELECT -1", "SELECT 16", "SELECT 70000", "SELECT x", "SELECT"] {
            assert_eq!(client.run(line), direct.run(line), "{line}");
        }
    }
}
