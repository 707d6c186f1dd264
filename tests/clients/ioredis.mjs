// A day in the life of an ioredis client, alone or as a cluster client.
//
// usage: node ioredis.mjs PORT PREFIX default|cluster [PASSWORD]

import assert from 'node:assert/strict';
import Redis from 'ioredis';

const [port, prefix, mode, password] = process.argv.slice(2);
const address = { host: '127.0.0.1', port: Number(port) };
const once = { retryStrategy: () => null, maxRetriesPerRequest: 1 };
const client = mode === 'cluster' ? new Redis.Cluster([address]) : new Redis({ ...address, ...once, password });
const key = (name) => `${prefix}:${mode}:${name}`;
client.on('error', (error) => {
  console.error(error);
  process.exit(1);
});

assert.equal(await client.ping(), 'PONG');
assert.equal(await client.set(key('a'), '1'), 'OK');
assert.equal(await client.get(key('a')), '1');
assert.equal(await client.get(key('none')), null);
await client.del(key('n'));
await client.del(key('h'));
assert.equal(await client.incrby(key('n'), 42), 42);
assert.equal(await client.set(key('schlüssel ☃'), 'grüße 🎈'), 'OK');
assert.equal(await client.get(key('schlüssel ☃')), 'grüße 🎈');

const everything = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
await client.set(key('bytes'), everything);
assert.deepEqual(await client.getBuffer(key('bytes')), everything);

const names = Array.from({ length: 50 }, (_, n) => key(`m${n}`));
if (mode !== 'cluster') {
  assert.equal(await client.mset(...names.flatMap((name) => [name, name])), 'OK');
  assert.deepEqual(await client.mget(...names), names);
  assert.equal(await client.del(...names), 50);
}

assert.equal(await client.hset(key('h'), { f: '1', g: '2' }), 2);
assert.deepEqual({ ...(await client.hgetall(key('h'))) }, { f: '1', g: '2' });

const pipeline = client.pipeline();
const many = Array.from({ length: 200 }, (_, n) => n);
for (const n of many) pipeline.set(key(`p${n}`), n).get(key(`p${n}`));
assert.deepEqual(await pipeline.exec(), many.flatMap((n) => [[null, 'OK'], [null, String(n)]]));

await assert.rejects(client.incr(key('h')), /WRONGTYPE/);

if (mode !== 'cluster') {
  assert.deepEqual(await client.multi().set(key('b'), '1').incr(key('b')).exec(), [[null, 'OK'], [null, 2]]);
  const listener = client.duplicate();
  await listener.subscribe(key('news'));
  const heard = new Promise((resolve) => listener.on('message', (_, text) => resolve(text)));
  await client.publish(key('news'), 'hello');
  assert.equal(await heard, 'hello');
  listener.disconnect();
  const waiter = client.duplicate();
  await client.del(key('l'));
  const popped = waiter.blpop(key('l'), 20);
  await client.rpush(key('l'), 'x');
  assert.deepEqual(await popped, [key('l'), 'x']);
  waiter.disconnect();
  const found = new Set();
  for await (const names of client.scanStream({ match: key('p*'), count: 100 })) names.forEach((name) => found.add(name));
  assert.equal(found.size, 200);
}
client.disconnect();
console.log('ok');
