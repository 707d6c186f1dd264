//! The client libraries of today and of old, each in its default settings and in its other protocol version, and
//! what applications build on them: caches, queues, workers.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use redis::{Commands, ProtocolVersion};

use crate::support::{
    Cluster, Kind, Proxy, Setup, crosswise, everywhere,
    process::directory,
    programs::{found, on_path},
    python_environment,
};

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Runs a script with the port, a prefix for keys and `more` arguments; it must say `ok`.
fn run(program: &Path, script: &str, port: u16, setup: Setup, more: &[&str]) {
    let mut command = patiently(program);
    command.arg(scripts().join(script)).arg(port.to_string()).arg(setup.key(script)).args(more);
    says_ok(command, script, more);
}

/// The same with one of the clients in `.venv/old`.
fn run_old(version: &str, script: &str, port: u16, setup: Setup, more: &[&str]) {
    let library = python_environment().join("old").join(version);
    let mut command = patiently(&python());
    command.env("PYTHONPATH", existing(&library)).arg(scripts().join(script)).arg(port.to_string());
    command.arg(setup.key(version)).args(more);
    says_ok(command, script, more);
}

/// The same with a program built from `source`.
fn run_built(built: &Path, source: &str, port: u16, setup: Setup) {
    let mut command = patiently(built);
    command.arg(port.to_string()).arg(setup.key(source));
    says_ok(command, source, &[]);
}

fn existing(path: &Path) -> &Path {
    assert!(path.exists(), "no {}; `make test` installs what the tests need", path.display());
    path
}

fn patiently(program: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.arg("300").arg(existing(program));
    command
}

fn says_ok(mut command: Command, script: &str, more: &[&str]) {
    let output = command.output().expect("timeout");
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
    assert!(output.status.success() && output.stdout.ends_with(b"ok\n"), "{script} {more:?}: {said}");
}

fn python() -> PathBuf {
    python_environment().join("bin/python")
}

fn installed(program: &str) -> PathBuf {
    found(program, on_path(program))
}

/// Runs a compiler, once for all tests that need what it builds.
fn build(compiler: &str, env: &[(&str, &str)], args: &[&str], source: &str) -> PathBuf {
    let built = directory("built").join("client");
    let mut command = Command::new(installed(compiler));
    command.args(args).arg("-o").arg(&built).arg(scripts().join(source)).envs(env.iter().copied());
    if compiler == "cc" {
        command.arg("-lhiredis");
    }
    let output = command.output().expect("a compiler");
    assert!(output.status.success(), "{source}: {}", String::from_utf8_lossy(&output.stderr));
    built
}

/// A proxy before three primaries with a replica each.
fn proxy_before_replicas(setup: Setup) -> Proxy {
    Proxy::of(Cluster::replicated(setup.kind), setup.threads, &[])
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

crosswise! {
    fn python_clients_of_all_ages_lock_watch_subscribe_and_wait(setup) {
        let proxy = proxy_before_replicas(setup);
        for version in ["redis-2.10.6", "redis-3.5.3"] {
            run_old(version, "python_features.py", proxy.port, setup, &["redis", "default"]);
        }
        for (library, protocol) in [("redis", "2"), ("redis", "3"), ("valkey", "2"), ("valkey", "3")] {
            run(&python(), "python_features.py", proxy.port, setup, &[library, protocol]);
        }
    }

    fn cluster_clients_of_old_are_told_of_the_proxy_alone(setup) {
        let proxy = proxy_before_replicas(setup);
        for version in ["redis-py-cluster-1.3.6", "redis-py-cluster-2.1.3"] {
            run_old(version, "python_old_cluster.py", proxy.port, setup, &[]);
        }
    }

    fn asyncio_clients_work(setup) {
        let proxy = proxy_before_replicas(setup);
        for (library, protocol) in [("redis", "2"), ("redis", "3"), ("valkey", "2"), ("valkey", "3")] {
            run(&python(), "python_async.py", proxy.port, setup, &[library, protocol]);
        }
    }

    fn valkey_glide_works(setup) {
        let proxy = proxy_before_replicas(setup);
        for protocol in ["2", "3"] {
            run(&python(), "python_glide.py", proxy.port, setup, &[protocol]);
        }
    }

    fn django_caches_and_sessions_work(setup) {
        let proxy = proxy_before_replicas(setup);
        run(&python(), "python_django.py", proxy.port, setup, &[]);
    }

    fn celery_and_rq_workers_run_jobs(setup) {
        let proxy = proxy_before_replicas(setup);
        run(&python(), "python_celery.py", proxy.port, setup, &[]);
        run(&python(), "python_rq.py", proxy.port, setup, &[]);
    }

    fn bullmq_runs_jobs(setup) {
        let proxy = proxy_before_replicas(setup);
        run(&node(), "bullmq.mjs", proxy.port, setup, &[]);
    }

    fn hiredis_works(setup) {
        static BUILT: LazyLock<PathBuf> =
            LazyLock::new(|| build("cc", &[], &["-Wall", "-Werror"], "hiredis_client.c"));
        let proxy = proxy_before_replicas(setup);
        run_built(&BUILT, "hiredis_client.c", proxy.port, setup);
    }

    fn redigo_works(setup) {
        // Where Debian keeps the sources of its packages.
        const SOURCES: [(&str, &str); 2] = [("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode")];
        static BUILT: LazyLock<PathBuf> =
            LazyLock::new(|| build("go", &SOURCES, &["build"], "redigo_client.go"));
        let proxy = proxy_before_replicas(setup);
        run_built(&BUILT, "redigo_client.go", proxy.port, setup);
    }

    fn php_ruby_and_perl_clients_work(setup) {
        let proxy = proxy_before_replicas(setup);
        for (program, script) in [("php", "php_client.php"), ("ruby", "ruby_client.rb"), ("perl", "perl_client.pl")] {
            run(&installed(program), script, proxy.port, setup, &[]);
        }
    }

    fn a_sidekiq_worker_runs_jobs(setup) {
        let proxy = proxy_before_replicas(setup);
        run(&installed("ruby"), "sidekiq_worker.rb", proxy.port, setup, &[]);
    }
}
