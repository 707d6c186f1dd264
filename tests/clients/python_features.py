"""What applications do beyond plain commands, with a Python client of any age: pipelines with and without a
transaction, optimistic locking, locks, subscriptions read by a thread, scripts, scans, blocking pops.

usage: python_features.py PORT PREFIX redis|valkey default|2|3

Runs with redis-py 2.10 to 8 and valkey-py; the version is that of the first one on PYTHONPATH.
"""

import importlib
import sys
import threading
import time

port, prefix, library, protocol = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
module = importlib.import_module(library)
options = {"host": "127.0.0.1", "port": port, "socket_timeout": 20, "decode_responses": True}
if protocol != "default":
    options["protocol"] = int(protocol)
Connect = getattr(module, "StrictRedis", None) or module.Valkey
client = Connect(**options)


def key(name):
    """A key of one slot with the others of this run."""
    return "{%s:%s:%s}:%s" % (prefix, module.__version__, protocol, name)


def far(name):
    """A key of any slot."""
    return "%s:%s:%s:%s" % (prefix, module.__version__, protocol, name)


def until(what, probe, patience=20):
    end = time.time() + patience
    while not probe():
        assert time.time() < end, what
        time.sleep(0.005)


def pipelines():
    for transaction in (True, False):
        pipe = client.pipeline(transaction=transaction)
        pipe.set(key("p"), "1").incr(key("p")).get(key("p")).delete(key("p"))
        assert pipe.execute() == [True, 2, "2", 1]
    wide = client.pipeline(transaction=False)
    for number in range(100):
        wide.set(far("w%d" % number), number).get(far("w%d" % number)).delete(far("w%d" % number))
    assert wide.execute() == [answer for number in range(100) for answer in (True, str(number), 1)]
    failing = client.pipeline(transaction=True)
    failing.set(key("p"), "text").incr(key("p")).get(key("p"))
    answers = failing.execute(raise_on_error=False)
    assert answers[0] is True and isinstance(answers[1], module.ResponseError) and answers[2] == "text", answers


def optimistic_locking():
    client.set(key("o"), 1)

    def add(pipe):
        seen = int(pipe.get(key("o")))
        pipe.multi()
        pipe.set(key("o"), seen + 1)

    threads = [threading.Thread(target=lambda: [client.transaction(add, key("o")) for _ in range(5)]) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert client.get(key("o")) == "21"
    with client.pipeline() as pipe:
        pipe.watch(key("o"))
        client.set(key("o"), "other")
        pipe.multi()
        pipe.get(key("o"))
        try:
            pipe.execute()
            raise AssertionError("a watched key changed")
        except module.WatchError:
            pass


def locks():
    lock = client.lock(key("lock"), timeout=20, blocking_timeout=0.01)
    client.delete(key("lock"))
    assert lock.acquire(blocking=False)
    other = client.lock(key("lock"), timeout=20, blocking_timeout=0.01)
    assert not other.acquire(blocking=False)
    lock.extend(10)
    lock.release()
    assert other.acquire(blocking=False)
    other.release()
    with client.lock(key("lock"), timeout=20):
        assert client.exists(key("lock"))
    assert not client.exists(key("lock"))


def subscriptions():
    heard = []
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe(**{far("news"): lambda message: heard.append(message["data"])})
    pubsub.psubscribe(**{far("n?ws"): lambda message: heard.append("p:" + message["data"])})
    thread = pubsub.run_in_thread(sleep_time=0.01)
    until("both subscriptions", lambda: client.publish(far("news"), "first") >= 0 and len(set(heard)) == 2)
    for number in range(50):
        client.publish(far("news"), number)
    until("all messages", lambda: {"49", "p:49"} <= set(heard))
    plain = [item for item in heard if not item.startswith("p:")]
    assert plain[-50:] == [str(number) for number in range(50)], plain
    thread.stop()
    thread.join(20)
    assert not thread.is_alive()


def scripts():
    add = client.register_script("return redis.call('incrby', KEYS[1], ARGV[1])")
    client.delete(key("s"))
    assert add(keys=[key("s")], args=[3]) == 3
    client.script_flush()
    assert add(keys=[key("s")], args=[4]) == 7
    with client.pipeline() as pipe:
        add(keys=[key("s")], args=[5], client=pipe)
        pipe.get(key("s"))
        assert pipe.execute() == [12, "12"]


def scans():
    names = {far("scan%d" % number) for number in range(100)}
    for name in names:
        client.set(name, 1)
    assert set(client.scan_iter(match=far("scan*"), count=50)) == names
    assert set(client.keys(far("scan*"))) == names
    client.sadd(key("members"), *range(200))
    assert {int(member) for member in client.sscan_iter(key("members"))} == set(range(200))


def blocking():
    client.delete(key("l"), key("l2"))
    answers = []
    thread = threading.Thread(target=lambda: answers.append(client.blpop([key("l2"), key("l")], timeout=20)))
    thread.start()
    client.rpush(key("l"), "x")
    thread.join(25)
    assert answers == [(key("l"), "x")] or answers == [[key("l"), "x"]], answers
    assert client.blpop(key("l"), timeout=1) is None
    client.rpush(key("l"), "y")
    assert client.brpoplpush(key("l"), key("l2"), timeout=5) == "y"


def the_rest():
    client.delete(key("z"), key("x"))
    client.execute_command("ZADD", key("z"), 1.5, "one", 2, "two")
    assert [tuple(pair) for pair in client.zrange(key("z"), 0, -1, withscores=True)] == [("one", 1.5), ("two", 2.0)]
    client.set(key("e"), "soon", ex=100)
    assert 0 < client.ttl(key("e")) <= 100
    assert client.setnx(key("e"), "later") in (False, 0)
    client.execute_command("XADD", key("x"), "1-1", "f", "v")
    assert client.execute_command("XLEN", key("x")) == 1
    assert client.sort(key("members"), start=0, num=3) == ["0", "1", "2"]
    assert client.info()["connected_clients"] > 0 and client.dbsize() > 0
    assert len(client.client_list()) > 0
    assert client.object("encoding", key("z")) in ("ziplist", "listpack")
    assert client.mset({far("m%d" % number): number for number in range(20)})
    assert client.mget([far("m%d" % number) for number in range(20)]) == [str(number) for number in range(20)]


for part in (pipelines, optimistic_locking, locks, subscriptions, scripts, scans, blocking, the_rest):
    part()
print("ok")
