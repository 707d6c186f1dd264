//! Bad input gets the server's own words and the end of the connection, and touches nobody else.

use std::io::ErrorKind;

use crate::support::{Kind, Setup, Value, crosswise, everywhere, server::Server};

/// Requests that break the protocol, each sent alone.
fn broken() -> Vec<Vec<u8>> {
    let texts: &[&[u8]] = &[
        b"*2147483648\r\n",
        b"*x\r\n",
        b"*1\r\n$x\r\n",
        b"*1\r\n$-1\r\n",
        b"*1\r\n$\r\n",
        b"*1\r\n$536870913\r\n",
        b"*1\r\nx\r\n",
        b"*2\r\n$3\r\nGET\r\n:1\r\n",
        b"*1\r\n*1\r\n",
        b"GET \"unbalanced\r\n",
        b"*3\r\n$3\r\nSET\r\n$1\r\na\r\nvalue\r\n",
        b"*1\r\n$99999999999999999999\r\n",
        b"*1\r\n\xff\r\n",
        b"*1\r\n$ 4\r\nPING\r\n",
        b"*1\r\n$+4\r\nPING\r\n",
        b"* 1\r\n$4\r\nPING\r\n",
    ];
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.to_vec()).collect();
    all.push(vec![b'a'; 70_000]);
    all
}

everywhere! {
    fn broken_requests_get_the_texts_of_a_node(setup) {
        let (proxy, server) = (setup.proxy(), Server::single(setup.kind));
        let mut other = proxy.client();
        for bytes in broken() {
            let shown = bytes[..bytes.len().min(60)].escape_ascii().to_string();
            let answers = [server.client(), proxy.client()].map(|mut client| {
                client.send_raw(&bytes);
                client.read_to_close().escape_ascii().to_string()
            });
            assert!(answers[0].starts_with("-ERR Protocol error"), "{shown}: {}", answers[0]);
            assert_eq!(answers[1], answers[0], "{shown}");
            assert_eq!(other.run("PING").text(), "PONG");
        }
    }

    fn a_length_that_never_ends_is_refused(setup) {
        let proxy = setup.proxy();
        for start in ["*", "*1\r\n$"] {
            let mut client = proxy.client();
            // Refused before the last digit was sent.
            drop(client.try_send_raw(&[start.as_bytes(), &[b'1'; 70_000]].concat()));
            let said = client.read_to_close();
            assert!(said.is_empty() || said.starts_with(b"-ERR Protocol error: "), "{}", said.escape_ascii());
        }
        assert_eq!(proxy.client().run("PING").text(), "PONG");
    }

    fn requests_before_a_broken_one_are_answered(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let key = setup.key("before");
        client.send(&["SET", &key, "1"]);
        client.send_raw(b"*1\r\n$x\r\n");
        assert_eq!(client.reply(), Value::ok());
        assert_eq!(client.read_to_close(), b"-ERR Protocol error: invalid bulk length\r\n");
    }

    fn more_arguments_than_a_million_are_refused(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        client.send_raw(b"*1048577\r\n");
        assert_eq!(client.read_to_close(), b"-ERR Protocol error: invalid multibulk length\r\n");
    }

    fn a_count_below_zero_is_taken_as_a_node_takes_it(setup) {
        let (proxy, server) = (setup.proxy(), Server::single(setup.kind));
        for count in ["*-2147483649", "*-10", "*-9223372036854775808", "*-9223372036854775809", "*-0", "*00"]
        {
            let answers = [server.client(), proxy.client()].map(|mut client| {
                client.send_raw(format!("{count}\r\nECHO end\r\nQUIT\r\n").as_bytes());
                client.read_to_close().escape_ascii().to_string()
            });
            assert_eq!(answers[1], answers[0], "{count}");
        }
    }

    fn empty_requests_are_no_requests(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        client.send_raw(b"\r\n*0\r\n*-1\r\n\n   \r\nPING\r\n");
        assert_eq!(client.reply().text(), "PONG");
        client.send_raw(b"PING\n");
        assert_eq!(client.reply().text(), "PONG");
    }

    fn inline_requests_are_read_as_a_node_reads_them(setup) {
        let (proxy, server) = (setup.proxy(), Server::single(setup.kind));
        let (mut proxied, mut direct) = (proxy.client(), server.client());
        for line in [
            "ECHO hello",
            "echo 'a b'",
            "ECHO \"\\x41\\n\\\"\"",
            "ECHO 'it\\'s'",
            "  ECHO   x  ",
            "ECHO",
            "ECHO \"\"",
            "\tECHO\tx",
        ] {
            for client in [&mut proxied, &mut direct] {
                client.send_raw(line.as_bytes());
                client.send_raw(b"\r\n");
            }
            assert_eq!(proxied.reply(), direct.reply(), "{line}");
        }
    }

    fn arguments_are_limited_to_what_a_node_takes(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let mut bytes = b"*1048576\r\n$6\r\nEXISTS\r\n".to_vec();
        for _ in 1..1_048_576 {
            bytes.extend_from_slice(b"$1\r\na\r\n");
        }
        client.send_raw(&bytes);
        assert!(matches!(client.reply(), Value::Integer(_)));
    }
}

crosswise! {
    fn the_bulk_limit_can_be_lowered(setup) {
        let proxy = setup.proxy_with(&["--proto-max-bulk-len", "1mb"]);
        let mut client = proxy.client();
        client.send_raw(b"*2\r\n$3\r\nGET\r\n$1048577\r\n");
        assert_eq!(client.read_to_close(), b"-ERR Protocol error: invalid bulk length\r\n");
        let key = setup.key("limit");
        assert_eq!(proxy.client().request(&["SET", &key, &"x".repeat(1_048_576)]), Value::ok());
    }

    fn a_request_beyond_the_query_buffer_ends_the_connection(setup) {
        let proxy = setup.proxy_with(&["--client-query-buffer-limit", "2mb"]);
        let mut client = proxy.client();
        client.send_raw(b"*2\r\n$3\r\nGET\r\n$8388608\r\n");
        let chunk = vec![b'x'; 1 << 20];
        let refused = (0..8).map(|_| client.try_send_raw(&chunk)).find_map(Result::err);
        let ended = match client.try_reply() {
            Ok(reply) => reply.is_none_or(|reply| reply.is_error()),
            Err(error) => matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
        };
        assert!(ended, "write: {refused:?}");
        assert_eq!(proxy.client().run("PING").text(), "PONG");
    }
}
