"""Many coroutines over one pool of an asyncio client, and an asyncio cluster client that sees slotway alone.

usage: python_async.py PORT PREFIX redis|valkey default|2|3
"""

import asyncio
import importlib
import sys

port, prefix, library, protocol = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
module = importlib.import_module(library + ".asyncio")
options = {"host": "127.0.0.1", "port": port, "socket_timeout": 20, "decode_responses": True}
if protocol != "default":
    options["protocol"] = int(protocol)
Alone, Cluster = (module.Redis, module.RedisCluster) if library == "redis" else (module.Valkey, module.ValkeyCluster)


def key(name):
    return f"{{{prefix}:{library}:{protocol}}}:{name}"


def far(name):
    return f"{prefix}:{library}:{protocol}:{name}"


async def numbers(client):
    async def one(number):
        await client.set(far(number), number)
        return await client.get(far(number))

    answers = await asyncio.gather(*(one(number) for number in range(60)))
    assert answers == [str(number) for number in range(60)]
    assert await client.mget([far(number) for number in range(60)]) == answers


async def pipelines(client):
    for transaction in (True, False):
        async with client.pipeline(transaction=transaction) as pipe:
            pipe.set(key("p"), 1).incr(key("p")).get(key("p")).delete(key("p"))
            assert await pipe.execute() == [True, 2, "2", 1]


async def locks(client):
    count = 0

    async def one():
        nonlocal count
        async with client.lock(key("lock"), timeout=20):
            seen = count
            await client.set(key("held"), seen)
            count = seen + 1

    await asyncio.gather(*(one() for _ in range(5)))
    assert count == 5


async def subscriptions(client):
    async with client.pubsub(ignore_subscribe_messages=False) as pubsub:
        await pubsub.subscribe(far("news"))
        assert (await pubsub.get_message(timeout=20))["type"] == "subscribe"
        for number in range(20):
            await client.publish(far("news"), number)
        heard = [(await pubsub.get_message(timeout=20))["data"] for _ in range(20)]
        assert heard == [str(number) for number in range(20)]


async def blocking(client):
    await client.delete(key("l"))
    waiting = [asyncio.create_task(client.blpop([key("l")], timeout=20)) for _ in range(3)]
    await client.rpush(key("l"), "a", "b", "c")
    got = sorted(answer[1] for answer in await asyncio.gather(*waiting))
    assert got == ["a", "b", "c"], got


async def as_a_cluster():
    async with Cluster(**options) as client:
        await numbers_of_a_cluster(client)


async def numbers_of_a_cluster(client):
    answers = await asyncio.gather(*(client.set(far(number), number) for number in range(50)))
    assert answers == [True] * 50
    assert await client.mget_nonatomic([far(number) for number in range(50)]) == [str(n) for n in range(50)]


async def main():
    async with Alone(**options) as client:
        for part in (numbers, pipelines, locks, subscriptions, blocking):
            await part(client)
    await as_a_cluster()
    print("ok")


asyncio.run(main())
