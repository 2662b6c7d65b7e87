import type { Duration } from "./duration.js";
import { milliseconds } from "./duration.js";
import { PushQueueError } from "./errors.js";
import type { LeasedMessage, Received } from "./message.js";
import type { ManualConsumeOptions, MessageStream } from "./streaming/options.js";
import { after, every } from "./waiting.js";

/**
 * Does the work. To return is to ack, to throw is to release with the error's message. The signal: the message is lost, or the worker must
 * stop now.
 */
export type Handler<T> = (message: LeasedMessage<T>, signal: AbortSignal) => unknown;

export interface WorkerOptions extends Omit<ManualConsumeOptions,
  "ack" | "signal" | "from" | "overflow" | "worker" | "policy" | "waitForServer"> {
  /** How many messages are worked on at once. Default 1. */
  concurrency?: number;
  /** The worker's name, as the server lists it. */
  name?: string;
  /**
   * The wait before a failed message is delivered again. Default: the `retryDelay` of the message or of the queue; where both have none,
   * one second after the first attempt, doubling up to a minute.
   */
  retryDelay?: Duration;
  /**
   * When the worker is to stop: how long work that has begun may take. Then its signal is aborted, and it is given back when it heeds that.
   * Default 30 s.
   */
  drainTimeout?: Duration;
  /** Called when a handler threw, and when a message could not be acked or given back (it then comes again). */
  onError?: (error: unknown, message: LeasedMessage) => void;
}

/**
 * Works on the messages of a roundrobin queue. Made by `client.worker`. A message may come a second time, when the ack of the first was
 * lost.
 */
export class Worker<T = unknown> {
  readonly #stop = new AbortController();
  readonly #now = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #options: WorkerOptions;

  /** @internal */
  constructor(
    private readonly open: (options: ManualConsumeOptions) => MessageStream<LeasedMessage<any>>,
    private readonly queue: string, private readonly handle: Handler<T>, options: WorkerOptions = {},
  ) {
    this.#options = options;
    const { concurrency = 1 } = options;
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      throw new RangeError("concurrency must be a whole number of at least 1.");
    }
  }

  /**
   * Works until {@link stop} is called or the signal is aborted, and then completes when what has begun is done. A server that cannot be
   * reached is waited for; `onDisconnect` reports it. Throws where the server refuses, and where the queue is deleted (`queue-deleted`).
   */
  async run({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const stop = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal;
    const { concurrency = 1, name, drainTimeout = "30s", retryDelay: _, onError: __, prefetch = concurrency, ...options } = this.#options;
    const messages = this.open({
      ...options, ack: "manual", policy: "roundrobin", waitForServer: true, prefetch: Math.max(prefetch, concurrency),
      ...name !== undefined && { worker: name },
    })[Symbol.asyncIterator]();
    try {
      for (;;) {
        if (this.#running.size >= concurrency && await unlessAborted(stop, Promise.race(this.#running)) === aborted) {
          break;
        }

        if (stop.aborted) {
          break;
        }

        const next = messages.next();
        const came = await unlessAborted(stop, next);
        if (came === aborted) {
          // A message that comes now is not begun.
          next.then(({ value }) => { if (value) { (value as unknown as Received).started = false; } }, () => {});
          break;
        }

        if (came.done) {
          break;
        }

        this.#begin(came.value as LeasedMessage<T>);
      }
    } catch (error) {
      throw error instanceof PushQueueError && error.type === "wrong-policy" ? this.#notRoundRobin() : error;
    } finally {
      // The stream stands while work that has begun is ended: its connection keeps the leases alive.
      await this.#drain(milliseconds(drainTimeout));
      await messages.return();
    }
  }

  /** Takes no more messages; {@link run} completes when what has begun is done. */
  stop(): void {
    this.#stop.abort();
  }

  #notRoundRobin(): PushQueueError {
    return new PushQueueError(
      "not-roundrobin", `The queue '${this.queue}' broadcasts; a worker needs its policy to be roundrobin: `
      + `changeSettings("${this.queue}", { policy: "roundrobin" }).`);
  }

  #begin(message: LeasedMessage<T>): void {
    if (message.receipt === undefined) {
      throw this.#notRoundRobin();
    }

    const work = this.#work(message).finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  async #work(message: LeasedMessage<T>): Promise<void> {
    const { ttr, retryDelay, onError, name } = this.#options;
    const touching = ttr === undefined ? undefined : every(milliseconds(ttr) / 3, () => {
      // A touch that fails is tried again before the lease ends; one that finds it lost aborts the message's signal.
      message.touch({ ttr }).catch(() => {});
    });
    try {
      let failure: { error: unknown } | undefined;
      try {
        await this.handle(message, AbortSignal.any([message.signal, this.#now.signal]));
      } catch (error) {
        failure = { error };
        onError?.(error, message);
      }

      touching?.();
      if (!(message as unknown as { settled: boolean }).settled) {
        await (failure
          ? message.release({
            error: String((failure.error as Error)?.message ?? failure.error),
            ...retryDelay !== undefined ? { delay: retryDelay } : this.#now.signal.aborted ? {} : { backoff },
            ...name !== undefined && { worker: name },
          })
          : message.ack());
      }
    } catch (error) {
      onError?.(error, message);
    } finally {
      touching?.();
    }
  }

  async #drain(ms: number): Promise<void> {
    const drained = after(ms, () => this.#now.abort(new DOMException("The worker has to stop.", "AbortError")));
    while (this.#running.size > 0) {
      await Promise.all(this.#running);
    }

    drained();
  }
}

// A message that fails at once should not use up its attempts within milliseconds.
const backoff = "exponential:1s..1m";

const aborted = Symbol("aborted");

/**
 * The result of a promise, or `aborted` as soon as the signal is. A race against one promise for all the worker's life would keep what each
 * race gave in memory for as long.
 */
function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T | typeof aborted> {
  return new Promise((resolve, reject) => {
    const abort = (): void => resolve(aborted);
    if (signal.aborted) {
      abort();
      promise.catch(() => {}); // of no interest any more
      return;
    }

    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
