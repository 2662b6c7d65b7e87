// Sums up its share of the counts. It acks nothing before its result is stored: if it dies, the next one gets all of it again.
//   node reducer.mjs SERVER JOB REDUCERS NUMBER PARTS
import { PushQueueClient } from 'pushqueue';
import { add, queuesOf } from './job.mjs';

const [server, job, reducers, number, parts] = process.argv.slice(2);
const queues = queuesOf(job, Number(reducers));
const client = new PushQueueClient(server.split(','), { apiKey: process.env.PUSHQUEUE_KEY });

const held = new Map();
for await (const message of client.consume(queues.counts[Number(number)], { ack: 'manual', prefetch: Number(parts), grace: 0 })) {
  // One that comes again, after a break, takes the place of the one before.
  held.set(message.id, message);
  if (held.size === Number(parts)) {
    const sums = new Map();
    for (const { body } of held.values()) {
      add(sums, body);
    }

    await client.put(queues.results, [...sums], { id: number });
    await Promise.all([...held.values()].map(message => message.ack()));
    break;
  }
}
