// Streams over many queues, of every transport, against a real server whose connections are cut.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PushQueueClient } from 'pushqueue';
import { Proxy } from './support/proxy.mjs';
import { Server } from './support/server.mjs';
import { eager, transports } from './support/transports.mjs';
import { first, until } from './support/until.mjs';

let server;
let proxy;
let direct;

before(async () => {
  server = await Server.start('--durability', 'interval:50ms');
  proxy = await Proxy.start(server.url);
  direct = new PushQueueClient(server.url);
});
after(async () => {
  await proxy.close();
  await server.close();
});

for (const { name, options } of transports) {
  const through = () => new PushQueueClient(proxy.url, { ...eager, ...options });

  test(`${name}: messages of many queues come once and in the order of their queue through cut connections`, async () => {
    const joined = [];
    let connects = 0;
    const stream = through().consume(
      { queues: [`${name}-a`], match: `${name}.*` }, { onConnect: () => { connects++; }, onJoin: queue => joined.push(queue) });
    const got = first(900, stream);
    await until('the stream stands', () => connects > 0);
    const queues = [`${name}-a`, ...Array.from({ length: 20 }, (_, i) => `${name}.${i}`)];
    const put = new Map();
    for (let i = 0; i < 900; i++) {
      // More and more queues.
      const queue = queues[i % Math.min(queues.length, 1 + Math.floor(i / 30))];
      put.set(queue, [...put.get(queue) ?? [], i]);
      await direct.put(queue, i);
      if (i % 200 === 100) {
        // @microsoft/signalr leaves a rejection unhandled, which ends a test, where a connection breaks within its handshake.
        await until('the stream stands again', () => name !== 'signalr' || connects > (i - 100) / 200);
        proxy.cut();
      }
    }

    const came = new Map();
    for (const { queue, body } of await got) {
      came.set(queue, [...came.get(queue) ?? [], body]);
    }

    assert.deepEqual(new Map([...came].sort()), new Map([...put].sort()));
    assert.ok(connects > 1, `It connected ${connects} times.`);
    assert.ok(joined.length > 0);
  });

  test(`${name}: with manual ack each message is acked in its own queue, and a queue that is deleted is reported`, async () => {
    const left = [];
    const queues = [`${name}-work-1`, `${name}-work-2`];
    const done = [];
    const working = (async () => {
      const stream = through().consume(queues, { ack: 'manual', prefetch: 2, onLeave: (queue, code) => left.push(`${queue} ${code}`) });
      for await (const message of stream) {
        assert.ok(await message.ack());
        done.push(message.queue);
        if (message.body === 'last') {
          break;
        }
      }
    })();
    await until('the queues are made', async () => await direct.queue(queues[1]) !== null);
    await direct.put(queues[0], 'one');
    await direct.put(queues[1], 'two');
    await until('both are done', () => done.length === 2);
    await direct.deleteQueue(queues[0]);
    await until('the queue has left', () => left.length > 0);
    await direct.put(queues[1], 'last');
    await working;

    assert.deepEqual(done.slice(0, 2).sort(), queues);
    assert.deepEqual(left, [`${queues[0]} queue-deleted`]);
  });

  test(`${name}: another stream resumes all queues by the cursor`, async () => {
    const queues = Array.from({ length: 20 }, (_, i) => `${name}-resumed-${i}`);
    let connects = 0;
    const stream = through().consume({ queues, match: `${name}-none.*` }, { onConnect: () => { connects++; } });
    const loop = stream[Symbol.asyncIterator]();
    let next = loop.next();
    await until('the stream stands', () => connects > 0);
    for (const queue of queues) {
      await direct.put(queue, 'first');
    }

    const { cursor } = (await next).value;
    for (const _ of queues.slice(1)) {
      await loop.next();
    }

    // The cursor follows the messages, also in a stream that is quiet.
    next = loop.next();
    await until('the cursor moves', () => stream.cursor !== cursor);
    const later = stream.cursor;
    for (const queue of queues) {
      await direct.put(queue, 'second');
    }

    await next;
    await loop.return();
    const resumed = async from => {
      const got = [];
      for await (const message of through().consume({ queues, match: `${name}-none.*` }, { from })) {
        got.push(message);
        if (got.filter(({ body }) => body === 'second').length === queues.length) {
          return got.map(({ queue, body }) => `${queue} ${body}`);
        }
      }
    };
    const all = await resumed(cursor);
    assert.equal(new Set(all).size, all.length);
    assert.ok(all.length >= 2 * queues.length - 1, `${all.length} came`);
    const rest = await resumed(later);
    assert.deepEqual(queues.filter(queue => !rest.includes(`${queue} second`)), []);
    assert.ok(rest.length < all.length, `${rest.length} of ${all.length} came behind the later cursor`);
  });
}

test('a stream over no queue is refused at once', () => {
  assert.throws(() => direct.consume([])[Symbol.asyncIterator](), TypeError);
});
