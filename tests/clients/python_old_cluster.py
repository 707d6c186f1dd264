"""A cluster client of old (redis-py-cluster 1.3 and 2.1) that is told of slotway alone and finds one node there.

usage: python_old_cluster.py PORT PREFIX
"""

import sys

import rediscluster

port, prefix = int(sys.argv[1]), sys.argv[2]
Connect = getattr(rediscluster, "StrictRedisCluster", None) or rediscluster.RedisCluster
client = Connect(startup_nodes=[{"host": "127.0.0.1", "port": str(port)}], decode_responses=True)


def key(name):
    return "%s:%s:%s" % (prefix, rediscluster.__version__, name)


assert client.set(key("name"), "tom") and client.get(key("name")) == "tom"
assert client.get(key("none")) is None
client.delete(key("n"), key("h"), key("l"))
assert client.incr(key("n")) == 1
assert client.hset(key("h"), "f", "v") == 1 and client.hgetall(key("h")) == {"f": "v"}
assert client.rpush(key("l"), "a", "b") == 2 and client.lrange(key("l"), 0, -1) == ["a", "b"]
names = [key("m%d" % number) for number in range(50)]
assert client.mset({name: name for name in names})
assert client.mget(names) == names
assert set(client.scan_iter(match=key("m*"))) == set(names)
assert client.delete(*names) == 50

pipe = client.pipeline()
for number in range(200):
    pipe.set(key("p%d" % number), number)
    pipe.get(key("p%d" % number))
assert pipe.execute() == [answer for number in range(200) for answer in (True, str(number))]

assert client.eval("return redis.call('get', KEYS[1])", 1, key("name")) == "tom"
pubsub = client.pubsub()
pubsub.subscribe(key("news"))
assert pubsub.get_message(timeout=20)["type"] == "subscribe"
client.publish(key("news"), "hello")
assert pubsub.get_message(timeout=20)["data"] == "hello"
try:
    client.incr(key("h"))
    raise AssertionError("INCR of a hash must fail")
except Exception as error:
    assert "WRONGTYPE" in str(error), error
print("ok")
