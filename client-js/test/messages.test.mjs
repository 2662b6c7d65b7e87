// Every consumer gets every message that the server stores, and survives it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PushQueueClient } from 'pushqueue';
import { Server } from './support/server.mjs';
import { storable } from './support/storable.mjs';
import { transports, WebSocket } from './support/transports.mjs';
import { first, until } from './support/until.mjs';

const ids = storable.map(({ id }) => id);
let server;
let client;
let queues = 0;

before(async () => {
  server = await Server.start('--durability', 'memory');
  client = new PushQueueClient(server.url, { WebSocket });
});
after(() => server.close());

async function filledQueue(policy) {
  const queue = `all-${++queues}`;
  await client.changeSettings(queue, { policy });
  for (const { id, contentType, body } of storable) {
    await client.put(queue, body, { id, contentType });
  }

  return queue;
}

/** All came, and those with a value have it. */
function assertAll(messages) {
  assert.deepEqual(messages.map(({ id }) => id), ids);
  for (const [i, { value }] of storable.entries()) {
    if (value !== undefined) {
      assert.deepEqual(messages[i].body, value, ids[i]);
    }
  }
}

for (const way of ['takeMany', 'leaseMany']) {
  test(`${way} gives every message`, async () => {
    const queue = await filledQueue('roundrobin');

    const got = [];
    while (got.length < ids.length) {
      got.push(...await client[way](queue, { count: 1000 }));
    }

    assertAll(got);
  });
}

test('browse and find give every message', async () => {
  const queue = await filledQueue('roundrobin');

  const found = [];
  for (const id of ids) {
    found.push(await client.find(queue, id));
  }

  assertAll(await first(ids.length, client.browse(queue)));
  assertAll(found);
});

for (const { name, options } of transports) {
  for (const policy of ['broadcast', 'roundrobin']) {
    test(`${name}: a stream under ${policy} gives every message`, async () => {
      const queue = await filledQueue(policy);
      const streaming = new PushQueueClient(server.url, options);

      assertAll(await first(ids.length, streaming.consume(queue, policy === 'broadcast' ? { from: 'earliest' } : {})));
    });
  }

  test(`${name}: a worker handles every message`, async () => {
    const queue = await filledQueue('roundrobin');
    const handled = [];
    const worker = new PushQueueClient(server.url, options).worker(queue, message => { handled.push(message); });
    const run = worker.run();

    await until('every message is handled', () => handled.length === ids.length);
    worker.stop();
    await run;

    assertAll(handled);
  });
}

for (const text of ['x', 'é', '中', '😀', '%', '\ud83d']) {
  test(`A long error of ${JSON.stringify(text)} is shortened and kept`, async () => {
    const queue = `error-${++queues}`;
    await client.changeSettings(queue, { policy: 'roundrobin' });
    await client.put(queue, 'x');
    const leased = await client.lease(queue);

    assert.equal(await leased.release({ error: text.repeat(3000) }), true);

    const { lastError } = await client.find(queue, leased.id);
    assert.ok(lastError.length >= 300 && lastError.length <= 1000, `${lastError.length}`);
  });
}

test('Durations longer than a timer of JavaScript can wait are waited for', async () => {
  const long = { timeout: '25d', retry: { max: '30d' }, reconnect: { max: '30d' }, WebSocket };
  const patient = new PushQueueClient(server.url, long);
  const queue = `long-${++queues}`;
  await patient.changeSettings(queue, { policy: 'roundrobin' });
  await patient.put(queue, 'x');
  const done = [];
  const worker = patient.worker(queue, ({ body }) => { done.push(body); }, { drainTimeout: '30d', idleTimeout: '60d' });
  const run = worker.run();

  await until('the message is handled', () => done.length === 1);
  worker.stop();
  await run;

  const news = `long-${++queues}`;
  await patient.put(news, 'y');
  const [{ body }] = await first(1, new PushQueueClient(server.url, { ...long, transport: 'sse' }).consume(news, { idleTimeout: '60d' }));
  assert.equal(body, 'y');
});
