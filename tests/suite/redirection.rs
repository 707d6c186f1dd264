//! CLIENT TRACKING with REDIRECT: another client hears what one reads, whichever worker it is on.

use crate::support::{Client, Kind, Setup, Value, crosswise, eventually, server::Server};

/// Where clients hear in RESP2.
const CHANNEL: &str = "__redis__:invalidate";

/// A client that reads and tracks, and one that hears of it, both new.
fn pair(open: &dyn Fn() -> Client, how: &str, hears_in: u8) -> (Client, Client, i64) {
    let (mut reads, mut hears) = (open(), open());
    hears.run(&format!("HELLO {hears_in}"));
    let id = hears.run("CLIENT ID").integer();
    if hears_in == 2 {
        hears.run(&format!("SUBSCRIBE {CHANNEL}"));
    }
    assert_eq!(reads.run(&format!("CLIENT TRACKING ON REDIRECT {id}{how}")), Value::ok());
    assert_eq!(reads.run("CLIENT GETREDIR"), Value::Integer(id));
    (reads, hears, id)
}

/// All that is said while a key is read, written, and written once more.
fn talk(open: &dyn Fn() -> Client, key: &str, how: &str, hears_in: u8) -> Vec<Value> {
    let (mut reads, mut hears, id) = pair(open, how, hears_in);
    let mut writes = open();
    let line = reads.run("CLIENT INFO").text();
    assert!(line.contains(&format!(" redir={id} ")), "{line}");
    let mut said = vec![reads.run(&format!("GET {key}"))];
    writes.run(&format!("SET {key} 1"));
    said.push(hears.reply());
    said.push(reads.run(&format!("GET {key}")));
    writes.run(&format!("SET {key} 2"));
    said.push(hears.reply());
    said.push(reads.run("CLIENT TRACKING OFF"));
    said.push(reads.run("CLIENT GETREDIR"));
    said
}

crosswise! {
    fn another_client_hears_as_from_a_single_server(setup) {
        let (proxy, server) = (setup.proxy(), Server::single(setup.kind));
        for (n, (how, hears_in)) in [("", 2), ("", 3), (" BCAST PREFIX redirection", 2)].into_iter().enumerate() {
            let key = format!("redirection:{}", setup.key(n));
            let how = if how.is_empty() { how.to_owned() } else { format!(" BCAST PREFIX {key}") };
            let proxied = talk(&|| proxy.client(), &key, &how, hears_in);
            assert_eq!(proxied, talk(&|| server.client(), &key, &how, hears_in), "{how} {hears_in}");
        }
    }

    fn who_tracks_is_told_that_the_other_is_gone(setup) {
        let proxy = setup.proxy();
        let (mut reads, hears, id) = pair(&|| proxy.client3(), "", 3);
        let (mut writes, key) = (proxy.client(), setup.key("gone"));
        drop(hears);
        eventually("the other is gone", || {
            writes.run(&format!("CLIENT LIST ID {id}")).text().is_empty().then_some(())
        });
        reads.run(&format!("GET {key}"));
        writes.run(&format!("SET {key} 1"));
        let push = reads.reply();
        assert_eq!(push, Value::Push(vec![Value::bulk("tracking-redir-broken"), Value::Integer(id)]));
        let shown = reads.run("CLIENT TRACKINGINFO");
        assert_eq!(shown.field("redirect"), &Value::Integer(id));
        assert!(shown.field("flags").items().contains(&Value::bulk("broken_redirect")), "{shown:?}");
        assert!(reads.run("CLIENT INFO").text().contains(" flags=tR "));
        assert_eq!(reads.run("CLIENT TRACKING ON"), Value::ok());
        assert_eq!(reads.run("CLIENT GETREDIR"), Value::Integer(0));
    }
}

#[test]
fn who_is_to_hear_must_be_there() {
    let setup = Setup { kind: Kind::Redis, threads: 4 };
    setup.talks_like_one_server(&[
        "CLIENT TRACKING on REDIRECT 99999999",
        "CLIENT TRACKING on REDIRECT 0",
        "CLIENT TRACKING on REDIRECT -1",
        "CLIENT TRACKING on REDIRECT x",
        "CLIENT TRACKING on REDIRECT",
        "CLIENT TRACKINGINFO",
        "CLIENT GETREDIR",
    ]);
}
