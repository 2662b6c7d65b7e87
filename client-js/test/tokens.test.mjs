// Tokens that the server makes for a key: a client asks its provider for them, and renews them before they end.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PushQueueClient, PushQueueError } from 'pushqueue';
import { Tokens } from '../dist/tokens.js';
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

/** A token of an hour that no server has signed. */
function forged() {
  const now = Math.floor(Date.now() / 1000);
  return `e30.${Buffer.from(JSON.stringify({ iat: now, exp: now + 3600 })).toString('base64url')}.e30`;
}

for (const { name, options } of transports.filter(({ name }) => name !== 'sse')) {
  test(`${name}: a refused renewal is tried again before the old token ends`, async () => {
    let asked = 0;
    const breaks = [];
    const queue = `again-${name}`;
    const token = () => ++asked === 2 ? forged() : make('16s');
    const client = new PushQueueClient(server.url, { ...eager, ...options, token });
    const reading = (async () => {
      for await (const message of client.consume(queue, { from: 'earliest', onDisconnect: cause => breaks.push(cause.type) })) {
        return message.body;
      }
    })();

    // The third comes before the first has ended, the fourth long after that.
    await until('more tokens were asked for', () => asked >= 4);
    await client.put(queue, 'last');

    assert.equal(await reading, 'last');
    assert.deepEqual(breaks, []);
  });
}

test('a token that was refused twice does not take the next one with it', async () => {
  let asked = 0;
  const tokens = new Tokens(undefined, () => `token ${++asked}`);
  const refused = await tokens.get();
  tokens.refused(refused);
  const next = await tokens.get();
  tokens.refused(refused);
  assert.equal(await tokens.get(), next);
});

test('a token that another has replaced is renewed at once, and again until the server accepts that', async () => {
  const token = life => {
    const now = Math.floor(Date.now() / 1000);
    return `e30.${Buffer.from(JSON.stringify({ iat: now, exp: now + life })).toString('base64url')}.e30`;
  };
  const [opened, present] = [token(60), token(3600)];
  const tokens = new Tokens(undefined, () => present);
  await tokens.get();
  const sent = [];
  const end = tokens.keep(opened, next => {
    sent.push(next);
    if (sent.length === 1) {
      throw new PushQueueError('store-unavailable', 'Not now.');
    }
  });
  await until('the token was sent again', () => sent.length === 2);
  end();
  assert.deepEqual(sent, [present, present]);
});

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
