import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PushQueueClient, PushQueueError } from 'pushqueue';
import { Server } from './support/server.mjs';

let server;
let client;
let queues = 0;
const name = () => `queue ${++queues} /ü`.replace('/', '');

before(async () => {
  server = await Server.start();
  client = new PushQueueClient(server.url);
});
after(() => server.close());

/** All of an asynchronous list. */
const all = async list => {
  const items = [];
  for await (const item of list) {
    items.push(item);
  }

  return items;
};

test('Bodies come out as they were put: JSON, text, bytes', async () => {
  const queue = name();
  const bodies = [{ a: [1, 'ü', null] }, 'text "quoted"\n', 7, null, true, '', new Uint8Array([0, 255, 128])];
  for (const body of bodies) {
    assert.equal((await client.put(queue, body)).durability, 'synced');
  }

  await client.put(queue, new Blob(['<p>'], { type: 'text/html' }));

  const taken = await client.takeMany(queue);

  assert.deepEqual(taken.map(({ body }) => body), [...bodies, '<p>']);
  assert.equal(taken.at(-1).contentType, 'text/html');
  assert.ok(taken[0].enqueuedAt instanceof Date);
  assert.equal(await client.take(queue), null);
});

test('What JSON has no word for is refused before anything is sent', async () => {
  assert.throws(() => client.put('q', undefined), TypeError);
  assert.throws(() => client.put('q', () => 1), TypeError);
  await assert.rejects(client.putMany('q', [1, undefined]), TypeError);
});

test('A put that repeats an id stores nothing', async () => {
  const queue = name();

  await client.put(queue, 1, { id: 'a/b' });

  assert.equal((await client.put(queue, 2, { id: 'a/b' })).duplicate, true);
  assert.equal((await client.find(queue, 'a/b')).body, 1);
});

test('Options are kept: delay, priority, unique, reschedule, cancel', async () => {
  const queue = name();
  await client.put(queue, 'low', { id: 'low' });
  await client.put(queue, 'high', { priority: 9, unique: 'u', contentType: 'text/plain' });
  await client.put(queue, 'later', { id: 'later', delay: '5m' });
  await client.put(queue, 'at', { at: new Date(Date.now() + 3_600_000) });

  assert.equal((await client.take(queue)).body, 'high');
  await client.put(queue, 'again', { unique: 'v' });
  await assert.rejects(client.put(queue, 'again', { unique: 'v' }), { name: 'PushQueueError', type: 'unique-key-taken', status: 409 });
  assert.deepEqual((await all(client.browse(queue, { state: 'delayed', pageSize: 1 }))).map(({ body }) => body), ['later', 'at']);
  assert.equal(await client.reschedule(queue, 'later', { delay: 0 }), true);
  assert.equal((await client.find(queue, 'later')).state, 'ready');
  assert.equal(await client.cancel(queue, 'later'), true);
  assert.equal(await client.cancel(queue, 'later'), false);
  assert.equal(await client.reschedule(queue, 'later', { delay: 1 }), false);
  assert.equal(await client.find(queue, 'later'), null);
});

test('A batch is put whole, with options for all and for each', async () => {
  const queue = name();

  const { ids } = await client.putMany(queue, Array.from({ length: 3000 }, (_, i) => ({ i })), { priority: 1 });
  await client.putItems(queue, [{ body: 'text', id: 'x', priority: 9 }, { body: { n: 1 }, delay: '1h' }]);

  assert.equal(ids.length, 3000);
  assert.deepEqual(
    (({ id, body, priority }) => ({ id, body, priority }))(await client.take(queue)), { id: 'x', body: 'text', priority: 9 });
  assert.equal((await client.queue(queue)).ready, 3000);
  assert.equal((await client.queue(queue)).delayed, 1);
});

test('A batch carries bytes of any kind', async () => {
  const queue = name();
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i);

  await client.putMany(queue, [bytes, bytes.buffer, new Blob([bytes], { type: 'image/png' }), 'text', { n: 1 }]);
  await client.putItems(queue, [{ body: bytes.subarray(1, 3), contentType: 'image/gif', id: 'gif' }, { body: new Blob([]), id: 'empty' }]);

  const got = await client.takeMany(queue);
  assert.deepEqual(got.map(({ body }) => body), [bytes, bytes, bytes, 'text', { n: 1 }, bytes.slice(1, 3), new Uint8Array()]);
  assert.deepEqual(got.map(
    ({ id, contentType }) => id === 'gif' || contentType), [undefined, undefined, 'image/png', 'text/plain', undefined, true, undefined]);
  await assert.rejects(client.putMany(queue, [() => {}]), TypeError);
});

test('A message that is released unstarted has not failed', async () => {
  const queue = name();
  await client.put(queue, 1, { maxAttempts: 1 });

  assert.equal(await (await client.lease(queue)).release({ unstarted: true }), true);
  const again = await client.lease(queue);

  assert.equal(again.attempt, 1);
  await assert.rejects(again.release({ unstarted: true, error: 'no' }), { type: 'bad-option' });
});

