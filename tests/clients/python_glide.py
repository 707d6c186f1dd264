"""Valkey GLIDE, alone and as a cluster client that sees slotway alone.

usage: python_glide.py PORT PREFIX 2|3
"""

import asyncio
import sys

from glide import (
    Batch,
    ClusterScanCursor,
    GlideClient,
    GlideClientConfiguration,
    GlideClusterClient,
    GlideClusterClientConfiguration,
    NodeAddress,
    ProtocolVersion,
    Script,
)

port, prefix, protocol = int(sys.argv[1]), sys.argv[2], sys.argv[3]
version = ProtocolVersion.RESP3 if protocol == "3" else ProtocolVersion.RESP2
options = {"addresses": [NodeAddress("127.0.0.1", port)], "protocol": version, "request_timeout": 20_000}


def key(name):
    return f"{{{prefix}:{protocol}}}:{name}"


def far(name):
    return f"{prefix}:{protocol}:{name}"


async def everyday(client):
    assert await client.set(key("a"), "1") == "OK" and await client.get(key("a")) == b"1"
    await client.delete([key("h"), key("l"), key("z")])
    assert await client.hset(key("h"), {"f": "v"}) == 1 and await client.hgetall(key("h")) == {b"f": b"v"}
    assert await client.rpush(key("l"), ["x", "y"]) == 2 and await client.blpop([key("l")], 1) == [key("l").encode(), b"x"]
    assert await client.zadd(key("z"), {"one": 1.5}) == 1 and await client.zscore(key("z"), "one") == 1.5
    answers = await asyncio.gather(*(client.set(far(number), str(number)) for number in range(300)))
    assert answers == ["OK"] * 300
    assert await client.mget([far(number) for number in range(300)]) == [str(n).encode() for n in range(300)]
    script = Script("return redis.call('get', KEYS[1])")
    assert await client.invoke_script(script, keys=[key("a")]) == b"1"


async def alone():
    client = await GlideClient.create(GlideClientConfiguration(**options))
    await everyday(client)
    for atomic in (True, False):
        batch = Batch(is_atomic=atomic)
        batch.set(key("b"), "1")
        batch.incr(key("b"))
        assert await client.exec(batch, raise_on_error=True) == ["OK", 2]
    await client.close()


async def as_a_cluster():
    client = await GlideClusterClient.create(GlideClusterClientConfiguration(**options))
    await everyday(client)
    found, cursor = set(), ClusterScanCursor()
    while not cursor.is_finished():
        cursor, names = await client.scan(cursor, match=far("*"), count=100)
        found |= set(names)
    assert len(found) == 300, len(found)
    await client.close()


async def main():
    await alone()
    await as_a_cluster()
    print("ok")


asyncio.run(main())
