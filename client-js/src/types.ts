import type { Duration } from "./duration.js";

/** Options that every request takes. */
export interface RequestOptions {
  /** Ends the request; it then throws the signal's reason. */
  signal?: AbortSignal;
}

/** How one message is put. */
export interface MessageOptions {
  /**
   * Its id, 1 to 255 bytes of UTF-8. An id that is known already stores nothing, so such a put is repeated safely; the client then does so
   * by itself.
   */
  id?: string;
  /** Available after this; either `delay` or `at`. */
  delay?: Duration;
  /** Available from this time. */
  at?: Date | string;
  /** Dropped if no consumer takes it within this time after it became available. */
  ttl?: Duration;
  /** 0 to 9; higher goes first. Default 0. */
  priority?: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
  /** Refused with `unique-key-taken` while a message with this key waits. */
  unique?: string;
  /** The key of the message, such as `customer-7`; 1 to 255 bytes of UTF-8. Any number of messages may have it. */
  key?: string;
  /**
   * Names and values that travel with it: up to 32, 4096 bytes together. Names have 1 to 64 of `a` to `z`, `0` to `9`, `.`, `_` and `-`;
   * upper case becomes lower case.
   */
  headers?: Record<string, string>;
  /** Leases before it is dead-lettered, 1 to 1000. */
  maxAttempts?: number;
  /** The wait after a failed attempt: a duration, or `exponential:1s..5m`. */
  retryDelay?: Duration | `exponential:${string}..${string}`;
  /** The policy of the queue where it has none yet; a queue that has one keeps it. */
  policy?: Policy;
  /** The content type, where the kind of the body does not say it. */
  contentType?: string;
}

export interface PutOptions extends MessageOptions, RequestOptions {
  /** Answer only when the message has ended, at most 60 s. */
  waitForAck?: Duration;
}

/** For all messages of a batch. */
export type PutManyOptions = Omit<MessageOptions, "id" | "unique"> & RequestOptions;

/** A message of a batch with separate options. */
export interface PutItem<T = unknown> extends MessageOptions {
  body: T;
}

export interface PutResult {
  queue: string;
  id: string;
  /** The promise of the answer: `synced` (on disk), `interval:50ms`, `memory`. */
  durability?: string;
  /** The id was known; nothing was stored. */
  duplicate?: true;
  /** With `waitForAck`: whether it has ended well. */
  acked?: boolean;
  worker?: string;
  attempts?: number;
  /** With `waitForAck`: the message of that id was done with before. */
  gone?: true;
  /** How many queues got a copy, because they subscribe to this one. */
  copies?: number;
}

export interface PutManyResult {
  queue: string;
  ids: string[];
  durability: string;
  /** How many copies other queues got, because they subscribe to this one. */
  copies?: number;
  /** The ids that were known. */
  duplicates?: string[];
}

export interface TakeOptions extends RequestOptions {
  /** How long to wait for a message, at most 60 s. Default 0. */
  wait?: Duration;
  /** This worker's name, for its counters. */
  worker?: string;
  /** Only a message whose headers fit: `tenant=7`, `tenant=7|8`, or `tenant` for any value. All of several conditions must hold. */
  where?: string | readonly string[];
}

export interface LeaseOptions extends TakeOptions {
  /** How long the lease runs, 100 ms to 24 h. Default 30 s. */
  ttr?: Duration;
}

export interface ReleaseOptions extends RequestOptions {
  /** Ready again after this; default from the queue's settings. */
  delay?: Duration;
  /** The wait if there is no `delay` and neither the message nor the queue has a retryDelay. */
  backoff?: Duration | `exponential:${string}..${string}`;
  /** Why it failed; the first 1000 characters are kept. */
  error?: string;
  /** The work was not begun: no failed attempt. Not together with `error`. */
  unstarted?: boolean;
  /** No attempt can do the work: to the dead-letter queue at once. Not together with `delay`, `backoff` or `unstarted`. */
  deadLetter?: boolean;
  worker?: string;
}

export interface TouchOptions extends RequestOptions {
  /** How long the lease runs from now; default from the queue's settings. */
  ttr?: Duration;
}

/** Names a lease. Every leased message is one. */
export interface LeaseKey {
  readonly queue: string;
  readonly id: string;
  readonly receipt: string;
}

/** `history`: it was broadcast, and is kept for consumers that resume. */
export type MessageState = "ready" | "delayed" | "leased" | "dead" | "history";

export interface BrowseOptions extends RequestOptions {
  state?: MessageState;
  /** How many come in one request, 1 to 1000. Default 100. */
  pageSize?: number;
}