test('A lease is acked, released and touched, and a lost one says so', async () => {
  const queue = name();
  await client.putMany(queue, ['a', 'b', 'c']);
  const [a, b, c] = await client.leaseMany(queue, { count: 3, ttr: '1m', worker: 'me' });

  assert.deepEqual(
    await Promise.all([a.ack(), client.ack({ queue, id: b.id, receipt: b.receipt }), c.touch({ ttr: '2m' })]), [true, true, true]);
  assert.equal(await c.release({ error: 'no luck', worker: 'me' }), true);
  assert.equal((await client.find(queue, c.id)).lastError, 'no luck');
  assert.equal(await c.ack(), false);
  assert.equal(c.signal.aborted, true);
  assert.equal(await client.release({ queue, id: 'gone', receipt: '0123456789abcdef' }), false);
  const again = await client.lease(queue);
  assert.equal(again.attempt, 2);
  assert.equal(await client.ack(again), true);
  assert.equal(await client.lease(queue), null);
});

test('What failed for good is found and replayed', async () => {
  const queue = name();
  await client.changeSettings(queue, { maxAttempts: 1 });
  await client.put(queue, { n: 1 });
  await (await client.lease(queue)).release({ error: 'broken' });

  const [dead] = await all(client.deadLetters(queue));

  assert.deepEqual(dead.body, { n: 1 });
  assert.equal(dead.lastError, 'broken');
  assert.equal(dead.deadLetter.queue, queue);
  assert.ok(dead.deadLetter.at instanceof Date);
  assert.equal(await client.replay(queue), 1);
  assert.deepEqual((await client.take(queue)).body, { n: 1 });
});

test('Settings, queues, workers and stats are told', async () => {
  const queue = name();

  const changed = await client.changeSettings(queue, { policy: 'roundrobin', history: { messages: 5 }, status: 'stopped' });

  assert.equal(changed.policy, 'roundrobin');
  assert.equal((await client.settings(queue)).history.messages, 5);
  await assert.rejects(client.take(queue), { type: 'queue-stopped' });
  assert.ok((await all(client.queues({ pageSize: 2 }))).some(info => info.queue === queue));
  assert.match((await client.stats()).node.store, /^embedded/);
  assert.ok(Array.isArray(await client.workers()));
  assert.deepEqual(await client.consumers(queue), []);
  await client.deleteQueue(queue);
  assert.equal(await client.queue(queue), null);
});

test('A put can wait until its message is done with', async () => {
  const queue = name();
  const put = client.put(queue, 1, { waitForAck: '30s' });

  const lease = await client.lease(queue, { wait: '30s' });
  await lease.ack();

  assert.equal((await put).acked, true);
});

test('A message that is too large is refused with its type', async () => {
  const error = await client.put(name(), 'x'.repeat(1024 * 1024 + 1)).catch(e => e);

  assert.ok(error instanceof PushQueueError);
  assert.deepEqual([error.type, error.status, error.transient], ['message-too-large', 413, false]);
});

test('A server that is down, a wrong address and a wrong page are told apart', async () => {
  const down = new PushQueueClient('http://127.0.0.1:9', { retry: { attempts: 2, min: '1ms' } });
  await assert.rejects(down.stats(), { type: 'connection-lost', status: 0, transient: true });
  await assert.rejects(down.put('q', 1), { type: 'connection-lost' });
  assert.throws(() => new PushQueueClient('localhost:8080'), TypeError);
  assert.throws(() => new PushQueueClient('nonsense'), TypeError);

  const page = new PushQueueClient(server.url, { fetch: async () => new Response('<html>', { status: 200 }) });
  await assert.rejects(page.stats(), { type: 'bad-answer' });
  await assert.rejects(new PushQueueClient(`${server.url}/elsewhere`).stats(), { type: 'not-found' });
});

test('An abort throws its reason at once, before and half way', async () => {
  const reason = new Error('enough');
  await assert.rejects(client.put(name(), 1, { signal: AbortSignal.abort(reason) }), reason);
  const late = new AbortController();
  const take = client.take(name(), { wait: '60s', signal: late.signal });
  late.abort(reason);
  await assert.rejects(take, reason);
});

test('An answer that does not come in time is told', async () => {
  const slow = new PushQueueClient(server.url, {
    timeout: '50ms', retry: { attempts: 1 }, fetch: (_, { signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });

  await assert.rejects(slow.stats(), { type: 'timeout' });
});

test('Only what does no harm twice is sent again', async () => {
  let sent = 0;
  const flaky = new PushQueueClient(server.url, {
    retry: { attempts: 3, min: '1ms' },
    fetch: (...request) => ++sent % 3 === 0 ? fetch(...request) : Promise.reject(new TypeError('cut')),
  });

  assert.equal((await flaky.put(name(), 1, { id: 'mine' })).id, 'mine');
  assert.equal(sent, 3);
  await assert.rejects(flaky.put(name(), 1), { type: 'connection-lost' });
  assert.equal(sent, 4);
});

test('The key goes with each request', async () => {
  const seen = [];
  const keyed = new PushQueueClient(
    server.url, { apiKey: 'secret', fetch: (url, init) => { seen.push(init.headers.Authorization); return fetch(url, init); } });

  await keyed.stats();

  assert.deepEqual(seen, ['Bearer secret']);
});

test('A name or an id of dots, which would lead elsewhere, never leaves the client', async () => {
  const queue = name();
  await client.put(queue, 'kept');

  for (const id of ['..', '.', '']) {
    await assert.rejects(async () => client.cancel(queue, id), RangeError);
    await assert.rejects(async () => client.find(queue, id), RangeError);
    await assert.rejects(async () => client.put(id, 'x'), RangeError);
  }

  assert.equal((await client.take(queue)).body, 'kept');
});
