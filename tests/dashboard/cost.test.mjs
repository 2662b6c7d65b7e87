import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { open } from './support/session.mjs';
import { until } from './support/server.mjs';

// Clock ticks of /proc/PID/stat, a hundred a second on Linux.
const ticksPerSecond = 100;

async function cpuSeconds(pid) {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

async function share(pid, seconds) {
  const [started, before] = [performance.now(), await cpuSeconds(pid)];
  await new Promise(resolve => setTimeout(resolve, seconds * 1000));
  return (await cpuSeconds(pid) - before) / ((performance.now() - started) / 1000);
}

test('Watching a thousand queues costs the server less than three percent of a core', async t => {
  const { server, page, go, figure, finish } = await open(t);
  for (let begin = 0; begin < 1000; begin += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, i) => server.put(`queue-${begin + i}`)));
  }

  await go();
  await until('all are there', async () => await figure('Queues').textContent() === '1,000');

  // The runtime compiles hot methods again, better, in the first seconds.
  await share(server.pid, 15);
  const watched = await share(server.pid, 10);
  await page.goto('about:blank');
  await share(server.pid, 2);
  const alone = await share(server.pid, 10);
  t.diagnostic(`with the dashboard open ${(watched * 100).toFixed(2)} %, without it ${(alone * 100).toFixed(2)} % of a core`);
  assert.ok(watched < 0.03, `${(watched * 100).toFixed(2)} % of a core`);
  await finish();
});
