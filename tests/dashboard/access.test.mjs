// The dashboard against a server that asks for keys: what a key may not do is not offered, or says why.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open } from './support/session.mjs';
import { KeyRing } from './support/keys.mjs';
import { until } from './support/server.mjs';

const allow = [/status of 40[13]/, /WebSocket connection to .* failed/];

async function start(t, grants) {
  const keys = await KeyRing.make(t);
  const all = await keys.add('operator', [{ queues: ['*'], can: ['put', 'take', 'listen', 'manage', 'stats'] }]);
  const own = await keys.add('shop', grants);
  const session = await open(t, { allow, server: ['--auth', keys.path] });
  session.server.key = all;
  for (const queue of ['orders', 'orders.dead', 'news']) {
    await session.server.put(queue, 'hello');
  }

  return { ...session, keys, all, own };
}

/** Opens a place with this key, as a tab where it has been given before. */
async function openWith({ page, go }, key, hash) {
  await page.addInitScript(value => sessionStorage.getItem('pushqueue-key') ?? sessionStorage.setItem('pushqueue-key', value), key);
  await go(hash);
}

test('The dialog asks for a key, says what is wrong with one, keeps it for this tab, and forgets it', async t => {
  const { server, browser, page, button, all, finish } = await start(t, [{ queues: ['orders'], can: ['put'] }]);
  const sockets = [];
  page.on('websocket', socket => sockets.push(socket.url()));

  await page.goto(`${server.url}/#/q/orders/messages`);
  const dialog = page.getByRole('dialog', { name: 'Access key' });
  await dialog.waitFor();
  assert.equal(await dialog.getByRole('alert').count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'access-key');
  await browser.screenshot('access-key');
  await page.locator('#access-key').fill('pq_wrong');
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').getByText('The key is not known;').waitFor();
  await browser.screenshot('access-key-wrong');
  assert.deepEqual(await browser.violations(), []);
  await page.locator('#access-key').fill(all);
  await button('Use this key').click();
  await page.locator('table.messages').getByText('hello').waitFor();
  assert.equal(await page.locator('#who').textContent(), 'operator');
  await page.reload();
  await page.locator('table.messages').getByText('hello').waitFor();
  assert.ok(sockets.some(url => url.endsWith(`/hub?access_token=${all}`)));
  await page.getByRole('tab', { name: 'Listen' }).click();
  assert.match(await page.locator('[data-snippet=curl]').textContent(), /-H 'Authorization: Bearer KEY'/);
  assert.ok(!(await page.locator('.panel').textContent()).includes(all));

  await button('Forget key').click();
  await dialog.waitFor();
  await button('Not now').click();
  await page.locator('#connection[data-state=refused]').waitFor();
  assert.match(await page.locator('#connection').textContent(), /No access without a key/);
  await button('Enter key').click();
  await dialog.waitFor();
  await finish();
});

test('A key sees its own queues and is offered what it may do with them, nothing else', async t => {
  const session = await start(t, [{ queues: ['orders'], can: ['take'] }]);
  const { browser, page, figure, button, own, finish } = session;
  await openWith(session, own, '');
  await page.getByRole('link', { name: 'orders', exact: true }).waitFor();
  assert.equal(await page.locator('table.queues tbody tr').count(), 1);
  assert.equal(await figure('Queues').textContent(), '1');
  assert.equal(await button('New queue').isVisible(), false);
  assert.equal(await page.locator('[data-nav=nodes]').isVisible(), false);
  await browser.screenshot('access-overview');

  await page.getByRole('link', { name: 'orders', exact: true }).click();
  await page.locator('table.messages').getByText('hello').waitFor();
  for (const name of ['Stop', 'Purge', 'Delete', 'roundrobin']) {
    assert.equal(await button(name).isVisible(), false, name);
  }

  assert.equal(await button('Cancel message 1').isVisible(), true);
  for (const [tab, sentence] of [
    ['Put', 'The key “shop” may not put messages.'], ['Consumers', 'The key “shop” may not see its consumers.'],
    ['Listen', 'The key “shop” may not listen.'], ['Dead letters', 'The key “shop” may not see its dead letters.'],
  ]) {
    await session.tab(tab);
    await page.locator('.refusal').getByText(sentence).waitFor();
  }

  await page.locator('.refusal').getByText('That needs the permission take, listen, or manage on this queue.').waitFor();
  await browser.screenshot('access-refusal');
  await session.tab('Settings');
  await page.getByText('may see these settings; to change them it needs the permission manage').waitFor();
  assert.equal(await page.getByLabel('Lease').isDisabled(), true);
  assert.equal(await button('Save settings').count(), 0);
  assert.deepEqual(await browser.violations(), []);
  assert.equal(await page.locator('.toast').count(), 0);
  await finish();
});

test('A key that may only watch gets no buttons for changes, and another queue says why it stays closed', async t => {
  const session = await start(t, [{ queues: ['orders'], can: ['stats'] }]);
  const { browser, page, figure, own, finish } = session;
  await openWith(session, own, 'q/orders');
  await until('the figures are there', async () => await figure('Ready').textContent() === '1');
  await page.locator('.refusal').getByText('may not see its messages').waitFor();
  await session.go('q/news');
  await page.getByRole('alert').getByText("The key 'shop' lacks the permission").waitFor();
  assert.equal(await page.getByRole('tab').count(), 0);
  await browser.screenshot('access-closed');
  await session.go('nodes');
  await page.getByRole('alert').getByText('on all queues').waitFor();
  assert.equal(await page.locator('.toast').count(), 0);
  await finish();
});

test('What a key gains or loses meanwhile is there, or gone, within seconds', async t => {
  const session = await start(t, [{ queues: ['orders'], can: ['take'] }]);
  const { page, button, keys, own, finish } = session;
  await openWith(session, own, 'q/orders/put');
  await page.locator('.refusal').waitFor();
  await keys.grant('shop', [{ queues: ['orders'], can: ['put', 'manage'] }]);
  await button('Put message').waitFor();
  await button('Purge').waitFor();
  await keys.grant('shop', [{ queues: ['orders'], can: ['listen'] }]);
  await page.locator('.refusal').getByText('may not put messages').waitFor();
  assert.equal(await button('Purge').isVisible(), false);
  await keys.grant('shop', [{ queues: ['elsewhere'], can: ['listen'] }]);
  await page.getByRole('alert').getByText("The key 'shop' lacks the permission").waitFor();
  assert.equal(await page.getByRole('tab', { name: 'Put' }).isVisible(), false);
  await keys.grant('shop', [{ queues: ['orders'], can: ['put'] }]);
  await until('it is open again', async () => {
    await button('Try again').click({ timeout: 1000 }).catch(() => null);
    return button('Put message').isVisible();
  });
  await finish();
});

test('A key that is revoked while the page is open is told, and another one goes on', async t => {
  const session = await start(t, [{ queues: ['orders'], can: ['take'] }]);
  const { page, browser, button, keys, all, own, finish } = session;
  await openWith(session, own, 'q/orders');
  await page.locator('table.messages').getByText('hello').waitFor();
  await keys.remove('shop');
  const dialog = page.getByRole('dialog', { name: 'Access key' });
  await dialog.getByRole('alert').getByText('The key is not known;').waitFor();
  await browser.screenshot('access-revoked');
  await page.locator('#access-key').fill(all);
  await button('Use this key').click();
  await page.locator('#connection[data-state=live]').waitFor();
  await button('Purge').waitFor();
  await page.locator('table.messages').getByText('hello').waitFor();
  assert.equal(await page.locator('#who').textContent(), 'operator');
  await finish();
});
