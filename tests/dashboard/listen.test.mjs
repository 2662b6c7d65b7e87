import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { open } from './support/session.mjs';
import { until } from './support/server.mjs';

const queue = "it's a queue";
const outage = new RegExp(['ERR_CONNECTION_REFUSED', 'WebSocket connection to .* failed', 'ERR_CONNECTION_RESET', 'ERR_EMPTY_RESPONSE',
  'ERR_INCOMPLETE_CHUNKED', 'The server is stopping', 'Failed to start the connection'].join('|'));

test('The snippets of the listen panel work as they are copied, and those that reconnect go on after a restart', async t => {
  const { server, page, browser, toQueue, finish } = await open(t, { allow: [outage] });
  await toQueue(queue, 'listen');
  await browser.screenshot('queue-listen');
  for (const name of ['curl', 'sse']) {
    const shell = spawn('bash', ['-c', await copied(page, name)], { stdio: ['ignore', 'pipe', 'ignore'] });
    t.after(() => shell.kill());
    let heard = '';
    shell.stdout.on('data', data => { heard += data; });
    await until(`${name} listens`, async () => (await server.json(`q/${encodeURIComponent(queue)}/consumers`)).consumers.length === 1);
    await server.put(queue, `for ${name}`);
    await until(`${name} hears`, () => heard.includes(`"body":"for ${name}"`));
    shell.kill();
    await once(shell, 'exit');
    await until(`${name} is gone`, async () => (await server.json(`q/${encodeURIComponent(queue)}/consumers`)).consumers.length === 0);
  }

  const heard = [];
  page.on('console', message => heard.push(message.text()));
  await page.evaluate(() => {
    const print = console.log;
    console.log = value => print(JSON.stringify(value));
  });
  for (const name of ['eventsource', 'signalr', 'websocket']) {
    const lines = await copied(page, name);
    await page.evaluate(
      `(async () => { ${lines}\n `
      + "globalThis.listener = typeof source !== 'undefined' ? source : typeof socket !== 'undefined' ? socket : connection; })()");
    await until(`${name} listens`, async () => (await server.json(`q/${encodeURIComponent(queue)}/consumers`)).consumers.length === 1);
    await server.put(queue, `for ${name}`);
    await until(`${name} hears`, () => heard.some(line => line.includes(`"body":"for ${name}"`)));
    if (name === 'websocket') {
      await page.evaluate(() => globalThis.listener.close());
      continue;
    }

    await server.stop();
    await server.run();
    for (const put of ['away', 'again']) {
      await server.put(queue, `${put} for ${name}`);
      await until(`${name} hears after a restart`, () => heard.some(line => line.includes(`"body":"${put} for ${name}"`)));
    }

    await page.evaluate(() => globalThis.listener.stop?.() ?? globalThis.listener.close());
    await until(`${name} is gone`, async () => (await server.json(`q/${encodeURIComponent(queue)}/consumers`)).consumers.length === 0);
  }

  assert.match(await copied(page, 'dotnet'), /InvokeAsync<JsonElement>\("Subscribe", "it's a queue", options\)/);
  await finish();
});

test('The page itself can listen, also while another tab is shown, and says when the stream ends', async t => {
  const { server, page, toQueue, tab, button, finish } = await open(t);
  await toQueue('news', 'listen');
  await button('Listen here').click();
  await page.getByText('Listening.').waitFor();
  await server.put('news', 'hello');
  await page.locator('.heard').getByText('"body":"hello"').waitFor();
  await tab('Put');
  await page.getByLabel('Body').fill('"from this page"');
  await button('Put message').click();
  await page.getByText('Message 2 is stored').waitFor();
  await tab('Listen');
  await page.locator('.heard').getByText('"body":"from this page"').waitFor();
  await button('Stop listening').waitFor();
  await server.fetch('q/news', { method: 'DELETE' });
  await page.getByText('The server ended the stream.').waitFor();
  await button('Listen here').waitFor();
  await finish();
});

async function copied(page, name) {
  const snippet = page.locator('.snippet').filter({ has: page.locator(`[data-snippet=${name}]`) });
  await snippet.getByRole('button', { name: 'Copy' }).click();
  return page.evaluate(() => navigator.clipboard.readText());
}
