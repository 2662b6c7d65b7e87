// The picture of who feeds whom, and the form that changes a queue's subscriptions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open } from './support/session.mjs';
import { KeyRing } from './support/keys.mjs';
import { until } from './support/server.mjs';

const sources = page => page.locator('.flow-sources li');
const subscribers = page => page.locator('.flow-subscribers li');

test('A queue subscribes to names and patterns with a filter, and the copies arrive', async t => {
  const { server, browser, page, toQueue, button, figure, finish } = await open(t);
  await server.set('billing', { policy: 'roundrobin' });
  await toQueue('billing', 'subscriptions');
  await page.getByText('Nothing: only puts into this queue.').waitFor();
  await page.getByLabel('Queue or pattern').fill('orders');
  await button('Subscribe').click();
  await page.getByText("'billing' gets the messages of 'orders' from now on.").waitFor();
  await page.getByLabel('Queue or pattern').fill('invoices.*');
  await page.getByLabel('Only messages with these headers').fill('tenant=7|8\nurgent');
  await button('Subscribe').click();
  await until('both are drawn', async () => await sources(page).count() === 2);
  assert.deepEqual(
    (await server.json('q/billing/settings')).subscriptions,
    ['orders', { to: 'invoices.*', where: { tenant: '7|8', urgent: true } }]);
  assert.match(await sources(page).nth(1).textContent(), /invoices\.\*only tenant=7\|8urgent/);

  await server.put('orders');
  for (const tenant of ['8', '9']) {
    await server.fetch(
      'q/invoices.eu',
      { method: 'POST', body: 'x', headers: { 'PushQueue-Header-Tenant': tenant, 'PushQueue-Header-Urgent': '' } });
  }

  await until('the figures count the two copies', async () => await figure('Ready').textContent() === '2');
  await server.set('archive', { subscriptions: ['bill*'] });
  await button('Refresh').click();
  await subscribers(page).getByText('archive').waitFor();
  assert.deepEqual(await browser.violations(), []);
  await browser.screenshot('queue-subscriptions');
  await subscribers(page).getByRole('link', { name: 'archive' }).click();
  await sources(page).getByText('bill*').waitFor();
  await finish();
});

test('A subscription begins with what the queue holds', async t => {
  const { server, page, toQueue, button, figure, finish } = await open(t);
  await server.put('orders');
  await server.set('archive', { policy: 'roundrobin' });
  await toQueue('archive', 'subscriptions');
  await page.getByLabel('Queue or pattern').fill('orders');
  await page.getByLabel('First copy what the queue holds').check();
  await button('Subscribe').click();
  await sources(page).getByText('from the earliest message').waitFor();
  assert.deepEqual((await server.json('q/archive/settings')).subscriptions, [{ to: 'orders', from: 'earliest' }]);
  await until('the earlier message is there', async () => await figure('Ready').textContent() === '1');
  await finish();
});

test('A subscription is changed and removed, and what another client added in the meantime stays', async t => {
  const { server, page, toQueue, button, toast, finish } = await open(t, { allow: [/status of 400/] });
  await server.set('billing', { subscriptions: ['orders', { to: 'audit', where: { tenant: '7' } }] });
  await toQueue('billing', 'subscriptions');
  await button('Change the subscription to audit').click();
  assert.equal(await page.getByLabel('Only messages with these headers').inputValue(), 'tenant=7');
  await server.set('billing', { subscriptions: ['orders', { to: 'audit', where: { tenant: '7' } }, 'returns'] });
  await page.getByLabel('Only messages with these headers').fill('tenant=7\nregion=eu');
  await button('Save').click();
  await page.getByText('Saved.').waitFor();
  const settings = async () => (await server.json('q/billing/settings')).subscriptions;
  assert.deepEqual(await settings(), ['orders', { to: 'audit', where: { tenant: '7', region: 'eu' } }, 'returns']);

  await button('Remove the subscription to orders').click();
  await button('Remove subscription').click();
  await toast("The subscription to 'orders' is removed.");
  assert.deepEqual(await settings(), [{ to: 'audit', where: { tenant: '7', region: 'eu' } }, 'returns']);
  await until('it is no longer drawn', async () => await sources(page).count() === 2);
  await button('Change the subscription to returns').click();
  await server.set('billing', { subscriptions: [] });
  await page.getByText('Nothing: only puts into this queue.').waitFor();

  await button('Save').click();
  await page.locator('.answer.problem', { hasText: 'Another client has changed or removed this subscription.' }).waitFor();
  await button('Do not change it').click();
  await page.getByLabel('Queue or pattern').fill('billing');
  await button('Subscribe').click();
  await page.locator('.answer.problem', { hasText: "The queue 'billing' cannot subscribe to itself" }).waitFor();
  assert.deepEqual(await settings(), []);
  await finish();
});

test('A queue that does not exist yet can subscribe, a dead-letter queue has no such tab', async t => {
  const { server, page, toQueue, button, finish } = await open(t);
  await toQueue('later', 'subscriptions');
  await page.getByLabel('Queue or pattern').fill('orders');
  await button('Subscribe').click();
  await until('it is stored', async () => (await server.json('q/later/settings')).subscriptions[0] === 'orders');
  await toQueue('later.dead');
  await page.getByRole('tab', { name: 'Dead letters' }).waitFor();
  assert.equal(await page.getByRole('tab', { name: 'Subscriptions' }).count(), 0);
  await finish();
});

test('A key without manage sees the picture and cannot change it', async t => {
  const keys = await KeyRing.make(t);
  const operator = await keys.add('operator', [{ queues: ['*'], can: ['put', 'take', 'listen', 'manage', 'stats'] }]);
  const reader = await keys.add('reader', [{ queues: ['billing'], can: ['listen'] }]);
  const { server, page, toQueue, finish } = await open(t, { server: ['--auth', keys.path] });
  server.key = operator;
  await server.set('billing', { subscriptions: ['orders'] });
  await page.addInitScript(key => sessionStorage.setItem('pushqueue-key', key), reader);
  await toQueue('billing', 'subscriptions');
  await sources(page).getByText('orders').waitFor();
  assert.equal(await page.locator('form.subscription').count(), 0);
  assert.equal(await page.locator('.flow button').count(), 0);
  await finish();
});
