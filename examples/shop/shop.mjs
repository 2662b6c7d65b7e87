// A shop: orders go through billing (.NET), shipping (Node, in order per customer) and an audit of everything. Workers crash on purpose. In
// the end a ledger compares what was ordered with what was billed, shipped and audited. Exit code 1 when anything disagrees.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { PushQueueClient } from 'pushqueue';
import { report } from './ledger.mjs';

const { values: options } = parseArgs({
  options: {
    server: { type: 'string', default: 'http://127.0.0.1:8080' },
    orders: { type: 'string', default: '200' },
    customers: { type: 'string', default: '10' },
    // The billing worker, built already; without it, it is built first.
    billing: { type: 'string' },
  },
});
const here = dirname(fileURLToPath(import.meta.url));
const shop = `shop-${process.pid}-${Date.now()}`;
const [orders, billing, shipping, audit, invoices, parcels] =
  ['orders', 'billing', 'shipping', 'audit', 'invoices', 'parcels'].map(name => `${shop}.${name}`);
const client = new PushQueueClient(options.server.split(','), { apiKey: process.env.PUSHQUEUE_KEY });
const ordersPerPut = 20;
const stallMs = 60_000;
const crashes = { billing: 0, shipping: 0 };
const workers = new Set();
let isClosed = false;

/** Starts a worker; where it dies, another takes its place. */
function start(name, command, ...parameters) {
  const worker = spawn(command, [...parameters, options.server, shop], { stdio: ['pipe', 'inherit', 'inherit'] });
  workers.add(worker);
  worker.once('exit', (code, signal) => {
    workers.delete(worker);
    if (code !== 0 && !isClosed) {
      crashes[name]++;
      start(name, command, ...parameters);
    }
  });
}

async function build() {
  const { stdout } = await promisify(execFile)(
    'dotnet', ['build', join(here, 'Billing'), '-c', 'Release', '-v', 'quiet', '-t:Build', '-getProperty:TargetPath']);
  return stdout.trim();
}

/** Each service has a queue of its own, which subscribes to what it needs. The shop puts an order once. */
async function open() {
  const work = { policy: 'roundrobin', maxAttempts: 100 };
  await client.changeSettings(invoices, work);
  await client.changeSettings(parcels, work);
  await client.changeSettings(billing, { ...work, subscriptions: [orders] });
  await client.changeSettings(shipping, { ...work, subscriptions: [orders], keyInFlight: 1 });
  await client.changeSettings(audit, { ...work, subscriptions: [`${shop}.*`] });
}

/** Puts all orders. Orders of one customer have one key, so they are shipped in their order. */
async function order() {
  const all = Array.from({ length: Number(options.orders) }, (_, i) => ({
    number: i + 1, customer: `customer-${1 + (i % Number(options.customers))}`, cents: 100 + (i * 37) % 9900,
  }));
  for (let i = 0; i < all.length; i += ordersPerPut) {
    await client.putItems(
      orders, all.slice(i, i + ordersPerPut).map(body => ({ body, id: `order-${body.number}`, key: body.customer })));
  }

  return all;
}

/** Waits until all is billed and shipped, and every worker has acked; gives up when nothing moves any more. */
async function untilDone(count) {
  for (let moved = Date.now(), last = ''; Date.now() - moved < stallMs;) {
    const [billed, shipped, toBill, toShip] = await Promise.all([invoices, parcels, billing, shipping].map(queue => client.queue(queue)));
    const left = toBill.ready + toBill.leased + toBill.delayed + toShip.ready + toShip.leased + toShip.delayed;
    if (billed.ready >= count && shipped.ready >= count && left === 0) {
      return;
    }

    const now = `${billed.ready} ${shipped.ready} ${left}`;
    [moved, last] = now === last ? [moved, last] : [Date.now(), now];
    await pause(50);
  }

  throw new Error(`nothing moved for ${stallMs / 1000} s.`);
}

/** All bodies of a queue, in its order. */
async function readAll(queue) {
  const bodies = [];
  for (let part; (part = await client.takeMany(queue, { count: 1000 })).length > 0;) {
    bodies.push(...part.map(({ body }) => body));
  }

  return bodies;
}

/** Deletes the queues, which ends the workers, and waits for them. */
async function close() {
  isClosed = true;
  await deleteQueues();
  await Promise.all([...workers].map(worker => {
    worker.stdin.end();
    return worker.exitCode === null && worker.signalCode === null ? once(worker, 'exit') : undefined;
  }));

  // A worker that was just starting made its queue again.
  await deleteQueues();
}

async function deleteQueues() {
  for (const queue of [orders, billing, shipping, audit, invoices, parcels]) {
    await client.deleteQueue(queue);
  }
}

try {
  const assembly = options.billing ?? await build();
  await open();
  for (let i = 0; i < 2; i++) {
    start('billing', 'dotnet', assembly);
    start('shipping', process.execPath, join(here, 'shipping.mjs'));
  }

  const ordered = await order();
  await untilDone(ordered.length);
  const dead = [];
  for await (const { queue, ready } of client.queues()) {
    if (queue.startsWith(`${shop}.`) && queue.endsWith('.dead') && ready > 0) {
      dead.push(queue);
    }
  }

  const agrees = report({
    ordered, crashes, dead, invoices: await readAll(invoices), parcels: await readAll(parcels), audit: await readAll(audit),
  });
  process.exitCode = agrees ? 0 : 1;
} catch (error) {
  console.error(`shop: ${error.message}`);
  process.exitCode = 1;
} finally {
  await close();
}
