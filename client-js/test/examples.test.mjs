import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PushQueueClient } from 'pushqueue';
import { assembly, Server } from './support/server.mjs';
import { until } from './support/until.mjs';

const client = join(dirname(fileURLToPath(import.meta.url)), '..');
const examples = join(client, '..', 'examples');
let server;
let folder;

before(async () => {
  server = await Server.start();
  folder = await mkdtemp(join(tmpdir(), 'pushqueue-example-'));
});
after(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

test('The tour by curl runs to its end and leaves nothing behind', async () => {
  const { stdout } = await promisify(execFile)('bash', [join(examples, 'curl', 'tour.sh'), server.url], { timeout: 120_000 });

  assert.match(stdout, /hello/);
  assert.match(stdout, /acked/);
  assert.match(stdout, /"body":"c"/);
  assert.match(stdout, /"code":"queue-deleted"/);
  for await (const { queue } of new PushQueueClient(server.url).queues()) {
    assert.fail(`${queue} is left.`);
  }
});

test('The ledger of the shop adds up, though its workers in .NET and Node kill themselves', async () => {
  const shop = join(folder, 'shop');
  await cp(join(examples, 'shop'), shop, { recursive: true, filter: path => !path.includes('node_modules') });
  await mkdir(join(shop, 'node_modules'));
  await symlink(client, join(shop, 'node_modules', 'pushqueue'));

  // The solution builds it in the configuration of the server.
  const output = dirname(assembly);
  const billing = join(output, '..', '..', 'ShopBilling', basename(output), 'ShopBilling.dll');
  const { stdout } = await promisify(execFile)(
    process.execPath, ['shop.mjs', '--server', server.url, '--billing', billing], { cwd: shop, timeout: 300_000 });

  assert.match(stdout, /^ordered +200 +(\d+\.\d\d)\nbilled +200 +\1\nshipped +200\naudited +600$/m);
  assert.match(stdout, /^Crashes: [1-9]\d* of billing \(\.NET\), [1-9]\d* of shipping \(Node\)\.\nThe ledger adds up\.$/m);
  for await (const { queue } of new PushQueueClient(server.url).queues()) {
    assert.ok(!queue.startsWith('shop-'), `${queue} is left.`);
  }
});

test('Map and reduce count right, though a mapper and a reducer are killed in the middle', async () => {
  const job = join(folder, 'mapreduce');
  const texts = join(folder, 'texts');
  await cp(join(examples, 'mapreduce'), job, { recursive: true, filter: path => !path.includes('node_modules') });
  await mkdir(join(job, 'node_modules'));
  await symlink(client, join(job, 'node_modules', 'pushqueue'));
  await mkdir(texts);
  for (const name of ['one', 'two']) {
    await writeFile(join(texts, name), Array.from({ length: 5000 }, (_, i) => `${name} line ${i % 97}\tGrüße  word${i % 13}`).join('\n'));
  }

  const { stdout } = await promisify(execFile)(
    process.execPath, ['mapreduce.mjs', '--server', server.url, '--folder', texts, '--kill'], { cwd: job, timeout: 300_000 });

  assert.match(stdout, /mapper\.mjs died \(SIGKILL\)/);
  assert.match(stdout, /reducer\.mjs died \(SIGKILL\)/);
  assert.match(stdout, /50000 words, 114 different ones; counted here: 50000 and 114. All agree\./);
  for await (const { queue } of new PushQueueClient(server.url).queues()) {
    assert.ok(!queue.startsWith('mapreduce-'), `${queue} is left.`);
  }
});

test('The worker works, gives back what fails, and ends what it has begun', async () => {
  await cp(join(examples, 'worker-node'), folder, { recursive: true, filter: path => !path.includes('node_modules') });
  await mkdir(join(folder, 'node_modules'));
  await symlink(client, join(folder, 'node_modules', 'pushqueue'));
  const queue = new PushQueueClient(server.url);
  const lines = [];
  const worker = spawn(process.execPath, ['worker.mjs', server.url, 'pictures'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [worker.stdout, worker.stderr]) {
    createInterface(stream).on('line', line => lines.push(line));
  }

  try {
    await until('it works', () => lines.includes('working'));
    await queue.put('pictures', { picture: 'cat.jpg' }, { id: 'good' });
    await queue.put('pictures', 'no picture', { id: 'bad' });
    await until('both were worked on', () => lines.includes('good: resized cat.jpg') && lines.includes('bad: There is no picture in it.'));
    await until('the bad one waits', async () => (await queue.find('pictures', 'bad')).lastError === 'There is no picture in it.');
    assert.equal((await queue.find('pictures', 'good')), null);
  } finally {
    const exit = once(worker, 'exit');
    worker.kill('SIGTERM');
    assert.deepEqual(await exit, [0, null], lines.join('\n'));
  }

  await until('its last words', () => lines.includes('done'));
});
