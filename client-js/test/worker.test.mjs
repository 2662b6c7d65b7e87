import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PushQueueClient } from 'pushqueue';
import { Proxy } from './support/proxy.mjs';
import { Server } from './support/server.mjs';
import { eager, transports, WebSocket } from './support/transports.mjs';
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
  if (count > 0) {
    await client.putItems(queue, Array.from({ length: count }, (_, i) => ({ body: i, id: `m${i}` })));
  }

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
  const worker = client.worker(
    queue, () => { throw new Error('no luck'); }, { retryDelay: '10ms', onError: error => errors.push(error.message) });
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
  const run = client.worker(queue, async ({ body }) =>
    { started++; await begun; done.push(body); }, { concurrency: 2, prefetch: 5, grace: '10m' }).run({ signal: stop.signal });
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

test('Cancelled work is notified by its signal', async () => {
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
  await client.changeSettings('loud', { policy: 'broadcast' });
  await client.put('loud', 1);

  await assert.rejects(client.worker('loud', () => {}).run(), { type: 'not-roundrobin' });
  assert.equal((await client.queue('loud')).ready, 1);
  assert.throws(() => client.worker('loud', () => {}, { concurrency: 0 }), RangeError);
});

for (const { name, options } of transports) {
  test(`${name}: a worker that is there before its queue works on the first message`, async () => {
    const queue = `early-${name}`;
    const done = [];
    const worker = new PushQueueClient(server.url, options).worker(queue, ({ body }) => { done.push(body); });
    const run = worker.run();
    await until('it listens', async () => (await client.consumers(queue)).length === 1);

    await client.put(queue, 'work');

    await until('it is done', () => done.length === 1);
    worker.stop();
    await run;
    assert.equal((await client.settings(queue)).policy, 'roundrobin');
  });

  test(`${name}: a worker waits for a server that is away`, async () => {
    const queue = await queueWith(1);
    const nobody = await Proxy.start(server.url);
    await nobody.close();
    const breaks = [];
    const done = [];
    const worker = new PushQueueClient(nobody.url, { ...options, retry: { attempts: 1 }, reconnect: { min: '10ms', max: '50ms' } })
      .worker(queue, ({ body }) => { done.push(body); }, { onDisconnect: ({ type }) => breaks.push(type) });
    const run = worker.run();
    await until('it has tried several times', () => breaks.length > 5);

    const late = await Proxy.start(server.url, Number(new URL(nobody.url).port));

    await until('it is done', () => done.length === 1);
    worker.stop();
    await run;
    await late.close();
    assert.ok(breaks.every(type => type === 'connection-lost'), breaks.join());
  });

  test(`${name}: a worker ends with an error when its queue is deleted`, async () => {
    const queue = await queueWith(0);
    const run = new PushQueueClient(server.url, options).worker(queue, () => {}).run();
    const ended = assert.rejects(run, { name: 'PushQueueError', type: 'queue-deleted' });
    await until('it listens', async () => (await client.consumers(queue)).length === 1);

    await client.deleteQueue(queue);

    await ended;
  });
}

test('A message that fails waits before it comes again, unless the worker, the message or the queue says how long', async () => {
  for (const [options, settings, expected] of [[{}, {}, 1000], [{ retryDelay: '5s' }, {}, 5000], [{}, { retryDelay: '9s' }, 9000]]) {
    const queue = await queueWith(1, settings);
    const before = Date.now();
    const worker = client.worker(queue, () => { throw new Error('no luck'); }, options);
    const run = worker.run();

    await until('it waits', async () => (await client.queue(queue)).delayed === 1);
    const { availableAt } = await client.find(queue, 'm0');
    worker.stop();
    await run;

    const wait = availableAt - before;
    assert.ok(wait >= expected - 50 && wait < expected + 3000, `${wait} ms instead of ${expected} ms`);
  }
});
