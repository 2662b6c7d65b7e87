// Ships orders: a parcel for each. Run it as often as you like. The orders of one customer are worked on one at a time and in their order,
// because they have the customer as key. Dies on purpose at the worst moment: the parcel is put and the order is not yet acked.
//   node shipping.mjs SERVER SHOP
import { PushQueueClient, PushQueueError } from 'pushqueue';

const [server, shop] = process.argv.slice(2);
const client = new PushQueueClient(server.split(','), { apiKey: process.env.PUSHQUEUE_KEY });
process.stdin.resume().once('end', () => process.exit(0));      // ends with the program that started it

try {
  // Without grace what a dead worker held goes to another at once.
  for await (const message of client.consume(`${shop}.shipping`, { ack: 'manual', prefetch: 4, grace: 0 })) {
    const { number, customer } = message.body;

    // An order may come twice; its parcel under the order's own id is stored once.
    await client.put(`${shop}.parcels`, { kind: 'parcel', number, customer }, { id: `parcel-${number}`, key: customer });
    if (message.attempt === 1 && number % 30 === 0) {
      process.kill(process.pid, 'SIGKILL');
    }

    await message.ack();
  }
} catch (error) {
  // The shop closes by deleting its queues.
  if (!(error instanceof PushQueueError && error.type === 'queue-deleted')) {
    throw error;
  }
}

process.exit(0);
