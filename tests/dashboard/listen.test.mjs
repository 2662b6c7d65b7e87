import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { open } from './support/session.mjs';
import { until } from './support/server.mjs';

const queue = "it's a queue";

test('The lines of the listen panel work as they are copied', async t => {
  const { server, page, browser, toQueue, finish } = await open(t);
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
  for (const name of ['eventsource', 'websocket', 'signalr']) {
    const lines = await copied(page, name);
    await page.evaluate(`(async () => { ${lines}\n globalThis.listener = typeof source !== 'undefined' ? source : typeof socket !== 'undefined' ? socket : connection; })()`);
    await until(`${name} listens`, async () => (await server.json(`q/${encodeURIComponent(queue)}/consumers`)).consumers.length === 1);
    await server.put(queue, `for ${name}`);
    await until(`${name} hears`, () => heard.some(line => line.includes(`"body":"for ${name}"`)));
    await page.evaluate(() => globalThis.listener.stop?.() ?? globalThis.listener.close());
    await until(`${name} is gone`, async () => (await server.json(`q/${encodeURIComponent(queue)}/consumers`)).consumers.length === 0);
  }

  assert.match(await copied(page, 'dotnet'), /InvokeAsync<JsonElement>\("Subscribe", "it's a queue"\)/);
  await finish();
});

test('The page itself can listen, and is told of the end', async t => {
  const { server, page, toQueue, button, finish } = await open(t);
  await toQueue('news', 'listen');
  await button('Listen here').click();
  await page.getByText('Listening.').waitFor();
  await server.put('news', 'hello');
  await page.locator('.heard').getByText('"body":"hello"').waitFor();
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
