// A server and a browser for a test, closed with it; what the page complained about fails the test.
import assert from 'node:assert/strict';
import { Browser } from './browser.mjs';
import { Server } from './server.mjs';

/** @param options of the browser, and `server`: options of the server's command line. */
export async function open(t, { server: serverOptions = [], ...options } = {}) {
  const server = await Server.start(...serverOptions);
  t.after(() => server.close());
  const browser = await Browser.open(options);
  t.after(() => browser.close());
  const { page } = browser;
  const session = {
    server, browser, page,

    /** Goes to a place of the dashboard and waits until it is live. */
    async go(hash = '') {
      await page.goto(`${server.url}/#/${hash}`);
      await page.locator('#connection[data-state=live]').waitFor();
    },

    toQueue: (queue, tab = '') => session.go(`q/${encodeURIComponent(queue)}/${tab}`),

    tab: name => page.getByRole('tab', { name: new RegExp(`^${name}`) }).click(),

    button: name => page.getByRole('button', { name, exact: true }),

    /** The figure above the chart that has this label. */
    figure: label => page.locator('.sums > div').filter({ has: page.locator('dt', { hasText: new RegExp(`^${label}$`) }) }).locator('dd'),

    toast: text => page.locator('.toast', { hasText: text }).first().waitFor(),

    async finish() {
      assert.deepEqual(browser.problems, []);
    },
  };
  return session;
}
