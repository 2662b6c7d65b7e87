import type { LeaseKey, ReleaseOptions, RestingMessage, TouchOptions } from "./types.js";
import { decodeBase64 } from "./body.js";

/** A message as it comes in JSON. */
export interface Envelope {
  queue: string;
  id: string;
  body: unknown;
  encoding?: "base64";
  receipt?: string;
  offset?: number;
  [field: string]: unknown;
}

/** A message that came. */
export interface Message<T = unknown> {
  readonly queue: string;
  readonly id: string;
  /** The JSON value, a string where it was put as text, or a Uint8Array. */
  readonly body: T;
  readonly contentType?: string;
  /** Its number in the order of broadcast: 1, 2, 3 … */
  readonly offset?: number;
  /** The position after this message, for the option `from`. Under broadcast. */
  readonly cursor?: string;
  /** The number of deliveries, including this one. */
  readonly attempt?: number;
  readonly priority?: number;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly enqueuedAt?: Date;
}

/** A message that is held by a lease: it comes again, here or elsewhere, unless it is acked. */
export interface LeasedMessage<T = unknown> extends Message<T>, LeaseKey {
  readonly leasedUntil?: Date;
  /** Aborted when the lease is known to be lost or the message was cancelled: drop the work. */
  readonly signal: AbortSignal;
  /** Done with it. False: the lease is lost, somebody else may have it. */
  ack(options?: { signal?: AbortSignal }): Promise<boolean>;
  /** Gives it back; counts as a failed attempt, unless `unstarted`. False: the lease is lost. */
  release(options?: ReleaseOptions): Promise<boolean>;
  /** Makes the lease run on from now. False: it is lost. */
  touch(options?: TouchOptions): Promise<boolean>;
}

/** Settles the leases of messages. */
export interface LeaseOwner {
  ack(message: Received, signal?: AbortSignal): Promise<boolean>;
  release(message: Received, options?: ReleaseOptions): Promise<boolean>;
  touch(message: Received, options?: TouchOptions): Promise<boolean>;
}

const times = ["enqueuedAt", "leasedUntil", "availableAt", "expiresAt"];

/** The fields of an envelope as a program wants them: bytes as bytes, times as dates. */
export function readEnvelope<T>({ encoding, ...fields }: Envelope): RestingMessage<T> {
  const read: Record<string, unknown> = fields;
  if (encoding === "base64") {
    // As it came where it cannot be read: a message must not end a stream.
    read["body"] = decodeBase64(fields.body) ?? fields.body;
  }

  for (const name of times) {
    if (typeof read[name] === "string") {
      read[name] = new Date(read[name]);
    }
  }

  const dead = read["deadLetter"] as { at?: unknown } | undefined;
  if (typeof dead?.at === "string") {
    dead.at = new Date(dead.at);
  }

  return read as unknown as RestingMessage<T>;
}

/** A message that came, leased or not. */
export class Received<T = unknown> {
  declare readonly queue: string;
  declare readonly id: string;
  declare readonly body: T;
  declare readonly receipt: string;
  declare readonly cursor?: string;

  /** Whether the program has got it to work on. Not a property of its own, which would show where the message is printed. */
  get started(): boolean {
    return this.#started;
  }

  set started(started: boolean) {
    this.#started = started;
  }

  #started = false;
  readonly #ended = new AbortController();
  readonly #owner: LeaseOwner;
  #settled = false;

  constructor(envelope: Envelope, owner: LeaseOwner, cursor?: string) {
    Object.assign(this, readEnvelope<T>(envelope), cursor === undefined ? {} : { cursor });
    this.#owner = owner;
  }

  /** Acked or released by this program. */
  get settled(): boolean {
    return this.#settled;
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  ack(options: { signal?: AbortSignal } = {}): Promise<boolean> {
    return this.#owner.ack(this, options.signal);
  }

  release(options?: ReleaseOptions): Promise<boolean> {
    return this.#owner.release(this, options);
  }

  touch(options?: TouchOptions): Promise<boolean> {
    return this.#owner.touch(this, options);
  }

  /** The server has answered an ack or a release; where it did not do it, the lease is lost. */
  settle(done: boolean): void {
    this.#settled = done;
    if (!done) {
      this.end("The lease is lost.");
    }
  }

  /** The lease is over. */
  end(why: string): void {
    this.#ended.abort(new DOMException(why, "AbortError"));
  }
}
