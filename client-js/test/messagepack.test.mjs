// The hub as any SignalR client uses it, with the MessagePack protocol.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { Server } from './support/server.mjs';
import { until } from './support/until.mjs';

let server;

before(async () => {
  server = await Server.start();
});

after(() => server?.close());

async function connect(t, options = {}) {
  const connection = new HubConnectionBuilder()
    .withUrl(`${server.url}/hub`, options)
    .withHubProtocol(new MessagePackHubProtocol())
    .configureLogging(LogLevel.None)
    .build();
  t.after(() => connection.stop());
  await connection.start();
  return connection;
}

const withoutNegotiation = { skipNegotiation: true, transport: HttpTransportType.WebSockets };

const ways = [['a WebSocket without negotiation', withoutNegotiation], ['long polling', { transport: HttpTransportType.LongPolling }]];

for (const [way, options] of ways) {
  test(`MessagePack over ${way}: bytes arrive as bytes, JSON as its value`, async t => {
    const queue = `packed-${options.skipNegotiation ? 'socket' : 'polling'}`;
    const connection = await connect(t, options);
    const got = [];
    connection.on('message', message => got.push(message));
    await connection.invoke('Subscribe', queue, {});
    await connection.invoke('Put', queue, Uint8Array.of(0, 255, 128), {});
    await connection.invoke('Put', queue, { name: 'Ada', tags: ['a', 1, null, true, 1.5] }, { headers: { color: 'red' } });

    await until('both messages are there', () => got.length === 2);

    assert.deepEqual([...got[0].body], [0, 255, 128]);
    assert.equal(got[0].encoding, undefined);
    assert.deepEqual(got[1].body, { name: 'Ada', tags: ['a', 1, null, true, 1.5] });
    assert.deepEqual(got[1].headers, { color: 'red' });
    assert.equal(got[1].offset, got[0].offset + 1);
  });
}

test('MessagePack: a call that is wrong has the error of the JSON protocol', async t => {
  const connection = await connect(t, withoutNegotiation);

  await assert.rejects(connection.invoke('Subscribe', 'no such/name', {}), /HubException: [a-z-]+: /);
  await assert.rejects(connection.invoke('Put', 'packed-wrong', 1, { surprise: 1 }), /HubException: [a-z-]+: .*surprise/);
});
