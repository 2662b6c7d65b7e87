import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listen, putSteadily } from './support/consumers.mjs';
import { open } from './support/session.mjs';
import { until } from './support/server.mjs';

const names = page => page.locator('table.queues tbody th a').allTextContents();

test('The overview is live: rows, sums and sparklines follow the messages', async t => {
  const { server, browser, page, go, figure, finish } = await open(t);
  await server.putMany('waiting', Array.from({ length: 1234 }, (_, i) => i));
  await server.put('waiting', 'later', '?delay=1h');
  await server.set('still', { status: 'stopped' });
  const consumer = await listen(server, 'busy');
  const puts = putSteadily(server, 'busy', 50);
  await go();

  const row = name => page.locator('table.queues tbody tr').filter({ has: page.getByRole('link', { name, exact: true }) });
  await row('waiting').locator('[data-label=Ready]').filter({ hasText: '1,234' }).waitFor();
  assert.equal(await row('waiting').locator('[data-label=Delayed]').textContent(), '1');
  assert.match(await row('waiting').locator('[data-label=Oldest]').textContent(), /\d+ s/);
  assert.match(await row('still').locator('th').textContent(), /broadcast.*stopped/);
  assert.equal(await row('busy').locator('[data-label=Consumers]').textContent(), '1');
  await until('the rates are shown', async () => Number(await row('busy').locator('[data-label="In/s"]').textContent()) > 1);
  const before = await row('busy').locator('.spark-in').getAttribute('d');
  await until('the sparkline moves', async () => await row('busy').locator('.spark-in').getAttribute('d') !== before);
  assert.equal(await figure('Queues').textContent(), '3');
  assert.equal(await figure('Ready').textContent(), '1,234');

  await server.put('made-just-now');
  await row('made-just-now').waitFor();
  await browser.screenshot('overview');
  await server.fetch('q/made-just-now', { method: 'DELETE' });
  await row('made-just-now').waitFor({ state: 'detached' });
  await puts.stop();
  consumer.end();
  await finish();
});

test('Queues are sorted, filtered and chosen, and the view is there again after a look at one of them', async t => {
  const { server, page, go, button, finish } = await open(t);
  for (const [name, count] of [['alpha', 1], ['beta', 3], ['gamma', 2]]) {
    await server.putMany(name, new Array(count).fill(1));
  }

  await server.set('alpha', { status: 'stopped' });
  await go();
  await until('sorted by name', async () => (await names(page)).join() === 'alpha,beta,gamma');
  await button('Ready').click();
  await until('sorted by ready messages', async () => (await names(page)).join() === 'beta,gamma,alpha');
  assert.equal(await page.getByRole('columnheader', { name: 'Ready' }).getAttribute('aria-sort'), 'descending');
  await page.keyboard.press('/');
  await page.keyboard.type('A');
  await page.getByRole('searchbox').fill('AMM');
  await until('filtered', async () => (await names(page)).join() === 'gamma');
  await page.getByRole('link', { name: 'gamma' }).click();
  await page.getByRole('heading', { name: 'gamma' }).waitFor();
  await page.getByRole('link', { name: 'All queues' }).click();
  await until('still filtered', async () => (await names(page)).join() === 'gamma');
  await page.getByRole('searchbox').fill('');
  await button('Stopped').click();
  await until('only the stopped one', async () => (await names(page)).join() === 'alpha');
  await button('Busy').click();
  await button('All').click();
  await until('all again', async () => (await names(page)).length === 3);
  await finish();
});

test('On a phone queues are sorted by a list of columns', async t => {
  const { server, page, go, finish } = await open(t, { width: 390, height: 844 });
  await server.putMany('alpha', [1]);
  await server.putMany('beta', [1, 2]);
  await go();
  await until('sorted by name', async () => (await names(page)).join() === 'alpha,beta');
  await page.getByLabel('Sort by').selectOption('Ready');
  await until('sorted by ready messages', async () => (await names(page)).join() === 'beta,alpha');
  await finish();
});

