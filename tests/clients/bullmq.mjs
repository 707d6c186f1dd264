// A BullMQ queue and worker: jobs, a flow, a retry, a delay. The prefix keeps its keys in one slot, as BullMQ asks for on clusters.
//
// usage: node bullmq.mjs PORT PREFIX

import assert from 'node:assert/strict';
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq';

const [port, prefix] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const options = { connection, prefix: `{${prefix}}` };
const queue = new Queue('jobs', options);
const events = new QueueEvents('jobs', options);
await events.waitUntilReady();

const worker = new Worker('jobs', async (job) => {
  if (job.name === 'flaky' && job.attemptsMade === 0) throw new Error('once more');
  if (job.name === 'parent') return Object.values(await job.getChildrenValues()).reduce((sum, value) => sum + value, 0);
  return job.data.number * 2;
}, { ...options, concurrency: 5 });
for (const part of [queue, events, worker]) part.on('error', (error) => { console.error(error); process.exit(1); });

const jobs = await queue.addBulk(Array.from({ length: 20 }, (_, number) => ({ name: 'double', data: { number } })));
const doubled = await Promise.all(jobs.map((job) => job.waitUntilFinished(events, 30_000)));
assert.deepEqual(doubled, Array.from({ length: 20 }, (_, number) => number * 2));

const flaky = await queue.add('flaky', { number: 4 }, { attempts: 2 });
assert.equal(await flaky.waitUntilFinished(events, 30_000), 8);
const delayed = await queue.add('delayed', { number: 5 }, { delay: 50 });
assert.equal(await delayed.waitUntilFinished(events, 30_000), 10);

const flow = new FlowProducer(options);
const children = [1, 2, 3].map((number) => ({ name: 'child', queueName: 'jobs', data: { number } }));
const { job: parent } = await flow.add({ name: 'parent', queueName: 'jobs', children });
assert.equal(await parent.waitUntilFinished(events, 30_000), 12);

const counts = await queue.getJobCounts();
assert.deepEqual([counts.completed, counts.failed, counts.waiting], [26, 0, 0]);
await worker.close();
await flow.close();
await events.close();
await queue.obliterate();
await queue.close();
console.log('ok');
