import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { putSteadily } from './support/consumers.mjs';
import { open } from './support/session.mjs';
import { Server, until } from './support/server.mjs';

const vendor = new URL('../../wwwroot/vendor/', import.meta.url);

test('A restart of the server is told, and everything goes on by itself', async t => {
  const { server, browser, page, toQueue, figure, finish } = await open(
    t,
    { allow: [/ERR_CONNECTION_REFUSED|WebSocket connection to .* failed|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/] });
  const puts = putSteadily(server, 'orders', 50);
  await toQueue('orders', 'tail');
  await page.locator('.tail li').first().waitFor();
  await server.stop();
  await page.locator('#connection[data-state=reconnecting]').waitFor();
  assert.match(await page.locator('#connection').textContent(), /Disconnected/);
  assert.equal(await page.locator('.toast').count(), 0);
  await browser.screenshot('disconnected');
  await server.run();
  await page.locator('#connection[data-state=live]').waitFor();
  const before = await page.locator('.tail-id').first().textContent();
  await until('the tail goes on', async () => await page.locator('.tail-id').first().textContent() !== before);
  const ready = await figure('Ready').textContent();
  await until('the figures go on', async () => await figure('Ready').textContent() !== ready);
  await puts.stop();
  await finish();
});

test('The nodes page tells about the store, the machine and what happened', async t => {
  const { server, browser, page, go, finish } = await open(t);
  await go('nodes');
  const card = page.locator('.card');
  await card.getByText('serving').waitFor();
  assert.match(
    await card.textContent(),
    /embedded log in .*on disk before the answer \(synced\).*GiB free of.*MiB of it managed.*of one core.*1 signalr/);
  await server.set('news', { status: 'stopped' });
  await page.locator('.events li').filter({ hasText: "Settings of 'news' changed" }).waitFor();
  await page.getByRole('button', { name: 'Errors', exact: true }).click();
  await page.getByText('No such event since the node started').waitFor();
  await page.getByRole('button', { name: 'All', exact: true }).click();
  await browser.screenshot('nodes');
  await page.getByRole('link', { name: 'Show queue' }).first().click();
  await page.getByRole('heading', { name: 'news' }).waitFor();
  await finish();
});

test('Everything can be reached and used by the keyboard alone', async t => {
  const { server, page, go, finish } = await open(t);
  await server.put('alpha');
  await go();
  await page.getByRole('link', { name: 'alpha' }).waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'Skip to content');
  await page.keyboard.press('Enter');
  await page.keyboard.press('/');
  await page.keyboard.type('alp');
  for (let presses = 0; await focused(page) !== 'alpha'; presses++) {
    assert.ok(presses < 30, 'the queue is not reached by Tab');
    await page.keyboard.press('Tab');
  }

  await page.keyboard.press('Enter');
  await page.getByRole('tab', { selected: true, name: 'Messages' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('End');
  assert.equal(await page.getByRole('tab', { selected: true }).textContent(), 'Settings');
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.getByRole('tab', { selected: true }).textContent(), 'Messages');
  await page.getByRole('button', { name: '1', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  assert.equal(await focused(page), '1');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('n');
  await page.getByRole('heading', { name: 'Nodes' }).waitFor();
  await page.keyboard.press('g');
  await page.getByRole('table', { name: 'Queues' }).waitFor();
  await finish();
});

test('An address with a stray % does not end the page', async t => {
  const { server, page, go, finish } = await open(t);
  await server.put('50%');
  await go('q/%E0%A4%A');
  await page.getByRole('heading', { name: '%E0%A4%A' }).waitFor();
  await go('q/50%/messages');
  await page.getByRole('heading', { name: '50%' }).waitFor();
  await page.locator('table.messages tbody tr').waitFor();
  await go('q/a%2Fb');
  await page.getByRole('alert').getByText("cannot contain '/'").waitFor();
  assert.equal(await page.getByRole('button', { name: 'Try again' }).isVisible(), false);
  await page.getByRole('link', { name: 'All queues' }).click();
  await page.getByRole('link', { name: '50%' }).waitFor();
  await finish();
});

test('The shell links to the reference and the pages, and shows the version', async t => {
  const { server, page, go, finish } = await open(t);
  await go();
  await page.getByText(/^Version \d+\.\d+/).waitFor();
  const links = await page.locator('footer a').evaluateAll(all => all.map(link => link.getAttribute('href')));
  assert.ok(links.includes('reference.html') && links.length > 3, links.join());
  for (const link of links) {
    const response = await fetch(`${server.url}/${link}`);
    assert.equal(response.status, 200, link);
    assert.match(response.headers.get('content-type'), link.endsWith('.md') ? /^text\/plain; charset=utf-8/ : /^text\/html/, link);
  }

  await finish();
});

test('The reference is accessible, finds an operation, and keeps the policy of the pages', async t => {
  const { server, browser, page, finish } = await open(t);
  await page.goto(`${server.url}/reference.html#find`);
  await page.locator('details#find[open]').waitFor();
  const ids = await page.evaluate(() => [...document.querySelectorAll('[id]')].map(element => element.id));
  assert.deepEqual(ids.filter((id, index) => ids.indexOf(id) !== index), []);
  assert.deepEqual(await browser.violations({ all: true }), []);
  await page.getByLabel('Find').fill('batch');
  await until('only some operations are left', async () => {
    const shown = await page.locator('details:visible').count();
    return shown > 0 && shown < 10;
  });
  await page.getByRole('link', { name: 'Dashboard' }).click();
  await page.locator('#connection[data-state=live]').waitFor();
  await finish();
});

test('The theme can be chosen and is remembered', async t => {
  const { page, go, finish } = await open(t, { theme: 'light' });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await go();
  const light = await ground();
  const button = page.locator('#theme');
  await button.click();
  assert.equal(await ground(), light);
  await button.click();
  assert.notEqual(await ground(), light);
  const dark = await ground();
  await page.reload();
  assert.equal(await ground(), dark);
  await finish();
});

test('What a stranger puts is text wherever it is shown', async t => {
  const { server, page, go, toQueue, finish } = await open(t);
  const evil = '<img src=x onerror="document.title=1"><b>';
  await server.put(evil, evil, `?id=${encodeURIComponent(evil)}`);
  await go();
  await page.getByRole('link', { name: evil }).click();
  await page.getByRole('button', { name: evil, exact: true }).click();
  await page.getByRole('dialog').getByText(evil).first().waitFor();
  await toQueue(evil, 'listen');
  assert.equal(await page.locator('img').count(), 0);
  await finish();
});

test('The page has a strict policy and loads only its own files', async t => {
  const server = await Server.start();
  t.after(() => server.close());
  const response = await fetch(server.url);
  const policy = response.headers.get('content-security-policy');
  assert.match(policy, /^default-src 'none'; script-src 'self';/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  assert.doesNotMatch(await response.text(), /(src|href)="(https?:)?\/\//);
});

test('The vendored libraries are those that are listed, byte for byte', async () => {
  const versions = JSON.parse(await readFile(new URL('versions.json', vendor)));
  for (const { file, sha256 } of versions) {
    assert.equal(createHash('sha256').update(await readFile(new URL(file, vendor))).digest('hex'), sha256, file);
  }

  const others = (await readdir(vendor)).filter(file => !versions.some(entry => entry.file === file)).sort();
  assert.deepEqual(others, ['signalr.LICENSE.txt', 'uPlot.LICENSE.txt', 'versions.json']);
});

const focused = page => page.evaluate(() => document.activeElement.textContent);
