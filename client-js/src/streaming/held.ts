import type { Received } from "../message.js";

/**
 * The messages that this program holds by leases of one stream. A server that takes the stream up again sends them once more under the same
 * receipts; the program has them already.
 */
export class Held {
  readonly #held = new Map<string, Received>();

  /** False where the program has this message by this very lease. */
  add(message: Received): boolean {
    const former = this.#held.get(message.id);
    if (former?.receipt === message.receipt) {
      return false;
    }

    former?.end("The lease ended; the message came again.");
    this.#held.set(message.id, message);
    return true;
  }

  remove(message: Received): void {
    if (this.#held.get(message.id) === message) {
      this.#held.delete(message.id);
    }
  }

  /** The leases whose work the program has begun and not settled. */
  started(): Received[] {
    return [...this.#held.values()].filter(({ started }) => started);
  }

  /** The leases whose messages the program has not got, and will not get. */
  takeUnstarted(why: string): Received[] {
    const unstarted = [...this.#held.values()].filter(({ started }) => !started);
    unstarted.forEach(({ id }) => this.end(id, why));
    return unstarted;
  }

  end(id: string, why: string): void {
    this.#held.get(id)?.end(why);
    this.#held.delete(id);
  }

  endAll(why: string): void {
    for (const id of [...this.#held.keys()]) {
      this.end(id, why);
    }
  }
}
