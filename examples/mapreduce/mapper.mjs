// Takes parts of the text, counts their words, and sends each reducer its share of the counts.
//   node mapper.mjs SERVER JOB REDUCERS
import { PushQueueClient } from 'pushqueue';
import { add, queuesOf, reducerOf, wordsOf } from './job.mjs';

const [server, job, reducers] = process.argv.slice(2);
const queues = queuesOf(job, Number(reducers));
const client = new PushQueueClient(server.split(','), { apiKey: process.env.PUSHQUEUE_KEY });

const worker = client.worker(queues.texts, async ({ id, body }) => {
  const shares = queues.counts.map(() => new Map());
  for (const word of wordsOf(body)) {
    add(shares[reducerOf(word, shares.length)], [[word, 1]]);
  }

  // A part may come twice, when a mapper dies after this and before its ack; counts under the part's own id are stored once.
  await Promise.all(shares.map((share, i) => client.put(queues.counts[i], [...share], { id })));
}, { concurrency: 4, grace: 0 });

process.once('SIGTERM', () => worker.stop());
await worker.run();
