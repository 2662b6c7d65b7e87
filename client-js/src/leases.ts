import type { Http, Query } from "./http.js";
import type { LeaseOwner, Received } from "./message.js";
import type { LeaseKey, ReleaseOptions, TouchOptions } from "./types.js";
import { PushQueueError } from "./errors.js";

interface Waiting {
  key: LeaseKey;
  done(acked: boolean): void;
  fail(error: unknown): void;
}

interface Settled {
  results: { ok?: boolean; error?: string }[];
  repeated: boolean;
}

const perRequest = 1000;

// As much as the server keeps.
const errorCharsMax = 1000;

// A request line has 8 KiB in most servers; the queue's name and the id may take 1.5 KiB of them.
const errorEscapedCharsMax = 4096;

// About 40 s: a server that restarts should cost no work that is done.
const settleAttempts = 10;

/**
 * Settles leases over HTTP, so that an ack does not depend on the connection that brought the message. While one request of acks is under
 * way the next ones gather and go together: batches appear by themselves and add no delay.
 */
export class Leases implements LeaseOwner {
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #sending = new Map<string, Promise<void>>();

  constructor(private readonly http: Http, private readonly onSettled: (message: Received) => void = () => {}) {}

  async ack(message: Received, signal?: AbortSignal): Promise<boolean> {
    // Under broadcast there is no lease, and nothing to ack.
    return message.receipt === undefined || this.#settled(message, await this.ackKey(message, signal));
  }

  async release(message: Received, options: ReleaseOptions = {}): Promise<boolean> {
    return message.receipt === undefined || this.#settled(message, await this.releaseKey(message, options));
  }

  async touch(message: Received, options: TouchOptions = {}): Promise<boolean> {
    if (message.receipt === undefined || await this.touchKey(message, options)) {
      return true;
    }

    return this.#settled(message, false);
  }

  ackKey(key: LeaseKey, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const aborted = () => reject(signal!.reason);
      signal?.addEventListener("abort", aborted, { once: true });
      const forget = () => signal?.removeEventListener("abort", aborted);
      const waiting = this.#waiting.get(key.queue) ?? [];
      this.#waiting.set(key.queue, waiting);
      waiting.push({ key, done: acked => { forget(); resolve(acked); }, fail: error => { forget(); reject(error); } });
      if (!this.#sending.has(key.queue)) {
        this.#sending.set(key.queue, this.#sendAll(key.queue));
      }
    });
  }

  releaseKey(key: LeaseKey, { signal, ...query }: ReleaseOptions): Promise<boolean> {
    return this.#one(key, "release", { ...query, error: shortened(query.error) }, signal);
  }

  touchKey(key: LeaseKey, { signal, ttr }: TouchOptions): Promise<boolean> {
    return this.#one(key, "touch", { ttr }, signal);
  }

  /** Gives many of one queue back; those whose lease is lost belong to others. */
  async releaseMany(
    queue: string, keys: LeaseKey[], query: { unstarted: boolean } | { error: string }, signal: AbortSignal): Promise<void> {
    if (keys.length > 0) {
      await this.http.json(
        `/q/${encodeURIComponent(queue)}/release`, { method: "POST", query, signal, repeatable: true, ...keysBody(keys) });
    }
  }

  /** Ends a consumer, wherever its stream is. The messages that it held go back; those that it had started count as failed attempts. */
  async leave(base: string, queue: string, token: string, started: LeaseKey[], signal: AbortSignal): Promise<void> {
    await this.http.json(`/q/${encodeURIComponent(queue)}/leave`, {
      base, method: "POST", query: { consumer: token }, signal, repeatable: true, ...keysBody(started),
    });
  }

  /** Completes when no ack is under way any more. */
  async drained(): Promise<void> {
    await Promise.all(this.#sending.values());
  }

  async #one(key: LeaseKey, verb: string, query: Query, signal?: AbortSignal): Promise<boolean> {
    let repeated = false;
    try {
      await this.http.json(`/q/${encodeURIComponent(key.queue)}/messages/${encodeURIComponent(key.id)}/${verb}`, {
        method: "POST", query: { receipt: key.receipt, ...query }, signal, repeatable: true, attempts: settleAttempts,
        onRepeat: () => { repeated = true; },
      });
      return true;
    } catch (error) {
      if (error instanceof PushQueueError && (error.type === "lease-lost" || error.type === "not-found")) {
        // A release that was done and repeated finds its receipt gone.
        return repeated && verb === "release";
      }

      throw error;
    }
  }

  async #sendAll(queue: string): Promise<void> {
    // Acks of the same turn go in the same request.
    await Promise.resolve();
    for (let waiting = this.#waiting.get(queue)!; waiting.length > 0;) {
      const batch = waiting.splice(0, perRequest);
      try {
        const { results, repeated } = await this.#send(queue, batch.map(({ key }) => key));

        // Gone after a request whose answer was lost: that one has done it.
        batch.forEach(({ done }, i) => done(results[i]!.ok === true || (repeated && results[i]!.error === "not-found")));
      } catch (error) {
        batch.forEach(({ fail }) => fail(error));
      }
    }

    this.#waiting.delete(queue);
    this.#sending.delete(queue);
  }

  async #send(queue: string, keys: LeaseKey[]): Promise<Settled> {
    let repeated = false;
    const { results } = await this.http.json<Settled>(`/q/${encodeURIComponent(queue)}/ack`, {
      method: "POST", repeatable: true, attempts: settleAttempts, onRepeat: () => { repeated = true; }, ...keysBody(keys),
    });
    return { results, repeated };
  }

  #settled(message: Received, done: boolean): boolean {
    message.settle(done);
    this.onSettled(message);
    return done;
  }
}

/** As much of an error as the server keeps and as a request line has room for, without cutting a character. */
function shortened(error: string | undefined): string | undefined {
  let length = 0;
  let escapedLength = 0;
  for (const character of error ?? "") {
    // Half of a surrogate pair goes as U+FFFD, which is as long.
    escapedLength += character < "\u0080" ? 3 : character.length === 2 ? 12 : 9;
    if (length + character.length > errorCharsMax || escapedLength > errorEscapedCharsMax) {
      break;
    }

    length += character.length;
  }

  return error?.slice(0, length);
}

function keysBody(keys: LeaseKey[]): { body: string; contentType: string } {
  return { body: JSON.stringify(keys.map(({ id, receipt }) => ({ id, receipt }))), contentType: "application/json" };
}
