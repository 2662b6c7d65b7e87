// The client and the example page in real Chromium, from another origin than the server's, through cut connections.
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PushQueueClient } from 'pushqueue';
import { launch, servePages } from './support/browser.mjs';
import { Proxy } from './support/proxy.mjs';
import { Server } from './support/server.mjs';
import { until } from './support/until.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
let pages;
let server;
let proxy;
let browser;
let direct;

before(async () => {
  pages = await servePages(join(root, 'client-js', 'dist'), join(root, 'examples', 'browser'));
  server = await Server.start('--durability', 'interval:50ms', '--allow-origin', pages.url);
  proxy = await Proxy.start(server.url);
  direct = new PushQueueClient(server.url);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await proxy?.close();
  await server?.close();
  await pages?.close();
});

const numbers = count => Array.from({ length: count }, (_, i) => i + 1);

for (const transport of ['websocket', 'sse']) {
  test(`${transport}: in a page nothing is lost through cut connections`, async () => {
    const queue = `page-${transport}`;
    const work = `work-${transport}`;
    await direct.changeSettings(work, { policy: 'roundrobin' });
    await direct.putMany(work, numbers(100));
    const page = await browser.newPage();
    await page.goto(`${pages.url}/blank.html`);
    await page.evaluate(async ([url, queue, work, transport]) => {
      const { PushQueueClient } = await import('/pushqueue.min.js');
      const client = new PushQueueClient(
        url, { transport, retry: { attempts: 100, max: '200ms' }, reconnect: { min: '10ms', max: '100ms' } });
      const state = globalThis.state = { client, connects: 0, got: [], acked: [] };
      (async () => {
        for await (const { body } of client.consume(queue, { onConnect: () => { state.connects++; } })) {
          state.got.push(body);
        }
      })();
      (async () => {
        for await (const message of client.consume(work, { ack: 'manual' })) {
          if (await message.ack()) {
            state.acked.push(message.body);
          }
        }
      })();
    }, [proxy.url, queue, work, transport]);
    await page.waitForFunction(() => globalThis.state.connects > 0);

    for (let i = 0; i < 300; i += 50) {
      await direct.putMany(queue, numbers(300).slice(i, i + 50));
      proxy.cut();
    }

    await page.waitForFunction(
      () => globalThis.state.got.length >= 300 && globalThis.state.acked.length >= 100, undefined, { timeout: 90_000 });
    const { got, acked, connects } = await page.evaluate(() => globalThis.state);
    assert.deepEqual(got, numbers(300));
    assert.deepEqual([...acked].sort((a, b) => a - b), numbers(100));
    assert.ok(connects > 1);
    const put = await page.evaluate(queue => globalThis.state.client.put(queue, 'from the page'), queue);
    assert.equal(put.queue, queue);
    await page.close();
    await until('nothing is left', async () => {
      const { ready, leased } = await direct.queue(work);
      return ready + leased === 0;
    });
  });
}

test('The example page shows each message by EventSource and by WebSocket, through a cut connection', async () => {
  const page = await browser.newPage();
  const shown = list => page.locator(`#${list} li`).allTextContents();
  await page.goto(`${pages.url}/index.html?server=${proxy.url}&queue=example`);
  await page.waitForFunction(() => ['events-state', 'socket-state'].every(id => document.getElementById(id).textContent === 'connected'));
  await direct.put('example', 'hello');
  await until('both show it', async () => (await shown('events')).length === 1 && (await shown('socket')).length === 1);

  proxy.cut();
  await direct.put('example', { n: 2 });

  await until('both are back', async () => (await shown('events')).length === 2 && (await shown('socket')).length === 2);
  assert.deepEqual(await shown('events'), ['1: hello', '2: {"n":2}']);
  assert.deepEqual(await shown('socket'), ['1: hello', '2: {"n":2}']);
  await page.close();
});