/** A message that is looked at where it rests. */
export interface RestingMessage<T = unknown> {
  queue: string;
  id: string;
  body: T;
  contentType?: string;
  offset?: number;
  attempt?: number;
  priority?: number;
  key?: string;
  headers?: Record<string, string>;
  enqueuedAt?: Date;
  state: MessageState;
  availableAt?: Date;
  expiresAt?: Date;
  leasedUntil?: Date;
  unique?: string;
  lastError?: string;
  lastWorker?: string;
  deadLetter?: { queue: string; reason: string; attempts: number; at: Date };
}

export type Policy = "broadcast" | "roundrobin";

export interface QueueSettings {
  /** `broadcast`: every consumer gets each message. `roundrobin`: one of them, in turn. */
  policy: Policy;
  status: "started" | "stopped";
  ttr: Duration;
  maxAttempts: number;
  retryDelay: Duration | `exponential:${string}..${string}`;
  dedupWindow: Duration;
  maxMessages: number | null;
  maxBytes: number | null;
  overflow: "reject" | "drop-oldest";
  history: { messages: number; age: Duration; perKey: boolean };
  deadLetter: boolean;
  /** How long the queue stays without being used before it is deleted; `0`: until somebody deletes it. */
  expires: Duration;
  /** How many messages of one key may be leased at once; 0 for no limit. */
  keyInFlight: number;
  /** Whether the keys take turns; the messages without a key are one key. */
  fair: boolean;
  /** The queues whose messages are also put into this one. */
  subscriptions: QueueSubscription[];
}

/**
 * A queue or pattern (`*` stands for any characters) alone, or with the messages that are meant, by their headers: a value, `7|8` for any
 * of several, `true` for a header that must merely be there. `from: "earliest"` copies first what those queues hold.
 */
export type QueueSubscription = string | { to: string; where?: Record<string, string | true>; from?: "latest" | "earliest" };

/** Settings to change. */
export type SettingsChange = Partial<Omit<QueueSettings, "history">> & { history?: Partial<QueueSettings["history"]> };

export interface Counters {
  put: number;
  delivered: number;
  acked: number;
  failed: number;
  cancelled: number;
  expired: number;
  dropped: number;
  deadLettered: number;
  lost: number;
}

export interface QueueInfo {
  queue: string;
  policy: Policy;
  status: "started" | "stopped";
  ready: number;
  delayed: number;
  leased: number;
  history: number;
  /** Keys that have live messages. */
  keys: number;
  /** Keys whose ready messages wait for others of the key. */
  blockedKeys: number;
  bytes: number;
  consumers: number;
  oldestAgeSeconds: number | null;
  nextDelayedAt?: string;
  putPerSecond: number;
  deliveredPerSecond: number;
  counters: Counters;
  epoch: string;
  firstOffset: number;
  nextOffset: number;
  /** True while the queue copies what the sources of its subscriptions held when these began; it gives nothing out until then. */
  copying?: boolean;
  /** The queues that subscribe to this one; not in lists of queues. */
  subscribers?: string[];
}

/** A key of a queue that has live messages. */
export interface KeyInfo {
  key: string;
  ready: number;
  delayed: number;
  inFlight: number;
  /** Whether the ready messages wait for others of the key. */
  blocked: boolean;
  /** The time since the put of the first ready message; null if no message is ready. */
  oldestAgeSeconds: number | null;
}

export interface ConsumerInfo {
  id: number;
  queue: string;
  transport: string;
  remoteAddress: string | null;
  worker: string | null;
  who?: Record<string, unknown>;
  ack: "auto" | "manual";
  prefetch: number;
  credit: number;
  inFlight: number;
  delivered: number;
  acked: number;
  failed: number;
  lag: number;
  waitingBytes: number;
  since: string;
}

/** A consumer as everybody sees it who may listen to its queue. */
export interface PresentConsumer {
  id: number;
  transport: string;
  worker?: string;
  /** The client's own description of itself, unchecked. */
  who?: Record<string, unknown>;
  since: string;
}

export interface Presence {
  queue: string;
  /** The number of consumers at all nodes; at most 1,000 are listed. */
  count: number;
  consumers: PresentConsumer[];
}

export interface WorkerInfo {
  worker: string;
  queues: string[];
  processed: number;
  failed: number;
  since: string;
  lastSeen: string;
}

/** The node, and the sums over its queues. */
export interface Stats {
  node: {
    version: string; uptimeSeconds: number; store: string; durability: string; waitingTakes: number; workers: number; memoryBytes: number;
  };
  [sum: string]: unknown;
}
