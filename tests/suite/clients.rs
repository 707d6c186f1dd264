//! The client libraries of today, each in its default settings and in its other protocol version.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use redis::{Commands, ProtocolVersion};

use crate::support::{
    Kind, Setup, everywhere,
    programs::{found, on_path},
    python_environment,
};

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Runs a script with the port, a prefix for keys and `more` arguments; it must say `ok`.
fn run(program: &Path, script: &str, port: u16, setup: Setup, more: &[&str]) {
    assert!(program.exists(), "no {}; `make test` installs what the tests need", program.display());
    let mut command = Command::new("timeout");
    command
        .arg("60")
        .arg(program)
        .arg(scripts().join(script))
        .arg(port.to_string())
        .arg(setup.key(script))
        .args(more);
    let output = command.output().expect("timeout");
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.ends_with("ok\n"), "{script} {more:?}: {said}");
}

fn python() -> PathBuf {
    python_environment().join("bin/python")
}

fn node() -> PathBuf {
    let wheel = python_environment().join("bin/node");
    found("node", on_path("node").or_else(|| wheel.is_file().then_some(wheel)))
}

everywhere! {
    fn redis_py_works(setup) {
        let proxy = setup.proxy();
        for protocol in ["default", "2", "3"] {
            run(&python(), "python_client.py", proxy.port, setup, &["redis", protocol]);
        }
    }

    fn valkey_py_works(setup) {
        let proxy = setup.proxy();
        for protocol in ["default", "3"] {
            run(&python(), "python_client.py", proxy.port, setup, &["valkey", protocol]);
        }
    }

    fn redis_py_as_cluster_client_works(setup) {
        let proxy = setup.proxy();
        run(&python(), "python_client.py", proxy.port, setup, &["redis-cluster", "default"]);
    }

    fn node_redis_works(setup) {
        let proxy = setup.proxy();
        for protocol in ["default", "2", "3"] {
            run(&node(), "node_redis.mjs", proxy.port, setup, &[protocol]);
        }
    }

    fn ioredis_works(setup) {
        let proxy = setup.proxy();
        for mode in ["default", "cluster"] {
            run(&node(), "ioredis.mjs", proxy.port, setup, &[mode]);
        }
    }

    fn a_client_with_a_password_works(setup) {
        let proxy = setup.proxy_with(&["--requirepass", "s3cret"]);
        run(&python(), "python_client.py", proxy.port, setup, &["redis", "default", "s3cret"]);
        run(&node(), "node_redis.mjs", proxy.port, setup, &["default", "s3cret"]);
        run(&node(), "ioredis.mjs", proxy.port, setup, &["default", "s3cret"]);
    }

    fn redis_rs_works(setup) {
        let proxy = setup.proxy();
        for version in ["", "?protocol=resp3"] {
            let client = redis::Client::open(format!("redis://127.0.0.1:{}/{version}", proxy.port)).unwrap();
            let wanted = if version.is_empty() { ProtocolVersion::RESP2 } else { ProtocolVersion::RESP3 };
            assert_eq!(client.get_connection_info().redis_settings().protocol(), wanted);
            let mut connection = client.get_connection().unwrap();
            let (key, hash) = (setup.key("rs"), setup.key("rs:hash"));
            let () = connection.set(&key, b"\x00\xff\r\n").unwrap();
            assert_eq!(connection.get::<_, Vec<u8>>(&key).unwrap(), b"\x00\xff\r\n");
            let () = connection.hset_multiple(&hash, &[("a", 1), ("b", 2)]).unwrap();
            let all: std::collections::BTreeMap<String, i64> = connection.hgetall(&hash).unwrap();
            assert_eq!(all.into_iter().collect::<Vec<_>>(), [("a".to_owned(), 1), ("b".to_owned(), 2)]);
            let (one, both): (i64, Vec<Option<i64>>) = redis::pipe()
                .cmd("HGET")
                .arg(&hash)
                .arg("a")
                .cmd("MGET")
                .arg(setup.key("none"))
                .arg(setup.key("rs:none"))
                .query(&mut connection)
                .unwrap();
            assert_eq!((one, both), (1, vec![None, None]));
        }
    }

    fn redis_rs_as_cluster_client_works(setup) {
        let proxy = setup.proxy();
        let client =
            redis::cluster::ClusterClient::new(vec![format!("redis://127.0.0.1:{}/", proxy.port)]).unwrap();
        let mut connection = client.get_connection().unwrap();
        let key = setup.key("rs:cluster");
        let () = connection.set(&key, 7).unwrap();
        assert_eq!(connection.get::<_, i64>(&key).unwrap(), 7);
    }
}
