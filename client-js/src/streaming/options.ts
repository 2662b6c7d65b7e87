import type { Duration } from "../duration.js";
import type { PushQueueError } from "../errors.js";
import type { Policy } from "../types.js";
import type { TransportChoice } from "./transport.js";

/** Messages that this consumer does not get: history no longer reaches back, it read too slowly, or the cursor is of another store. */
export interface Gap {
  readonly event: "gap";
  readonly queue: string;
  readonly from: number | null;
  readonly to: number | null;
  readonly count: number | null;
  readonly cause: "expired" | "overflow" | "reset";
}

/** Callbacks for events other than messages. An exception of a callback ends the stream. */
export interface StreamEvents {
  /** In its place among the messages. */
  onGap?: (gap: Gap) => void;
  /** A message that is held was cancelled; its `signal` is aborted, too. */
  onCancel?: (id: string) => void;
  /** A queue has joined a stream over many. */
  onJoin?: (queue: string) => void;
  /**
   * A queue has left a stream over many, or does not join it: `queue-deleted`, `access-ended`, `stream-full`, `disconnected` or
   * `server-error`.
   */
  onLeave?: (queue: string, code: string) => void;
  /** The stream stands, the first time and after each break. */
  onConnect?: () => void;
  /** The connection is gone; the next try comes after `afterMs`. */
  onDisconnect?: (cause: PushQueueError, afterMs: number) => void;
}

interface CommonOptions extends StreamEvents {
  /** Ends the stream: the loop then throws the signal's reason. To end it quietly, leave the loop. */
  signal?: AbortSignal;
  /** How messages are pushed; default as the client. */
  transport?: TransportChoice;
  /**
   * Messages under way or held, under roundrobin; 1 to 10,000. Default 128, with manual ack 1. A larger number saves a round trip a
   * message; what waits here waits although another consumer may be idle.
   */
  prefetch?: number;
  /**
   * Where to begin under broadcast: `latest` (default), `earliest`, the `cursor` of a message (behind it), an offset (from it on), a
   * negative number `-N` for N messages back, or `latest-per-key` (the newest message of each key, where the queue's settings keep them).
   */
  from?: "latest" | "earliest" | "latest-per-key" | `${string}.${number}` | (string & {}) | number;
  /**
   * Only messages whose headers fit: `tenant=7`, `tenant=7|8`, or `tenant` for any value. All of several conditions must hold. Other
   * messages do not come, and make no gap.
   */
  where?: string | readonly string[];
  /**
   * When this program reads too slowly under broadcast: `disconnect` (default; it resumes and misses nothing), or drop, which tells a gap.
   */
  overflow?: "disconnect" | "drop-oldest" | "latest";
  /**
   * The policy of the queue where it has none yet; a queue that has the other one is refused (`wrong-policy`). Default with manual ack:
   * `roundrobin`, without a refusal.
   */
  policy?: Policy;
  /**
   * Whether a server that cannot be reached at first is waited for, as it is later. Default false: a few tries, and then the loop throws.
   */
  waitForServer?: boolean;
  /** How long a connection may be silent before it counts as dead; more than 15 s for `sse`. Default 45 s. */
  idleTimeout?: Duration;
  /** A description of this client for others: `presence` and lists of consumers show it. An object of at most 1024 bytes as JSON. */
  who?: Record<string, unknown>;
}

export interface ConsumeOptions extends CommonOptions {
  /** A message is done with once it is written to the connection. */
  ack?: "auto";
}

export interface ManualConsumeOptions extends CommonOptions {
  /** Under roundrobin: a message is done with when it is acked, and comes again when it is not. */
  ack: "manual";
  /** How long a lease runs, 100 ms to 24 h. Default: as long as the connection. */
  ttr?: Duration;
  /** How long the server keeps what is held when the connection breaks, at most 10 m. Default 10 s. */
  grace?: Duration;
  /** This program's name, for its counters. */
  worker?: string;
}

/** A queue's messages: each loop over it is a separate stream. */
export interface MessageStream<M> extends AsyncIterable<M> {
  /**
   * Where the last loop was, as `from` of the next stream: behind the last broadcast message that it got. Undefined before that is known.
   * Of a stream over many queues it is one cursor over all of them, which may stand before the last messages; those then come again.
   */
  readonly cursor: string | undefined;
  [Symbol.asyncIterator](): AsyncIterator<M, void, undefined> & { return(): Promise<IteratorResult<M, void>> };
}
