// One client, two nodes over a Redis of their own; the node that it uses dies.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { PushQueueClient } from 'pushqueue';
import { Proxy } from './support/proxy.mjs';
import { Redis } from './support/redis.mjs';
import { Server } from './support/server.mjs';
import { eager, transports } from './support/transports.mjs';
import { until } from './support/until.mjs';

const count = 300;
let redis;
let nodes;

beforeEach(async () => {
  redis = await Redis.start();
  nodes = await Promise.all([1, 2].map(() => Server.start('--redis', `127.0.0.1:${redis.port}`)));
});
afterEach(async () => {
  await Promise.all(nodes.map(node => node.close()));
  await redis.close();
});

const urls = () => nodes.map(({ url }) => url);

test('Requests go on at the other node, even those that are never repeated', async () => {
  const client = new PushQueueClient(urls());
  await client.put('q', 'one');
  await nodes[0].stop('SIGKILL');

  // Nothing was sent to the dead node, so a put without an id may go to the other.
  await client.put('q', 'two');

  assert.deepEqual((await client.takeMany('q')).map(({ body }) => body), ['one', 'two']);
});

test('When no node answers the error says so, and a wrong list is refused', async () => {
  const client = new PushQueueClient(urls(), { retry: { attempts: 1 } });
  await Promise.all(nodes.map(node => node.stop('SIGKILL')));

  await assert.rejects(client.put('q', 1), { type: 'connection-lost' });
  assert.throws(() => new PushQueueClient([]), TypeError);
  assert.throws(() => new PushQueueClient(['http://127.0.0.1', 'ftp://127.0.0.1']), TypeError);
});

for (const { name, options } of transports) {
  const putAll = async (client, queue, came) => {
    for (let i = 0; i < count; i++) {
      await client.put(queue, i, { id: `m${i}` });
      if (i === count / 2) {
        await until('something has come before the node dies', () => came() > 0);
        await nodes[0].stop('SIGKILL');
      }
    }
  };

  test(`${name}: under broadcast the stream resumes at the other node, and every message comes once and in order`, async () => {
    const client = new PushQueueClient(urls(), { ...eager, ...options });
    const stop = new AbortController();
    const got = [];
    const gaps = [];
    let connects = 0;
    const consuming = (async () => {
      for await (const { body } of client.consume(
        'news', { signal: stop.signal, onGap: gap => gaps.push(gap), onConnect: () => { connects++; } })) {
        got.push(body);
      }
    })();
    consuming.catch(() => {});
    await until('it stands', () => connects === 1);

    await putAll(client, 'news', () => got.length);
    await until('all have come', () => got.length >= count);
    stop.abort();
    await assert.rejects(consuming, { name: 'AbortError' });

    assert.deepEqual(got, Array.from({ length: count }, (_, i) => i));
    assert.deepEqual(gaps, []);
  });

  test(`${name}: with manual ack nothing is lost and nothing unacked forgotten`, async () => {
    const client = new PushQueueClient(urls(), { ...eager, ...options });
    await client.changeSettings('jobs', { policy: 'roundrobin' });
    const acked = new Set();
    const worker = (async () => {
      for await (const message of client.consume('jobs', { ack: 'manual' })) {
        if (await message.ack()) {
          acked.add(message.body);
        }

        if (acked.size === count) {
          break;
        }
      }
    })();

    await putAll(client, 'jobs', () => acked.size);
    await worker;

    await until('nothing is left', async () => {
      const { ready, leased, delayed } = await client.queue('jobs');
      return ready + leased + delayed === 0;
    });
    assert.equal(await client.queue('jobs.dead'), null);
  });

  test(`${name}: what had not been begun is handed back at another node behind the same address`, async () => {
    const proxy = await Proxy.start(nodes[0].url);
    const client = new PushQueueClient(proxy.url, { ...eager, ...options });
    await client.changeSettings('jobs', { policy: 'roundrobin' });
    await client.putMany('jobs', [1, 2, 3, 4, 5]);
    const stream = client.consume('jobs', { ack: 'manual', prefetch: 5, grace: '10m' })[Symbol.asyncIterator]();
    const { value: begun } = await stream.next();
    await until('all are pushed', async () => (await client.queue('jobs')).leased === 5);

    proxy.target = nodes[1].url;
    proxy.cut();

    // The first node keeps its place for ten minutes more. The messages of the new place were handed back and given out again.
    const direct = new PushQueueClient(nodes[1].url);
    await until('the rest is there again', async () => (await direct.consumers('jobs')).some(({ inFlight }) => inFlight === 4));
    const rest = [];
    while (rest.length < 4) {
      const { value: message } = await stream.next();
      if (await message.ack()) {
        rest.push(message);
      }
    }

    assert.deepEqual(rest.map(({ attempt }) => attempt), [1, 1, 1, 1]);
    assert.ok(!rest.some(({ id }) => id === begun.id));
    assert.equal(begun.signal.aborted, false);
    assert.equal(await begun.ack(), true);
    await stream.return();
    await proxy.close();
  });
}
