// Key, headers, filters and the starts of a stream, through every call that has them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PushQueueClient } from 'pushqueue';
import { Server } from './support/server.mjs';
import { transports, WebSocket } from './support/transports.mjs';
import { first } from './support/until.mjs';

const headers = { Tenant: '7', text: 'ü, 50% "x" \u2028', empty: '', spaced: ' x ', marked: "utf-8''x" };
const lower = { tenant: '7', text: headers.text, empty: '', spaced: ' x ', marked: headers.marked };
const key = 'customer ü/%';
let server;
let client;
let queues = 0;

before(async () => {
  server = await Server.start('--durability', 'memory');
  client = new PushQueueClient(server.url, { WebSocket });
});
after(() => server.close());

async function newQueue(settings) {
  const queue = `headers-${++queues}`;
  await client.changeSettings(queue, settings);
  return queue;
}

test('key and headers come back as they were put', async () => {
  const queue = await newQueue({ policy: 'roundrobin' });
  await client.put(queue, 'one', { key, headers });
  await client.putMany(queue, ['two'], { key, headers });
  await client.putItems(queue, [{ body: 'three', key, headers }, { body: 'plain' }]);

  const got = await client.takeMany(queue, { count: 10 });

  assert.deepEqual(got.map(message => [message.key, message.headers]), [[key, lower], [key, lower], [key, lower], [undefined, undefined]]);
});

test('a take with conditions gets what fits', async () => {
  const queue = await newQueue({ policy: 'roundrobin' });
  await client.putItems(queue, [
    { body: 'a', headers: { t: '1' } }, { body: 'b', headers: { t: '2', region: 'eu' } }, { body: 'c', headers: { t: '2' } },
  ]);

  assert.equal((await client.take(queue, { where: ['t=2|3', 'region'] })).body, 'b');
  assert.equal(await client.take(queue, { where: 't=4' }), null);
  assert.deepEqual((await client.takeMany(queue, { where: 't' })).map(({ body }) => body), ['a', 'c']);
  await assert.rejects(client.take(queue, { where: 'a b=1' }), { type: 'bad-option' });
});

for (const { name, options } of transports) {
  test(`a stream over ${name} with conditions gets what fits`, async () => {
    const queue = await newQueue({ policy: 'broadcast' });
    const stream = client.consume(queue, { ...options, from: 'earliest', where: ['t=2|3', 'region'] });
    const reading = first(2, stream);
    await client.putItems(queue, [
      { body: 'a', headers: { t: '1', region: 'eu' } }, { body: 'b', headers: { t: '2', region: 'eu' } },
      { body: 'c', headers: { t: '2' } }, { body: 'd', headers: { t: '3', region: 'us' } },
    ]);

    assert.deepEqual((await reading).map(({ body, headers }) => [body, headers.region]), [['b', 'eu'], ['d', 'us']]);
  });

  test(`a stream over ${name} begins with the newest message of each key`, async () => {
    const queue = await newQueue({ policy: 'broadcast', history: { messages: 1, perKey: true } });
    const all = first(4, client.consume(queue, { ...options, from: 'earliest' }));
    await client.putItems(queue, [
      { body: 'a1', key: 'a' }, { body: 'b1', key: 'b' }, { body: 'a2', key: 'a' }, { body: 'c1', key: 'c' },
    ]);
    await all;

    const late = client.consume(queue, { ...options, from: 'latest-per-key' })[Symbol.asyncIterator]();
    const got = [];
    for (let i = 0; i < 3; i++) {
      got.push((await late.next()).value.body);
    }

    await client.put(queue, 'live');
    const { value } = await late.next();
    await late.return();
    assert.deepEqual([...got, value.body], ['b1', 'a2', 'c1', 'live']);
    assert.match(value.cursor, /\.5$/);
  });
}
