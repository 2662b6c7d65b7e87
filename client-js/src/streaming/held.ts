import type { Received } from "../message.js";

/**
 * The messages that this program holds by leases of one stream. A server that takes the stream up again sends them once more under the same
 * receipts; the program has them already.
 */
export class Held {
  readonly #held = new Map<string, Received>();

  /** False where the program has this message by this very lease. */
  add(message: Received): boolean {
    const former = this.#held.get(key(message));
    if (former?.receipt === message.receipt) {
      return false;
    }

    former?.end("The lease ended; the message came again.");
    this.#held.set(key(message), message);
    return true;
  }

  remove(message: Received): void {
    if (this.#held.get(key(message)) === message) {
      this.#held.delete(key(message));
    }
  }

  /** The leases whose work the program has begun and not settled. */
  started(): Received[] {
    return [...this.#held.values()].filter(({ started }) => started);
  }

  /** The leases whose messages the program has not got, and will not get. */
  takeUnstarted(why: string): Received[] {
    const unstarted = [...this.#held.values()].filter(({ started }) => !started);
    unstarted.forEach(({ queue, id }) => this.end(queue, id, why));
    return unstarted;
  }

  end(queue: string, id: string, why: string): void {
    this.#held.get(key({ queue, id }))?.end(why);
    this.#held.delete(key({ queue, id }));
  }

  endAll(why: string): void {
    for (const { queue, id } of [...this.#held.values()]) {
      this.end(queue, id, why);
    }
  }
}

/** A stream may be over many queues, whose ids are their own. No name of a queue contains a line end. */
function key({ queue, id }: { queue: string; id: string }): string {
  return `${queue}\n${id}`;
}
