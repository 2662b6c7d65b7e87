import assert from 'node:assert/strict';
import { before, after, test } from 'node:test';
import { listen, putSteadily } from './support/consumers.mjs';
import { Browser } from './support/browser.mjs';
import { Server } from './support/server.mjs';

// Every view, in light and dark, on a desk and on a phone: it passes axe, fits the screen, causes no console message, and is kept as a
// picture.
const views = [
  ['overview', '', 'table.queues tbody tr'], [
    'messages',
    'q/mail/messages',
    'table.messages tbody tr'
  ], ['tail', 'q/orders/tail', '.tail li'],
  [
    'consumers',
    'q/orders/consumers',
    'table.consumers tbody tr'
  ], ['put', 'q/orders/put', 'form.put'], ['dead', 'q/mail/dead', 'table.messages tbody tr'],
  ['listen', 'q/mail/listen', '.snippet'], ['settings', 'q/mail/settings', 'form.settings'],
  ['subscriptions', 'q/mail/subscriptions', '.flow-sources li'], ['nodes', 'nodes', '.card'],
];
const screens = [['desk', 1280, 860], ['phone', 360, 780]];
let server;
let puts;
let consumers;

before(async () => {
  server = await Server.start();
  await server.set(
    'mail',
    { policy: 'roundrobin', maxAttempts: 1, subscriptions: ['newsletters.*', { to: 'orders.shipped', where: { urgent: true } }] });
  await server.set('archive', { subscriptions: ['mail'] });
  await server.putMany(
    'mail',
    Array.from(
      { length: 80 },
      (_, i) => ({ to: `user${i}@example.com`, subject: 'Hello', body: 'A text that is longer than a line of a phone can show' })));
  await server.set('a-queue-with-quite-a-long-name.that-has-no-space-in-it.and-goes-on-and-on', { status: 'stopped' });
  for (let i = 0; i < 2; i++) {
    const response = await fetch(`${server.url}/q/mail?ttr=30&worker=postman`);
    await server.fetch(
      `q/mail/messages/${response.headers.get('pushqueue-id')}/release`
        + `?receipt=${response.headers.get('pushqueue-receipt')}&error=no+such+street`,
      { method: 'POST' });
  }

  await server.fetch(
    'q/mail?priority=9&key=a-customer-with-quite-a-long-name',
    {
      method: 'POST',
      body: 'x',
      headers: { 'PushQueue-Header-Subject': 'A value that is much longer than the column can show', 'PushQueue-Header-Tenant': '7' },
    });
  consumers = [await listen(server, 'orders'), await listen(server, 'orders')];
  puts = putSteadily(server, 'orders', 100, number => JSON.stringify({ order: number, items: ['pen', 'paper'] }));
});

after(async () => {
  await puts.stop();
  consumers.forEach(consumer => consumer.end());
  await server.close();
});

for (const theme of ['light', 'dark']) {
  for (const [screen, width, height] of screens) {
    test(`Every view is accessible and fits: ${theme}, ${screen}`, async t => {
      const browser = await Browser.open({ theme, width, height });
      t.after(() => browser.close());
      const { page } = browser;
      const wrong = [];
      for (const [name, hash, ready] of views) {
        await page.goto('about:blank');
        await page.goto(`${server.url}/#/${hash}`);
        await page.locator('#connection[data-state=live]').waitFor();
        await page.locator(ready).first().waitFor();
        await look(name);
        if (name === 'messages') {
          await page.locator('table.messages tbody button').first().click();
          await page.locator('dialog pre').waitFor();
          await look('message');
          await page.keyboard.press('Escape');
          await page.getByRole('button', { name: 'Delete', exact: true }).click();
          await look('delete');
          await page.keyboard.press('Escape');
        }
      }

      async function look(name) {
        wrong.push(...(await browser.violations()).map(violation => `${name}: ${violation}`));
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (overflow > 0) {
          wrong.push(`${name}: ${overflow} px wider than the screen`);
        }

        await browser.screenshot(`view-${name}-${theme}-${screen}`);
      }

      assert.deepEqual(wrong, []);
      assert.deepEqual(browser.problems.filter(problem => !problem.startsWith('elsewhere: about:')), []);
    });
  }
}
