// Tokens that the server makes for a key: a client asks its provider for them, and renews them before they end.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PushQueueClient } from 'pushqueue';
import { newKey, Server } from './support/server.mjs';
import { eager, transports } from './support/transports.mjs';
import { until } from './support/until.mjs';

let folder;
let key;
let server;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pushqueue-tokens-'));
  key = await newKey('backend', '*', 'put,take,listen,manage');
  await writeFile(join(folder, 'access.json'), `{"keys":[${key.entry}]}`);
  server = await Server.start('--auth', join(folder, 'access.json'));
});
after(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** Makes a token as a page's backend does. */
async function make(expires) {
  const response = await fetch(`${server.url}/token`, {
    method: 'POST', headers: { Authorization: `Bearer ${key.key}` }, body: JSON.stringify({ expires }),
  });
  return (await response.json()).token;
}

for (const { name, options } of transports) {
  test(`${name}: a stream outlives its tokens and loses nothing`, async () => {
    let asked = 0;
    const breaks = [];
    const queue = `outlives-${name}`;
    const client = new PushQueueClient(server.url, { ...eager, ...options, token: () => { asked++; return make('8s'); } });
    const got = [];
    const stream = client.consume(queue, { onDisconnect: cause => breaks.push(cause.type) });
    const reading = (async () => {
      for await (const message of stream) {
        got.push(message.body);
        if (message.body === 'last') {
          return;
        }
      }
    })();

    // Each call comes when most of a token's life is over, so after these the first one has ended.
    for (let i = 0; i < 3; i++) {
      await until('another token was asked for', () => asked > i);
      await client.put(queue, i);
    }

    await client.put(queue, 'last');
    await reading;

    assert.deepEqual(got.filter(body => body !== 'last'), got.slice(0, -1));
    assert.equal(got.at(-1), 'last');
    assert.deepEqual(breaks.filter(type => type !== 'access-ended'), []);
    assert.ok(name === 'sse' || breaks.length === 0, `${name} broke: ${breaks}`);
  });

  test(`${name}: a refused token is replaced by another, and a second refusal is the program's`, async () => {
    const tokens = ['nonsense.a.b', await make('1m')];
    const client = new PushQueueClient(server.url, { ...eager, ...options, token: () => tokens.shift() });
    await client.put(`refused-${name}`, 1);
    for await (const message of client.consume(`refused-${name}`, { from: 'earliest' })) {
      assert.equal(message.body, 1);
      break;
    }

    const refused = new PushQueueClient(server.url, { ...eager, ...options, token: () => 'nonsense.a.b' });
    await assert.rejects(refused.put('refused', 1), { type: 'unauthorized', status: 401 });
    await assert.rejects(refused.consume('refused')[Symbol.asyncIterator]().next(), { type: 'unauthorized' });
  });
}
