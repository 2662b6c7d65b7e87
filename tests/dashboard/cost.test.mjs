import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open } from './support/session.mjs';
import { until } from './support/server.mjs';

test('An overview of a thousand queues is sent no rows while they rest, and after a put one row and not a thousand', async t => {
  const { server, page, go, figure, finish } = await open(t);
  const frames = [];
  page.on('websocket', socket => socket.on('framereceived', ({ payload }) => frames.push(payload)));
  const items = from => frames.slice(from).filter(frame => frame.includes('"type":2'));
  for (let begin = 0; begin < 1000; begin += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, i) => server.put(`queue-${begin + i}`)));
  }

  await go();
  await until('all are there', async () => await figure('Queues').textContent() === '1,000');
  await until('the rates of the puts have gone', async () => await figure('In per second').textContent() === '0');
  const resting = frames.length;
  await until('three more updates came', () => items(resting).length >= 3);
  assert.ok(items(resting).every(frame => frame.includes('"rows":[]')), items(resting).join('\n'));
  const before = frames.length;
  await server.put('queue-0');
  await until('the put is counted', async () => await figure('Ready').textContent() === '1,001');
  const named = [...items(before).join('').matchAll(/"queue":"([^"]*)"/g)].map(([, name]) => name);
  assert.deepEqual([...new Set(named)], ['queue-0']);
  await finish();
});
