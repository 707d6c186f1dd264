//! Requests that wait for any of many keys of many slots, with `--cross-slot`.

use std::{thread, time::Duration};

use crate::support::{Client, Kind, Setup, Value, eventually, everywhere};

const FLAG: &[&str] = &["--cross-slot"];

everywhere! {
    fn who_waits_for_many_keys_is_given_what_comes(setup) {
        let proxy = setup.proxy_with(FLAG);
        let (mut waiting, mut other) = (proxy.client(), proxy.client());
        let key = setup.key("waits:");
        for n in 0..5 {
            waiting.send_raw(format!("BLPOP {key}a {key}b {key}c 0\r\nSET {key}after {n}\r\n").as_bytes());
            assert_eq!(other.run(&format!("EXISTS {key}a")).integer(), 0);
            other.run(&format!("RPUSH {key}{} {n}", ["a", "b", "c"][n % 3]));
            let wanted = [format!("{key}{}", ["a", "b", "c"][n % 3]), n.to_string()].map(Value::bulk);
            assert_eq!(waiting.reply().items(), wanted);
            assert_eq!(waiting.reply(), Value::ok());
        }
        other.run(&format!("XADD {key}x 5-5 f v"));
        let mut reader = proxy.client3();
        let id = reader.run("CLIENT ID").integer();
        reader.send_raw(format!("XREAD BLOCK 0 STREAMS {key}x {key}y $ $\r\n").as_bytes());
        wait_until_waiting(&mut other, id);
        // Whether the streams' ends were looked at already cannot be seen from here, so entries go on coming.
        let mut n = 5;
        reader.patience(Duration::from_millis(20));
        let reply = eventually("news", || {
            n += 1;
            other.run(&format!("XADD {key}y {n}-1 f v"));
            reader.try_reply().ok().flatten()
        });
        assert_eq!(reply.items()[0].text(), format!("{key}y"));
        assert_eq!(reply.items().len(), 2, "the first stream has no news: {reply:?}");
    }

    fn client_unblock_lets_go_of_who_waits_for_many_keys(setup) {
        let proxy = setup.proxy_with(FLAG);
        let (mut waiting, mut other) = (proxy.client(), proxy.client());
        let key = setup.key("unblock:");
        let id = waiting.run("CLIENT ID").integer();
        for (how, wanted) in [("TIMEOUT", Value::NilArray),
            ("ERROR", Value::error("UNBLOCKED client unblocked via CLIENT UNBLOCK"))]
        {
            waiting.send_raw(format!("BLPOP {key}a {key}b 0\r\n").as_bytes());
            wait_until_waiting(&mut other, id);
            eventually("it rests between two tries", || {
                (other.run(&format!("CLIENT UNBLOCK {id} {how}")).integer() == 1).then_some(())
            });
            assert_eq!(waiting.reply(), wanted);
        }
        assert_eq!(waiting.run("PING").text(), "PONG");
    }

    fn each_element_is_given_to_one_client(setup) {
        const CLIENTS: usize = 6;
        const EACH: usize = 10;
        let proxy = setup.proxy_with(FLAG);
        let key = setup.key("share:");
        let taking: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (mut client, line) = (proxy.client(), format!("BLPOP {key}a {key}b {key}c 0"));
                thread::spawn(move || (0..EACH).map(|_| client.run(&line).items()[1].text()).collect::<Vec<_>>())
            })
            .collect();
        let mut other = proxy.client();
        for n in 0..CLIENTS * EACH {
            other.run(&format!("RPUSH {key}{} {n:03}", ["a", "b", "c"][n % 3]));
        }
        let mut taken: Vec<String> = taking.into_iter().flat_map(|client| client.join().unwrap()).collect();
        taken.sort();
        assert_eq!(taken, (0..CLIENTS * EACH).map(|n| format!("{n:03}")).collect::<Vec<_>>());
    }
}

/// Waits until the request of client `id` that may block was taken.
fn wait_until_waiting(other: &mut Client, id: i64) {
    eventually("the request is taken", || {
        let list = other.run("CLIENT LIST").text();
        let line = list.lines().find(|line| line.starts_with(&format!("id={id} ")))?.to_owned();
        (line.contains("cmd=blpop") || line.contains("cmd=xread")).then_some(())
    });
}
