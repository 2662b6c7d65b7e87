import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PushQueueClient } from 'pushqueue';
import { Proxy } from './support/proxy.mjs';
import { Server } from './support/server.mjs';
import { eager, WebSocket } from './support/transports.mjs';
import { until } from './support/until.mjs';

let server;
let proxy;
let client;
let queues = 0;

before(async () => {
  server = await Server.start('--durability', 'interval:50ms');
  proxy = await Proxy.start(server.url);
  client = new PushQueueClient(proxy.url, { ...eager, WebSocket });
});
after(async () => {
  await proxy.close();
  await server.close();
});

const queueWith = async (count, settings = {}) => {
  const queue = `work-${++queues}`;
  await client.changeSettings(queue, { policy: 'roundrobin', ...settings });
  await client.putItems(queue, Array.from({ length: count }, (_, i) => ({ body: i, id: `m${i}` })));
  return queue;
};
const left = async queue => {
  const { ready, delayed, leased } = await client.queue(queue);
  return ready + delayed + leased;
};

test('Work that returns is acked, as much at once as allowed, through cut connections', async () => {
  const queue = await queueWith(200);
  const done = new Set();
  let running = 0;
  let most = 0;
  const worker = client.worker(queue, async ({ body }) => {
    most = Math.max(most, ++running);
    await new Promise(resolve => setTimeout(resolve, 5));
    running--;
    done.add(body);
    if (done.size % 60 === 0) {
      proxy.cut();
    }
  }, { concurrency: 4, name: 'four' });
  const run = worker.run();

  await until('all is done', async () => await left(queue) === 0);
  assert.ok((await client.workers()).some(info => info.worker === 'four'));
  worker.stop();
  await run;

  assert.equal(done.size, 200);
  assert.equal(most, 4);
});

test('Work that throws is given back with the error, and tried again', async () => {
  const queue = await queueWith(1, { maxAttempts: 2 });
  const errors = [];
  const worker = client.worker(queue, () => { throw new Error('no luck'); }, { retryDelay: '10ms', onError: error => errors.push(error.message) });
  const run = worker.run();

  await until('it failed for good', () => errors.length === 2);
  worker.stop();
  await run;

  const dead = [];
  for await (const message of client.deadLetters(queue)) {
    dead.push(message);
  }

  assert.equal(dead[0].lastError, 'no luck');
});

test('A lease is kept up while the work goes on', async () => {
  const queue = await queueWith(1);
  const attempts = [];
  const worker = client.worker(queue, async ({ attempt }) => {
    attempts.push(attempt);
    await new Promise(resolve => setTimeout(resolve, 2500));
  }, { ttr: '900ms' });
  const run = worker.run();

  await until('it is done', async () => await left(queue) === 0);
  worker.stop();
  await run;

  assert.deepEqual(attempts, [1]);
});

test('A worker that stops ends what it has begun and gives back the rest', async () => {
  const queue = await queueWith(10);
  const stop = new AbortController();
  let finish;
  const begun = new Promise(resolve => { finish = resolve; });
  let started = 0;
  const done = [];
  const run = client.worker(queue, async ({ body }) => { started++; await begun; done.push(body); }, { concurrency: 2, prefetch: 5, grace: '10m' }).run({ signal: stop.signal });
  await until('two are begun and three wait', async () => started === 2 && (await client.queue(queue)).leased === 5);

  stop.abort();
  finish();
  await run;

  assert.deepEqual([done.length, await left(queue)], [2, 8]);
  assert.equal((await client.queue(queue)).leased, 0);
  const rest = await client.takeMany(queue);
  assert.ok(rest.every(({ attempt }) => attempt === 1), JSON.stringify(rest));
});

test('A worker that cannot wait aborts its work and gives it back', async () => {
  const queue = await queueWith(1);
  let begun = false;
  const worker = client.worker(queue, (_, signal) => new Promise((_, reject) => {
    begun = true;
    signal.addEventListener('abort', () => reject(signal.reason));
  }), { drainTimeout: '50ms' });
  const run = worker.run();
  await until('it has begun', () => begun);

  worker.stop();
  await run;

  assert.equal((await client.queue(queue)).ready, 1);
});

test('Cancelled work is told by its signal', async () => {
  const queue = await queueWith(1);
  let begun = false;
  let aborted = false;
  const worker = client.worker(queue, (_, signal) => new Promise(resolve => {
    begun = true;
    signal.addEventListener('abort', () => { aborted = true; resolve(); });
  }));
  const run = worker.run();
  await until('it has begun', () => begun);

  await client.cancel(queue, 'm0');
  await until('it is told', () => aborted);

  worker.stop();
  await run;
});

test('A worker on a queue that broadcasts says what to do', async () => {
  await client.put('loud', 1);

  await assert.rejects(client.worker('loud', () => {}).run(), { type: 'not-roundrobin' });
  assert.equal((await client.queue('loud')).ready, 1);
  assert.throws(() => client.worker('loud', () => {}, { concurrency: 0 }), RangeError);
});
