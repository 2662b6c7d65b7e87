// Resizes pretended pictures. Run it as often as you like: each message goes to one of them.
//   node worker.mjs [SERVER] [QUEUE]
import { setTimeout as pause } from 'node:timers/promises';
import { PushQueueClient } from 'pushqueue';

const [server = 'http://127.0.0.1:8080', queue = 'pictures'] = process.argv.slice(2);
const client = new PushQueueClient(server, { apiKey: process.env.PUSHQUEUE_KEY });
await client.changeSettings(queue, { policy: 'roundrobin', retryDelay: 'exponential:1s..5m' });

const worker = client.worker(queue, async ({ id, body }, signal) => {
  if (typeof body?.picture !== 'string') {
    throw new Error('There is no picture in it.');
  }

  await pause(body.ms ?? 10, undefined, { signal });
  console.log(`${id}: resized ${body.picture}`);
}, {
  concurrency: 4,
  name: `resizer-${process.pid}`,
  onConnect: () => console.log('working'),
  onError: (error, { id }) => console.error(`${id}: ${error.message}`),
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => worker.stop());
}

await worker.run();
console.log('done');
