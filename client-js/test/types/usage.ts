// Compiled by a test, never run: each line marked must be an error.
import { PushQueueClient } from "pushqueue";

interface Order { order: number }

const client = new PushQueueClient<{ orders: Order }>("http://127.0.0.1:8080");

export async function use(): Promise<void> {
  await client.put("orders", { order: 1 }, { delay: "5m", priority: 9 });
  // @ts-expect-error the body is not an order
  await client.put("orders", { ordr: 1 });
  // @ts-expect-error there is no such queue
  await client.put("order", { order: 1 });
  // @ts-expect-error no such unit
  await client.put("orders", { order: 1 }, { delay: "5 minutes" });
  // @ts-expect-error priorities end at 9
  await client.put("orders", { order: 1 }, { priority: 10 });
  // @ts-expect-error no such option
  await client.take("orders", { ttr: "30s" });
  // @ts-expect-error no such policy
  await client.changeSettings("orders", { policy: "random" });

  for await (const message of client.consume("orders", { ack: "manual", ttr: "30s" })) {
    const order: number = message.body.order;
    await message.ack();
    // @ts-expect-error an order has no name
    console.log(order, message.body.name);
  }

  for await (const message of client.consume("orders", { from: "earliest" })) {
    // @ts-expect-error without manual ack there is nothing to ack
    await message.ack();
  }

  // @ts-expect-error a lease's time belongs to manual ack
  client.consume("orders", { ttr: "30s" });
  client.worker("orders", async (message, signal) => {
    await fetch(`http://127.0.0.1/${message.body.order}`, { signal });
  }, { concurrency: 2 });
  for await (const dead of client.deadLetters("orders")) {
    console.log(dead.body.order, dead.lastError);
  }

  await new PushQueueClient("http://127.0.0.1:8080").put("anything", { a: 1 });
}
