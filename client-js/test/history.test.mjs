// Programs that ack, give back and leave, through kill -9, orderly restarts and cut connections: in the end nothing is lost, nothing is
// forgotten, and no ack is undone, not even by one more kill.
import assert from 'node:assert/strict';
import { readdir, readlink } from 'node:fs/promises';
import { test } from 'node:test';
import { PushQueueClient } from 'pushqueue';
import { Proxy } from './support/proxy.mjs';
import { Server } from './support/server.mjs';
import { eager, transports } from './support/transports.mjs';
import { until } from './support/until.mjs';

const consumers = 3;
const rounds = 6;
const perRound = 150;

/** A line for each finding; none where all is well. */
function judge(put, acked, resting) {
  return put.flatMap(id => {
    if (acked.has(id)) {
      return resting.has(id) ? [`undone: ${id} was acked and is there again`] : [];
    }

    return resting.has(id)
      ? [`forgotten: ${id} was put and rests, and no consumer gets it`]
      : [`lost: ${id} was put, nobody has acked it, and it is gone`];
  });
}

test('The verdict finds what is planted', () => {
  assert.deepEqual(judge(['a', 'b'], new Set(['a', 'b']), new Set()), []);
  assert.match(judge(['a', 'b'], new Set(['a']), new Set())[0], /^lost: b/);
  assert.match(judge(['a', 'b'], new Set(['a']), new Set(['b']))[0], /^forgotten: b/);
  assert.match(judge(['a', 'b'], new Set(['a', 'b']), new Set(['b']))[0], /^undone: b/);
});

/** A sequence of its own: the same numbers for the same seed. */
function randomOf(seed) {
  let state = seed >>> 0;
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

for (const { name, options } of transports) {
  test(`${name}: nothing is lost, nothing forgotten and no ack undone`, async t => {
    const seed = Number(process.env.PUSHQUEUE_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
    t.diagnostic(`PUSHQUEUE_TEST_SEED=${seed}`);
    const server = await Server.start();
    const proxy = await Proxy.start(server.url);
    const client = new PushQueueClient(proxy.url, { ...eager, ...options });
    const end = new AbortController();
    const acked = new Set();
    let abandoned = 0;
    try {
      await client.changeSettings('jobs', { policy: 'roundrobin', maxAttempts: 1000, dedupWindow: '10m' });
      const consume = async random => {
        while (!end.signal.aborted) {
          for await (const message of client.consume('jobs', { ack: 'manual', prefetch: 20, signal: end.signal })) {
            const way = random(40);
            abandoned += way < 3 ? 1 : 0;
            if (way === 0) {
              break;
            } else if (way < 3) {
              await message.release(way === 1 ? { delay: 0, error: 'not today' } : { unstarted: true });
            } else if (await message.ack()) {
              acked.add(message.id);
            }
          }
        }
      };
      const consuming = Array.from({ length: consumers }, (_, i) => consume(randomOf(seed + 1 + i)).catch(error => {
        if (!end.signal.aborted) {
          throw error;
        }
      }));
      const random = randomOf(seed);
      const put = [];
      for (let round = 0; round < rounds; round++) {
        for (let i = 0; i < perRound; i += 10) {
          const ids = Array.from({ length: 10 }, (_, j) => `${round}-${i + j}`);
          await client.putItems('jobs', ids.map(id => ({ id, body: id })));
          put.push(...ids);
          if (random(6) === 0) {
            proxy.cut();
          }
        }

        if (round % 2 === 1) {
          await server.stop(random(3) > 0 ? 'SIGKILL' : 'SIGTERM');
          await server.run();
        }
      }

      await Promise.race([until('all are acked', () => acked.size >= put.length), Promise.all(consuming)]);
      end.abort();
      await Promise.all(consuming);
      await server.stop('SIGKILL');
      await server.run();

      const resting = new Set();
      for (const [queue, state] of [['jobs', 'ready'], ['jobs', 'delayed'], ['jobs', 'leased'], ['jobs.dead', 'dead']]) {
        for await (const { id } of client.browse(queue, { state })) {
          resting.add(id);
        }
      }

      assert.deepEqual(judge(put, acked, resting), []);
      assert.ok(abandoned > rounds, `Only ${abandoned} messages were abandoned; that tells little.`);
    } finally {
      end.abort();
      await proxy.close();
      await server.close();
    }
  });

  test(`${name}: streams that broke and ended leave no socket open`,
    { skip: process.platform !== 'linux' && 'Descriptors are counted in /proc.' }, async () => {
    const server = await Server.start('--durability', 'memory');
    const proxy = await Proxy.start(server.url);
    const use = async () => {
      const client = new PushQueueClient(proxy.url, { ...eager, ...options });
      let connects = 0;
      const stream = client.consume('q', { ack: 'manual', onConnect: () => { connects++; } })[Symbol.asyncIterator]();
      const next = stream.next();
      await until('it stands', () => connects === 1);
      proxy.cut();
      await until('it is back', () => connects === 2);
      await client.put('q', 1, { id: `${Math.random()}` });
      assert.equal(await (await next).value.ack(), true);
      await stream.return();
    };
    try {
      await new PushQueueClient(server.url, eager).changeSettings('q', { policy: 'roundrobin' });
      await use();
      await until('the first client is gone', () => proxy.connections === 0);
      const before = await sockets();
      for (let i = 0; i < 10; i++) {
        await use();
      }

      // fetch keeps its connections for some seconds.
      await until(`no more than ${before} sockets`, async () => proxy.connections === 0 && await sockets() <= before);
    } finally {
      await proxy.close();
      await server.close();
    }
  });
}

async function sockets() {
  const links = await Promise.all((await readdir('/proc/self/fd')).map(fd => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return links.filter(link => link.startsWith('socket:')).length;
}
