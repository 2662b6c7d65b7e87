// Keys of a real access file: the right one, a wrong one, and one that is revoked while it is used.
import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { PushQueueClient } from 'pushqueue';
import { launch, servePages } from './support/browser.mjs';
import { newKey, Server } from './support/server.mjs';
import { eager, transports } from './support/transports.mjs';
import { first, until } from './support/until.mjs';

let folder;
let admin;
let shop;
let pages;
let server;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pushqueue-access-'));
  admin = await newKey('admin', '*', 'put,take,listen,manage');
  shop = await newKey('shop', 'orders,orders.*', 'put,listen');
  await writeRules(admin, shop);
  pages = await servePages(new URL('../dist', import.meta.url).pathname);
  server = await Server.start('--auth', join(folder, 'access.json'), '--allow-origin', pages.url);
  await client(admin.key).changeSettings('orders', { policy: 'roundrobin' });
});
afterEach(async () => {
  await server.close();
  await pages.close();
  await rm(folder, { recursive: true });
});

const client = (apiKey, options = {}) => new PushQueueClient(server.url, { ...eager, ...options, ...apiKey !== undefined && { apiKey } });

async function writeRules(...keys) {
  await writeFile(join(folder, 'new.json'), `{"keys":[${keys.map(({ entry }) => entry)}]}`);
  await rename(join(folder, 'new.json'), join(folder, 'access.json'));
}

for (const { name, options } of transports) {
  test(`${name}: the right key opens what it is for, a wrong one nothing`, async () => {
    const right = client(shop.key, options);
    await right.put('orders', 1);
    for await (const message of right.consume('orders', { ack: 'manual' })) {
      assert.equal(await message.ack(), true);
      break;
    }

    await assert.rejects(right.take('orders'), { type: 'forbidden', status: 403 });
    await assert.rejects(first(1, right.consume('news')), { type: 'forbidden' });
    for (const key of ['pq_nonsense', undefined]) {
      await assert.rejects(client(key, options).put('orders', 1), { type: 'unauthorized', status: 401 });
      await assert.rejects(first(1, client(key, options).consume('orders')), { type: 'unauthorized' });
    }
  });

  test(`${name}: a key that is revoked ends the stream with a word, and nothing is lost`, async () => {
    const shopping = client(shop.key, options);
    await shopping.put('orders', 1);
    const stream = shopping.consume('orders', { ack: 'manual' })[Symbol.asyncIterator]();
    const { value } = await stream.next();

    await writeRules(admin);

    await assert.rejects(stream.next(), { type: 'access-ended' });
    await assert.rejects(value.ack(), { type: 'unauthorized' });
    assert.equal((await client(admin.key).take('orders', { wait: '50s' })).body, 1);
  });
}

test('In a browser the key works with both transports, and its end is told', async () => {
  const browser = await launch();
  try {
    await Promise.all(['websocket', 'sse'].map(name => client(admin.key).changeSettings(`orders.${name}`, { policy: 'roundrobin' })));
    const page = await browser.newPage();
    await page.goto(`${pages.url}/blank.html`);
    const seen = await page.evaluate(async ([url, key]) => {
      const { PushQueueClient } = await import('/pushqueue.min.js');
      const state = globalThis.state = { ended: [] };
      const seen = [];
      for (const transport of ['websocket', 'sse']) {
        const client = new PushQueueClient(url, { transport, apiKey: key });
        // A queue for each: the one that listens already would get the other's message.
        await client.put(`orders.${transport}`, transport);
        const stream = client.consume(`orders.${transport}`, { ack: 'manual' })[Symbol.asyncIterator]();
        const { value } = await stream.next();
        await value.ack();
        seen.push(value.body);
        stream.next().catch(error => state.ended.push(error.type));
        const wrong = new PushQueueClient(url, { transport, apiKey: 'pq_nonsense' });
        seen.push(await wrong.consume('orders')[Symbol.asyncIterator]().next().catch(error => error.type));
      }

      return seen;
    }, [server.url, shop.key]);
    assert.deepEqual(seen, ['websocket', 'unauthorized', 'sse', 'unauthorized']);

    await writeRules(admin);

    await until('both are told', async () => (await page.evaluate(() => globalThis.state.ended)).length === 2);
    assert.deepEqual(await page.evaluate(() => globalThis.state.ended), ['access-ended', 'access-ended']);
  } finally {
    await browser.close();
  }
});
