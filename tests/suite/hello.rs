//! Greetings, passwords, names: what a connection says about itself.

use crate::support::{Client, Kind, Setup, Value, everywhere, server::Server, with_1_and_4_workers};
use crate::support::{FakeCluster, Proxy};

const NOAUTH: &str = "NOAUTH Authentication required.";
const WRONGPASS: &str = "WRONGPASS invalid username-password pair or user is disabled.";

/// Field names and value types of a greeting, without what must differ.
fn greeting_shape(client: &mut Client, line: &str) -> Vec<String> {
    let greeting = client.run(line);
    let names = greeting.items().chunks(2).map(|pair| pair[0].text());
    names.filter(|name| name != "availability_zone").collect()
}

everywhere! {
    fn hello_answers_with_the_fields_of_a_node(setup) {
        let (proxy, server) = (setup.proxy(), Server::single(setup.kind));
        let (mut proxied, mut direct) = (proxy.client(), server.client());
        for line in ["HELLO", "HELLO 3", "HELLO", "HELLO 2"] {
            assert_eq!(greeting_shape(&mut proxied, line), greeting_shape(&mut direct, line), "{line}");
        }
        let greeting = proxied.run("HELLO 3 SETNAME me");
        assert!(matches!(greeting, Value::Map(_)));
        assert_eq!(greeting.field("proto"), &Value::Integer(3));
        assert_eq!(greeting.field("role").text(), direct.run("HELLO 3").field("role").text());
        assert_eq!(proxied.run("CLIENT GETNAME"), Value::bulk("me"));
    }

    fn hello_refuses_what_a_node_refuses(setup) {
        let (proxy, server) = (setup.proxy(), Server::single(setup.kind));
        let (mut proxied, mut direct) = (proxy.client(), server.client());
        for line in [
            "HELLO 4",
            "HELLO 1",
            "HELLO x",
            "HELLO 3 NOSUCH",
            "HELLO 3 AUTH default",
            "HELLO 3 SETNAME",
            "HELLO 3 AUTH nobody wrong",
        ] {
            assert_eq!(proxied.run(line), direct.run(line), "{line}");
        }
        assert_eq!(proxied.run("GET hello:none"), Value::Nil, "a refused greeting changes nothing");
    }

    fn auth_without_a_password_answers_as_a_node(setup) {
        let (proxy, server) = (setup.proxy(), Server::single(setup.kind));
        let (mut proxied, mut direct) = (proxy.client(), server.client());
        for line in ["AUTH x", "AUTH default x", "AUTH nobody x", "AUTH", "AUTH a b c"] {
            assert_eq!(proxied.run(line), direct.run(line), "{line}");
        }
    }

    fn a_password_is_asked_before_anything_else(setup) {
        let proxy = setup.proxy_with(&["--requirepass", "s3cret"]);
        let mut client = proxy.client();
        for line in
            ["GET a", "PING", "CLIENT ID", "INFO", "MGET a b", "COMMAND COUNT", "SELECT 0", "CONFIG GET port"]
        {
            assert_eq!(client.run(line), Value::error(NOAUTH), "{line}");
        }
        assert!(
            client
                .run("HELLO 3")
                .text()
                .starts_with("NOAUTH HELLO must be called with the client already authenticated")
        );
        assert_eq!(client.run("AUTH wrong"), Value::error(WRONGPASS));
        assert_eq!(client.run("AUTH other s3cret"), Value::error(WRONGPASS));
        assert_eq!(client.run("GET a"), Value::error(NOAUTH));
        assert_eq!(client.run("AUTH s3cret"), Value::ok());
        assert!(!client.run("GET a").is_error());
        assert_eq!(client.run("AUTH wrong"), Value::error(WRONGPASS));
        assert_eq!(client.run("RESET").text(), "RESET");
        assert_eq!(client.run("GET a"), Value::error(NOAUTH), "RESET forgets the password");
        assert_eq!(proxy.client().run("AUTH default s3cret"), Value::ok());
    }

    fn hello_carries_the_password(setup) {
        let proxy = setup.proxy_with(&["--requirepass", "s3cret"]);
        let mut client = proxy.client();
        assert_eq!(client.run("HELLO 3 AUTH default wrong"), Value::error(WRONGPASS));
        assert_eq!(client.run("GET a"), Value::error(NOAUTH));
        let greeting = client.run("HELLO 3 AUTH default s3cret SETNAME app");
        assert_eq!(greeting.field("proto"), &Value::Integer(3));
        assert_eq!(client.run("CLIENT GETNAME"), Value::bulk("app"));
        assert_eq!(client.run("GET hello:none"), Value::Null);
    }

    fn the_password_is_told_to_nobody(setup) {
        let mut proxy = setup.proxy_with(&["--requirepass", "s3cret", "--loglevel", "debug"]);
        let mut client = proxy.client();
        client.run("AUTH s3cret");
        client.run("AUTH default hunter2");
        client.run("HELLO 3 AUTH default s3cret");
        let told = [
            format!("{:?}", client.run("INFO")),
            format!("{:?}", client.run("CONFIG GET *")),
            format!("{:?}", client.run("CLIENT LIST")),
            proxy.metrics(),
        ];
        proxy.terminate();
        let log = proxy.process.log();
        assert!(told.iter().chain([&log]).all(|text| !text.contains("s3cret") && !text.contains("hunter2")));
    }

    fn the_connection_keeps_what_it_was_told(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        assert_eq!(client.run("CLIENT GETNAME"), Value::Nil);
        assert_eq!(client.run("CLIENT SETNAME one"), Value::ok());
        assert_eq!(client.run("CLIENT GETNAME"), Value::bulk("one"));
        assert!(client.request(&["CLIENT", "SETNAME", "two words"]).is_error());
        assert_eq!(client.run("CLIENT SETINFO LIB-NAME lib"), Value::ok());
        assert_eq!(client.run("CLIENT SETINFO LIB-VER 1.2"), Value::ok());
        assert!(client.run("CLIENT SETINFO NOSUCH 1").is_error());
        let id = client.run("CLIENT ID").integer();
        assert!(id > 0);
        assert_ne!(proxy.client().run("CLIENT ID").integer(), id);
        let line = client.run("CLIENT INFO").text();
        for part in [
            format!("id={id} "),
            "name=one ".to_owned(),
            "lib-name=lib ".to_owned(),
            "addr=127.0.0.1:".to_owned(),
        ] {
            assert!(line.contains(&part), "{part} in {line}");
        }
        assert!(client.run("CLIENT LIST").text().contains(&format!("id={id} ")));
        assert_eq!(client.run("CLIENT NO-EVICT ON"), Value::ok());
        assert_eq!(client.run("CLIENT NO-TOUCH OFF"), Value::ok());
        assert_eq!(client.run("RESET").text(), "RESET");
        assert_eq!(client.run("CLIENT GETNAME"), Value::Nil);
    }

    fn reset_returns_to_resp2(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client3();
        assert_eq!(client.run("GET reset:none"), Value::Null);
        assert_eq!(client.run("RESET").text(), "RESET");
        assert_eq!(client.run("GET reset:none"), Value::Nil);
    }

    fn replies_are_left_out_when_asked(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let key = setup.key("silent");
        client.run(&format!("DEL {key}"));
        client.send(&["CLIENT", "REPLY", "OFF"]);
        client.send(&["INCR", &key]);
        client.send(&["PING"]);
        client.send(&["MGET", &key, "other"]);
        client.send(&["CLIENT", "REPLY", "SKIP"]);
        client.send(&["NOSUCH"]);
        assert_eq!(client.run("CLIENT REPLY ON"), Value::ok());
        client.send(&["CLIENT", "REPLY", "SKIP"]);
        client.send(&["INCR", &key]);
        client.send(&["GET", &key]);
        assert_eq!(client.reply(), Value::bulk("2"));
        assert!(client.run("CLIENT REPLY MAYBE").is_error());
    }

    fn quit_answers_what_came_before_and_closes(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let key = setup.key("quit");
        client.send(&["SET", &key, "1"]);
        client.send(&["GET", &key]);
        client.send(&["QUIT"]);
        client.send(&["GET", &key]);
        assert_eq!(client.read_to_close(), b"+OK\r\n$1\r\n1\r\n+OK\r\n");
    }
}

with_1_and_4_workers! {
    fn nodes_with_a_password_are_given_it(threads) {
        let cluster = FakeCluster::start(2);
        cluster.require_password("n0de");
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--cluster-password", "n0de"]);
        for mut client in [proxy.client(), proxy.client3()] {
            assert_eq!(client.run("SET a 1"), Value::ok());
            assert_eq!(client.run("MGET a b c").items()[0], Value::bulk("1"));
        }
    }

    fn a_wrong_node_password_is_an_error_and_no_silence(threads) {
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--retry-deadline", "500ms"]);
        cluster.require_password("n0de");
        let reply = proxy.client().run("GET a");
        assert!(reply.is_error(), "{reply:?}");
    }
}
