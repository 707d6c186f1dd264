"""A day in the life of a Python client: connect, strings, numbers, pipelines, hashes, bytes, errors.

usage: python_client.py PORT PREFIX redis|valkey|redis-cluster default|2|3 [PASSWORD]
"""

import importlib
import sys

port, prefix, library, protocol = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
password = sys.argv[5] if len(sys.argv) > 5 else None
module = importlib.import_module(library.split("-")[0])

options = {"host": "127.0.0.1", "port": port, "password": password, "socket_timeout": 20}
if protocol != "default":
    options["protocol"] = int(protocol)


def connect(**more):
    if library == "redis-cluster":
        return module.RedisCluster(**options, **more)
    return module.Redis(**options, **more)


def key(name):
    return f"{prefix}:{library}:{protocol}:{name}"


client = connect()
assert client.ping()
assert client.set(key("a"), "1") and client.get(key("a")) == b"1"
assert client.get(key("none")) is None
client.delete(key("n"))
assert client.incr(key("n")) == 1 and client.incrby(key("n"), 41) == 42

everything = bytes(range(256))
assert client.set(key(everything), everything) and client.get(key(everything)) == everything

text = connect(decode_responses=True)
assert text.set(key("schlüssel ☃"), "grüße 🎈") and text.get(key("schlüssel ☃")) == "grüße 🎈"

names = [key(f"m{n}") for n in range(50)]
if library == "redis-cluster":
    assert client.mset_nonatomic({name: name for name in names})
    assert [value.decode() for value in client.mget_nonatomic(names)] == names
else:
    assert client.mset({name: name for name in names})
    assert [value.decode() for value in client.mget(names)] == names
    assert client.delete(*names) == 50

text.delete(key("h"), key("z"), key("s"), key("l"))
assert text.hset(key("h"), mapping={"f": "1", "g": "2"}) == 2
assert text.hgetall(key("h")) == {"f": "1", "g": "2"}
assert text.zadd(key("z"), {"one": 1.5, "two": 2}) == 2
pairs = [(member, score) for member, score in text.zrange(key("z"), 0, -1, withscores=True)]
assert pairs == [("one", 1.5), ("two", 2.0)], pairs
assert text.sadd(key("s"), "x") == 1 and set(text.smembers(key("s"))) == {"x"}
assert text.rpush(key("l"), "a", "b") == 2 and text.lrange(key("l"), 0, -1) == ["a", "b"]

pipeline = text.pipeline(transaction=False)
for n in range(200):
    pipeline.set(key(f"p{n}"), n).get(key(f"p{n}"))
answers = pipeline.execute()
assert answers == [answer for n in range(200) for answer in (True, str(n))]

try:
    text.incr(key("h"))
    raise AssertionError("INCR of a hash must fail")
except module.ResponseError as error:
    assert "WRONGTYPE" in str(error), error

if library != "redis-cluster":
    assert client.client_setname("me") and text.client_id() > 0
    assert client.info()["redis_version"]
    assert client.config_get("maxclients")
    assert client.command_count() > 200
    assert client.time()[0] > 0
print("ok")
