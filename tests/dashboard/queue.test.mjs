import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listen, putSteadily } from './support/consumers.mjs';
import { open } from './support/session.mjs';
import { until } from './support/server.mjs';

test('A message is put with options, found, looked at as JSON, text and bytes, and cancelled', async t => {
  const { server, browser, page, toQueue, tab, button, finish } = await open(t, { allow: [/status of 40[04]/] });
  await toQueue('orders', 'put');
  await page.getByLabel('Body').fill('{"big": 12345678901234567890, "list": [1, {"a": "ü"}]}');
  await page.getByLabel('Id', { exact: true }).fill('order/7');
  await page.getByLabel('Priority').fill('9');
  await page.getByLabel('Time to live').fill('1h');
  await button('Put message').click();
  await page.getByText('Message order/7 is stored').waitFor();
  await button('Put message').click();
  await page.getByText('exists already').waitFor();
  const [message] = (await server.json('q/orders/messages')).messages;
  assert.deepEqual([message.id, message.priority], ['order/7', 9]);
  await browser.screenshot('queue-put');

  await page.getByLabel('Priority').fill('12');
  await page.getByLabel('Id', { exact: true }).fill('');
  await button('Put message').click();
  await page.getByText("The option 'priority' is '12'").waitFor();
  await page.getByLabel('Priority').fill('');
  await page.getByLabel('Body').fill('{oops');
  await button('Put message').click();
  await page.getByText('The body is not JSON').waitFor();
  await page.getByLabel('Send as').selectOption('Bytes, as hex');
  await page.getByLabel('Body').fill('00 ff 41');
  await page.getByLabel('Delay', { exact: true }).fill('10m');
  await button('Put message').click();
  await page.getByText('Message 2 is stored').waitFor();
  await page.getByLabel('Send as').selectOption('Text');
  await page.getByLabel('Body').fill('copy');
  await page.getByLabel('Delay', { exact: true }).fill('');
  await page.getByLabel('Copies').fill('60');
  await button('Put message').click();
  await page.getByText('60 messages stored').waitFor();

  await tab('Messages');
  await button('order/7').click();
  const dialog = page.getByRole('dialog');
  assert.match(
    await dialog.locator('pre').textContent(),
    /\{\n {2}"big": 12345678901234567890,\n {2}"list": \[\n {4}1,\n {4}\{\n {6}"a": "ü"/,
  );
  await browser.screenshot('message');
  await dialog.getByRole('button', { name: 'Text' }).click();
  assert.equal(await dialog.locator('pre').textContent(), '{"big": 12345678901234567890, "list": [1, {"a": "ü"}]}');
  await dialog.getByRole('button', { name: 'Hex' }).click();
  assert.match(await dialog.locator('pre').textContent(), /^00000000 {2}7b 22 62 69 67 22 3a 20 {2}31 32/);
  await dialog.getByRole('button', { name: 'Copy body' }).click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /12345678901234567890/);
  await dialog.getByRole('button', { name: 'Cancel message' }).click();
  await until('it is cancelled', async () => (await server.info('orders')).ready === 60);

  await button('Next').click();
  await until('the second page has the rest', async () => await page.locator('table.messages tbody tr').count() === 10);
  await button('Delayed').click();
  await page.locator('table.messages').getByText('00 ff 41').waitFor();
  await page.getByPlaceholder('Message id').fill('2');
  await button('Find').click();
  assert.match(await dialog.locator('pre').textContent(), /00 ff 41/);
  await page.keyboard.press('Escape');
  await page.getByPlaceholder('Message id').fill('nowhere');
  await button('Find').click();
  await page.locator('.toast', { hasText: 'No live message of this queue has that id' }).waitFor();
  await button('Cancel message 2').click();
  await page.getByText('No message is delayed.').waitFor();
  await finish();
});

test('A message is put with a key and headers, which the list and the message show', async t => {
  const { server, browser, page, toQueue, tab, button, finish } = await open(t);
  await toQueue('orders', 'put');
  await page.getByLabel('Key', { exact: true }).fill('customer-7');
  await page.getByLabel('Headers').fill("Tenant: 7\nplace: Zürich\nodd: UTF-8''%20\nempty:");
  await button('Put message').click();
  await page.getByText('Message 1 is stored').waitFor();
  const [message] = (await server.json('q/orders/messages')).messages;
  assert.deepEqual(
    [message.key, message.headers],
    ['customer-7', { empty: '', odd: "UTF-8''%20", place: 'Zürich', tenant: '7' }]);
  await page.getByLabel('Copies').fill('2');
  await button('Put message').click();
  await page.getByText('2 messages stored').waitFor();
  assert.equal((await server.json('q/orders/messages')).messages[2].headers.place, 'Zürich');

  for (const [lines, sentence] of [['no colon', "'no colon' is not a header."], ['a: 1\nA: 2', "The header 'a' is given twice."]]) {
    await page.getByLabel('Headers').fill(lines);
    await button('Put message').click();
    await page.locator('.answer.problem', { hasText: sentence }).waitFor();
  }

  await tab('Messages');
  const row = page.locator('table.messages tbody tr').first();
  await page.getByRole('columnheader', { name: 'Key and headers' }).waitFor();
  assert.deepEqual(
    await row.locator('.labels .badge').allTextContents(),
    ['customer-7', 'empty: ', "odd: UTF-8''%20", 'place: Zürich', '1 more']);
  await browser.screenshot('queue-messages-labels');
  await button('1').click();
  await page.getByRole('dialog').locator('dd.headers', { hasText: 'tenant: 7' }).waitFor();
  assert.equal(await page.getByRole('dialog').locator('dd.key').textContent(), 'customer-7');
  await finish();
});

test('The list of messages has no column for keys and headers where no message has any', async t => {
  const { server, page, toQueue, finish } = await open(t);
  await server.put('plain');
  await toQueue('plain', 'messages');
  await page.locator('table.messages tbody tr').waitFor();
  assert.equal(await page.getByRole('columnheader', { name: 'Key and headers' }).isVisible(), false);
  await finish();
});

test('A queue is stopped and started, changes its policy and its settings, and what is wrong is said', async t => {
  const { server, browser, page, toQueue, tab, button, toast, finish } = await open(t, { allow: [/status of 400/] });
  await server.put('work');
  await toQueue('work');
  await button('Stop').click();
  await toast('is stopped');
  await button('Start').waitFor();
  assert.equal((await server.info('work')).status, 'stopped');
  await button('Start').click();
  await button('roundrobin').click();
  await page.locator('.segments [aria-pressed=true]', { hasText: 'roundrobin' }).waitFor();
  assert.deepEqual(Object.values(await server.json('p/work')), ['work', 'roundrobin']);

  await tab('Settings');
  await until(
    'the form shows what is set',
    async () => await page.locator('form.settings').getByLabel('Policy').inputValue() === 'roundrobin');
  await page.getByLabel('Retry delay').fill('exponential:1s..5m');
  await page.getByLabel('Message limit').fill('100');
  await page.getByLabel('History age').fill('2h');
  await page.getByLabel('Dead letters').selectOption('drop');
  await button('Save settings').click();
  await page.getByText('Saved.').waitFor();
  const settings = await server.json('q/work/settings');
  assert.deepEqual(
    [settings.retryDelay, settings.maxMessages, settings.history.age, settings.history.messages, settings.deadLetter],
    ['exponential:1s..5m', 100, '2h', 10000, false]);
  await page.getByLabel('Message limit').fill('');
  await page.getByLabel('Attempts').fill('0');
  await button('Save settings').click();
  await page.locator('.answer.problem', { hasText: 'maxAttempts' }).waitFor();
  await browser.screenshot('queue-settings');
  await page.getByLabel('Attempts').fill('3');
  await server.set('work', { ttr: '1m' });
  await until('a change from elsewhere is shown', async () => await page.getByLabel('Lease').inputValue() === '1m');
  assert.equal(await page.getByLabel('Attempts').inputValue(), '3');
  await button('Save settings').click();
  await page.getByText('Saved.').waitFor();
  const after = await server.json('q/work/settings');
  assert.deepEqual([after.ttr, after.maxAttempts, after.maxMessages], ['1m', 3, null]);
  await finish();
});

test('A queue is purged only after its name was typed, and keeps its settings and consumers', async t => {
  const { server, page, toQueue, button, figure, toast, finish } = await open(t);
  await server.set('full', { policy: 'roundrobin', status: 'stopped', ttr: '45s' });
  const consumer = await listen(server, 'full');
  await server.putMany('full', Array.from({ length: 1500 }, (_, number) => ({ number })));
  await server.put('full', 'later', '?delay=1h');
  await toQueue('full');
  await until('the figures are there', async () => await figure('Ready').textContent() === '1,500');
  await button('Purge').click();
  const go = button('Purge now');
  await page.getByRole('dialog').getByText('1,501 messages').waitFor();
  assert.equal(await go.isDisabled(), true);
  await page.getByLabel(/^Type/).fill('full');
  await go.click();
  await toast("'full' is purged: 1,501 messages removed.");
  await until(
    'the figures follow',
    async () => await figure('Ready').textContent() === '0' && await figure('Delayed').textContent() === '0');
  assert.deepEqual(
    await server.info('full').then(({ ready, delayed, policy, consumers }) => [ready, delayed, policy, consumers]),
    [0, 0, 'roundrobin', 1]);
  assert.equal((await server.json('q/full/settings')).ttr, '45s');
  await server.set('full', { status: 'started' });
  await server.put('full', 'next');
  await until('the consumer still listens', () => consumer.messages.length === 1 && consumer.messages[0].body === 'next');
  consumer.end();
  await finish();
});

test('A queue is deleted only after its name was typed', async t => {
  const { server, page, toQueue, button, toast, finish } = await open(t);
  await server.put('doomed');
  const consumer = await listen(server, 'other');
  await toQueue('doomed');
  await page.getByText('started').waitFor();
  await button('Delete').click();
  const go = button('Delete now');
  assert.equal(await go.isDisabled(), true);
  await page.getByLabel(/^Type/).fill('doome');
  assert.equal(await go.isDisabled(), true);
  await page.getByLabel(/^Type/).fill('doomed');
  await go.click();
  await toast('is deleted');
  assert.equal((await server.json('q')).total, 0);
  consumer.end();
  await finish();
});

test('Consumers are listed live and one of them is disconnected, told why', async t => {
  const { server, browser, page, toQueue, button, toast, finish } = await open(t);
  await server.set('jobs', { policy: 'roundrobin' });
  const worker = await listen(server, 'jobs', '?ack=manual&prefetch=4&worker=alice');
  const other = await listen(server, 'jobs', '?ack=manual&worker=bob');
  const puts = putSteadily(server, 'jobs', 30);
  other.onmessage = message => other.ack(message);
  await toQueue('jobs', 'consumers');
  const row = page.locator('table.consumers tbody tr').filter({ hasText: 'alice' });
  await row.locator('[data-label="In flight"]').filter({ hasText: '4' }).waitFor();
  assert.match(await row.textContent(), /websocket.*#\d+.*manual.*0 of 4/);
  await until('acks are counted', async () =>
    Number(await page.locator('table.consumers tbody tr').filter({ hasText: 'bob' }).locator('[data-label=Acked]').textContent()) > 3);
  await browser.screenshot('queue-consumers');
  await row.getByRole('button').click();
  await button('Disconnect').last().click();
  await toast('is disconnected');
  const closed = await worker.ended;
  assert.equal(closed.code, 4006);
  await row.waitFor({ state: 'detached' });
  await puts.stop();
  other.end();
  await finish();
});

test('The live tail shows messages and what becomes of them, and no consumer gets one less', async t => {
  const { server, browser, page, toQueue, button, finish } = await open(t);
  await server.set('jobs', { policy: 'roundrobin' });
  await toQueue('jobs', 'tail');
  await page.getByText('No message has passed yet.').waitFor();
  await server.fetch(
    'q/jobs?key=customer-7',
    { method: 'POST', body: '{"job":"one"}', headers: { 'Content-Type': 'application/json', 'PushQueue-Header-Tenant': '7' } });
  const line = page.locator('.tail li').filter({ hasText: '"one"' });
  await line.waitFor();
  assert.equal((await server.info('jobs')).ready, 1);
  const consumer = await listen(server, 'jobs', '?ack=manual&worker=w');
  consumer.onmessage = message => consumer.ack(message);
  await line.getByText('done').waitFor();
  assert.match(await line.locator('.trail').textContent(), /^putgiven to w #\d+done/);
  const puts = putSteadily(server, 'jobs', 10);
  await until('many are seen', async () => await page.locator('.tail li').count() > 50);
  await browser.screenshot('queue-tail');
  await button('Pause').click();
  await puts.stop();
  await until('the consumer got every one', async () => consumer.messages.length === (await server.info('jobs')).counters.put);
  await line.locator('button').click();
  assert.match(await page.getByRole('dialog').locator('pre').textContent(), /"job": "one"/);
  assert.equal(await page.getByRole('dialog').locator('dd.key').textContent(), 'customer-7');
  assert.equal(await page.getByRole('dialog').locator('dd.headers').textContent(), 'tenant: 7');
  await page.keyboard.press('Escape');
  await page.getByPlaceholder('Filter by id, key or body').fill('"one"');
  await until('filtered', async () => await page.locator('.tail li:visible').count() === 1);
  await button('Clear').click();
  assert.equal(await page.locator('.tail li').count(), 0);
  consumer.end();
  await finish();
});

test('Dead letters are shown with why, and replayed one by one or all at once', async t => {
  const { server, browser, page, toQueue, button, toast, finish } = await open(t);
  await server.set('mail', { policy: 'roundrobin', maxAttempts: 1 });
  await server.putMany('mail', ['first', 'second', 'third']);
  for (let i = 0; i < 3; i++) {
    const response = await fetch(`${server.url}/q/mail?ttr=30&worker=postman`);
    await server.fetch(
      `q/mail/messages/${response.headers.get('pushqueue-id')}/release`
        + `?receipt=${response.headers.get('pushqueue-receipt')}&error=no+such+street`,
      { method: 'POST' });
  }

  await toQueue('mail', 'dead');
  const row = page.locator('table.messages tbody tr').filter({ hasText: 'first' });
  assert.match(await row.textContent(), /max-attempts no such street1postman/);
  await browser.screenshot('queue-dead-letters');
  await button('Replay message 1').click();
  await toast("Message 1 is back in 'mail'");
  await until('one is back', async () => (await server.info('mail')).ready === 1);
  await page.locator('table.messages').getByRole('button', { name: '2', exact: true }).click();
  await page.getByText('from mail: max-attempts, 1 attempts').waitFor();
  await page.keyboard.press('Escape');
  await button('Replay all').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Replay all' }).click();
  await toast("2 messages back in 'mail'");
  await page.getByText('No dead letters.').waitFor();
  assert.equal((await server.info('mail')).ready, 3);
  await finish();
});

test('The put form keeps its input while another tab is shown, and Ctrl+Enter puts', async t => {
  const { server, page, toQueue, tab, finish } = await open(t);
  await toQueue('orders', 'put');
  const body = page.getByLabel('Body');
  await body.fill('first');
  await page.getByLabel('Send as').selectOption('Text');
  await page.getByLabel('Priority').fill('7');
  await tab('Live tail');
  await page.getByPlaceholder('Filter by id, key or body').waitFor();
  await tab('Put');
  assert.deepEqual(
    [
      await body.inputValue(),
      await page.getByLabel('Send as').inputValue(),
      await page.getByLabel('Priority').inputValue()
    ], ['first', 'text/plain', '7']);
  await body.press('Control+Enter');
  await page.getByText('Message 1 is stored').waitFor();
  const [message] = (await server.json('q/orders/messages')).messages;
  assert.deepEqual([message.start ?? message.body, message.priority], ['first', 7]);
  await finish();
});

test('A queue that does not exist says so, and offers nothing that needs it', async t => {
  const { server, page, toQueue, button, finish } = await open(t);
  await toQueue('nowhere');
  await page.locator('.badge', { hasText: 'does not exist' }).waitFor();
  await page.getByText('This queue does not exist yet').waitFor();
  for (const name of ['Purge', 'Delete']) {
    assert.equal(await button(name).isVisible(), false, name);
  }

  assert.equal(await page.locator('.chart').isVisible(), false);
  await server.put('nowhere');
  await page.locator('.badge', { hasText: 'started' }).waitFor();
  await button('Purge').waitFor();
  await page.locator('.chart canvas').waitFor();
  await server.fetch('q/nowhere', { method: 'DELETE' });
  await page.locator('.badge', { hasText: 'does not exist' }).waitFor();
  await button('Purge').waitFor({ state: 'hidden' });
  await finish();
});

test('A setting that the server refuses is marked by the name of its field', async t => {
  const { page, toQueue, button, finish } = await open(t, { allow: [/status of 400/] });
  await toQueue('work', 'settings');
  for (
    const [label, value, setting] of [
      ['Lease', 'soon', 'ttr'],
      ['Retry delay', 'never', 'retryDelay'],
      ['History age', 'x', 'history.age']
    ]) {
    const field = page.getByLabel(label, { exact: true });
    const before = await field.inputValue();
    await field.fill(value);
    await button('Save settings').click();
    await page.locator('.answer.problem', { hasText: `${label}: ` }).filter({ hasText: `'${setting}'` }).waitFor();
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    assert.equal(await page.locator('form.settings [aria-invalid]').count(), 1);
    await field.fill(before);
  }

  await finish();
});

test('The column with the time has the head that belongs to the state', async t => {
  const { server, page, toQueue, button, finish } = await open(t);
  await server.set('jobs', { policy: 'roundrobin' });
  await server.putMany('jobs', [1, 2]);
  await server.put('jobs', 'later', '?delay=1h');
  await server.fetch('q/jobs?ttr=300');
  await toQueue('jobs');
  for (const [state, head] of [['Ready', 'Put'], ['Delayed', 'Due'], ['In flight', 'Leased until']]) {
    await button(state).click();
    await page.getByRole('columnheader', { name: head, exact: true }).waitFor();
    await page.locator(`table.messages tbody [data-label="${head}"] time`).waitFor();
  }

  const consumer = await listen(server, 'news');
  await server.put('news', 'broadcast');
  await toQueue('news');
  await button('History').click();
  await page.getByRole('cell', { name: 'broadcast', exact: true }).waitFor();
  await button('1').click();
  await page.getByRole('dialog').getByText('broadcast').first().waitFor();
  consumer.end();
  await finish();
});

test('Credit is shown for roundrobin, where it bounds a consumer, and not for broadcast', async t => {
  const { server, page, toQueue, finish } = await open(t);
  const consumer = await listen(server, 'news');
  await toQueue('news', 'consumers');
  const credit = page.locator('table.consumers tbody [data-label=Credit]');
  await until('no credit', async () => await credit.textContent() === '–');
  assert.equal(await credit.locator('meter').isVisible(), false);
  await server.set('news', { policy: 'roundrobin' });
  await until('credit', async () => /^\d+ of \d+$/.test(await credit.textContent()));
  consumer.end();
  await finish();
});
