// The dashboard in an application with pages and users of its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Browser } from './support/browser.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const assembly = join(root, 'artifacts', 'bin', 'DashboardHost', 'release', 'DashboardHost.dll');

/** The application, on a free port; gone with its data after the test. */
async function startHost(t) {
  const data = await mkdtemp(join(tmpdir(), 'pushqueue-hosted-'));
  const host = spawn('dotnet', [assembly, data], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    const exit = once(host, 'exit');
    host.kill('SIGTERM');
    await exit;
    await rm(data, { recursive: true });
  });
  const [url] = await once(createInterface(host.stdout), 'line', { signal: AbortSignal.timeout(60_000) });
  return url;
}

test('The application admits its own users to the dashboard, which uses the API under its prefix', async t => {
  const url = await startHost(t);
  for (const path of ['admin/queues/', 'admin/queues/js/main.js', 'mq/q']) {
    const anonymous = await fetch(`${url}/${path}`, { redirect: 'manual' });
    assert.ok([302, 401].includes(anonymous.status), `${path}: ${anonymous.status}`);
  }

  const browser = await Browser.open({ allow: [/WebSocket connection to .* failed/] });
  t.after(() => browser.close());
  const { page } = browser;

  await page.goto(`${url}/admin/queues#/q/orders/put`);
  assert.match(page.url(), /sign-in/);
  await page.getByLabel('Name').fill('ann');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(/\/admin\/queues\/#/);
  await page.locator('#connection[data-state=live]').waitFor();

  await page.goto(`${url}/admin/queues/#/q/orders/put`);
  await page.getByLabel('Body').fill('{"number":7}');
  await page.getByRole('button', { name: 'Put message' }).click();
  await page.getByText('Message 1 is stored').waitFor();
  await page.getByRole('tab', { name: /^Messages/ }).click();
  await page.locator('table.messages').getByText('{"number":7}').waitFor();
  await page.getByRole('tab', { name: /^Listen/ }).click();
  assert.match(await page.locator('[data-snippet=curl]').textContent(), new RegExp(`${url}/mq/c/orders`));
  await page.getByRole('button', { name: 'Listen here' }).click();
  await page.locator('.heard li', { hasText: 'number' }).waitFor();
  await page.goto(`${url}/admin/queues/#/`);
  await page.getByRole('link', { name: 'orders' }).waitFor();

  // The page says it when the application does not know the user any more.
  await page.evaluate(() => fetch('/sign-out', { method: 'POST' }));
  await page.goto(`${url}/admin/queues/#/q/orders/messages`);
  await page.getByText('You are signed out').first().waitFor();
  assert.deepEqual(browser.problems, []);

  await page.goto(`${url}/`);
  assert.equal(await page.textContent('body'), 'The shop.');
});

test('The API reference of a hosted dashboard shows the operations', async t => {
  const url = await startHost(t);
  const browser = await Browser.open();
  t.after(() => browser.close());
  const { page } = browser;
  await page.goto(`${url}/sign-in?returnUrl=/admin/queues/reference.html`);
  await page.getByLabel('Name').fill('ann');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('details').first().waitFor();
  assert.deepEqual(browser.problems, []);
});
