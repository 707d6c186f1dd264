// A day in the life of a node-redis client: connect, strings, numbers, hashes, bytes, many at once, errors.
//
// usage: node node_redis.mjs PORT PREFIX default|2|3 [PASSWORD]

import assert from 'node:assert/strict';
import { RESP_TYPES, createClient } from 'redis';

const [port, prefix, protocol, password] = process.argv.slice(2);
const options = { password, socket: { host: '127.0.0.1', port: Number(port), reconnectStrategy: false } };
if (protocol !== 'default') options.RESP = Number(protocol);
const key = (name) => `${prefix}:${protocol}:${name}`;

const client = createClient(options);
client.on('error', (error) => {
  console.error(error);
  process.exit(1);
});
await client.connect();

assert.equal(await client.ping(), 'PONG');
assert.equal(await client.set(key('a'), '1'), 'OK');
assert.equal(await client.get(key('a')), '1');
assert.equal(await client.get(key('none')), null);
await client.del([key('n'), key('h'), key('z')]);
assert.equal(await client.incrBy(key('n'), 42), 42);
assert.equal(await client.set(key('schlüssel ☃'), 'grüße 🎈'), 'OK');
assert.equal(await client.get(key('schlüssel ☃')), 'grüße 🎈');

const everything = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
await client.set(key('bytes'), everything);
const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
assert.deepEqual(await bytes.get(key('bytes')), everything);

const names = Array.from({ length: 50 }, (_, n) => key(`m${n}`));
assert.equal(await client.mSet(names.map((name) => [name, name])), 'OK');
assert.deepEqual(await client.mGet(names), names);
assert.equal(await client.del(names), 50);

assert.equal(await client.hSet(key('h'), { f: '1', g: '2' }), 2);
assert.deepEqual({ ...(await client.hGetAll(key('h'))) }, { f: '1', g: '2' });
assert.equal(await client.zAdd(key('z'), [{ value: 'one', score: 1.5 }]), 1);
assert.deepEqual((await client.zRangeWithScores(key('z'), 0, -1)).map((pair) => ({ ...pair })), [{ value: 'one', score: 1.5 }]);

const many = Array.from({ length: 500 }, (_, n) => n);
await Promise.all(many.map((n) => client.set(key(`p${n}`), String(n))));
assert.deepEqual(await Promise.all(many.map((n) => client.get(key(`p${n}`)))), many.map(String));

const batch = await client.multi().set(key('b'), '1').get(key('b')).execAsPipeline();
assert.deepEqual(batch, ['OK', '1']);
await assert.rejects(client.incr(key('h')), /WRONGTYPE/);
assert.equal(await client.get(key('a')), '1');

assert.deepEqual(await client.multi().set(key('b'), '1').incr(key('b')).exec(), ['OK', 2]);
const listener = client.duplicate();
await listener.connect();
const heard = new Promise((resolve) => listener.subscribe(key('news'), resolve).then(() => client.publish(key('news'), 'hello')));
assert.equal(await heard, 'hello');
await listener.close();
const waiter = client.duplicate();
await waiter.connect();
await client.del(key('l'));
const popped = waiter.blPop(key('l'), 20);
await client.rPush(key('l'), 'x');
assert.deepEqual({ ...(await popped) }, { key: key('l'), element: 'x' });
await waiter.close();
await client.close();
console.log('ok');