test('An empty server says how to begin, and a new queue begins with its first message', async t => {
  const { server, browser, page, go, button, finish } = await open(t);
  await go();
  await page.getByText('No queue yet').waitFor();
  assert.match(await page.locator('.empty pre').textContent(), new RegExp(`curl -d value=hello ${server.url}/q/test`));
  await browser.screenshot('overview-empty');
  await button('New queue').click();
  await page.getByLabel('Name', { exact: true }).fill('größe 1');
  await button('Continue').click();
  await page.getByText('does not exist yet').waitFor();
  await button('Put message').click();
  await page.getByText('Message 1 is stored (synced).').waitFor();
  assert.equal((await server.info('größe 1')).ready, 1);
  await finish();
});

test('A name that no queue can have is refused in the dialog', async t => {
  const { page, go, button, finish } = await open(t);
  await go();
  await button('New queue').click();
  const name = page.getByLabel('Name', { exact: true });
  const dialog = page.getByRole('dialog');
  for (const [text, sentence] of [
    ['', 'Give a name'], ['a/b', "cannot contain '/'"], ['..', 'Choose another name'], [
      'ü'.repeat(128),
      'The name is 256 bytes long; the limit is 255.'
    ],
  ]) {
    await name.fill(text);
    await button('Continue').click();
    await dialog.getByRole('alert').getByText(sentence).waitFor();
    assert.equal(await name.getAttribute('aria-invalid'), 'true');
  }

  await name.fill('a.b');
  await button('Continue').click();
  await page.getByRole('heading', { name: 'a.b' }).waitFor();
  await finish();
});

test('Dead letters are not counted as ready, and a queue that requests empty is not one that nobody listens to', async t => {
  const { server, page, go, button, figure, finish } = await open(t);
  await server.set('mail', { policy: 'roundrobin', maxAttempts: 1 });
  await server.putMany('mail', [1, 2, 3]);
  const lease = async () => (await fetch(`${server.url}/q/mail?ttr=30`)).headers;
  const first = await lease();
  await server.fetch(`q/mail/messages/${first.get('pushqueue-id')}/release?receipt=${first.get('pushqueue-receipt')}`, { method: 'POST' });
  await lease();
  await server.put('alone');
  await go();
  await until('one is dead', async () => await figure('Dead letters').textContent() === '1');
  assert.equal(await figure('Ready').textContent(), '2');
  await button('Nobody listens').click();
  await until('only the queue without any consumer', async () => (await names(page)).join() === 'alone');
  await finish();
});

test('Of five thousand queues the page holds fifty, and an update rebuilds none of them', async t => {
  const { server, browser, page, go, button, figure, finish } = await open(t, { server: ['--durability', 'memory'] });
  for (let begin = 0; begin < 5000; begin += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, i) => server.put(`queue-${String(begin + i).padStart(4, '0')}`)));
  }

  const puts = putSteadily(server, 'queue-4999', 20);
  await go();
  await until('all are counted', async () => await figure('Queues').textContent() === '5,000');
  assert.equal((await names(page)).length, 50);
  await until('rates of the one that is busy are shown', async () => await figure('In per second').textContent() !== '0', 60_000);
  await button('Ready').click();
  await until('the busiest is first', async () => (await names(page))[0] === 'queue-4999');
  await button('Next').click();
  await page.getByText('51–100 of 5,000 queues').waitFor();
  await page.getByRole('searchbox').fill('queue-42');
  await page.getByText('1–50 of 100 queues').waitFor();

  // Three updates, each with figures of a busy queue that is not on this page of the list.
  const touched = await page.evaluate(() => new Promise(resolve => {
    const changes = { ofSums: 0, ofRows: 0 };
    new MutationObserver(found => changes.ofRows += found.length).observe(document.querySelector('tbody'), { childList: true });
    new MutationObserver(() => ++changes.ofSums === 3 && resolve(changes)).observe(
      document.querySelector('.sums'), { subtree: true, childList: true, characterData: true });
  }));
  assert.equal(touched.ofRows, 0, 'an update moves and rebuilds no row');
  await page.getByRole('searchbox').fill('');
  await page.getByText('of 5,000 queues').waitFor();
  await browser.screenshot('overview-5000-queues');
  await puts.stop();
  await finish();
});
