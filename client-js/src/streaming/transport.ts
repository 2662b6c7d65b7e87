import { PushQueueError } from "../errors.js";
import type { Tokens } from "../tokens.js";
import type { Selection } from "./selection.js";

/** The stream that a transport carries, as the transport sees it. A transport reports one thing after the other. */
export interface StreamSink {
  readonly queue: string;
  /** The queues of a stream over many; then `queue` is empty. */
  readonly selection?: Selection | undefined;
  /** Address of the server, without a slash at its end. */
  readonly url: string;
  /** The key or tokens that open the connection. */
  readonly tokens: Tokens;
  /** Tells the key or token with which the connection is opened; without that, a refusal counts for the present one. */
  authorized?(token: string | undefined): void;
  /** Throws why the server refuses, where it does: for connections whose failure says nothing. */
  explain(): Promise<void>;
  /** Milliseconds of silence after which a connection counts as dead. */
  readonly idleTimeout: number;
  /** Whether as much waits for the program as may; then do not read on before {@link room}. */
  readonly full: boolean;
  /** The options of the subscription, as the server names them. */
  subscription(): Record<string, string | readonly string[]>;
  /** The server has accepted the subscription. Its cursor, where it tells one. */
  standing(cursor?: string, queues?: readonly string[]): void;
  /** The leases whose work the program has begun; what else it holds is given back uncounted. */
  started(): { id: string; receipt: string }[];
  /** The server has been told that this consumer goes for good, and what was started. */
  left(): void;
  /** One JSON object that came, and the cursor behind it where the transport carries that. Throws where the stream is to end. */
  accept(item: StreamItem, cursor?: string): void;
  /** Completes when there is room again, or the stream ends. */
  room(): Promise<void>;
}

/** An envelope, an event or an answer, parsed. */
export type StreamItem = Record<string, unknown>;

/** Carries one stream after the other over a kind of connection. */
export interface Transport {
  readonly name: string;
  /** Whether the answer to a subscription tells where the stream begins. */
  readonly tellsStart: boolean;
  /**
   * One connection, from its beginning to its end. At an end by the signal it says goodbye where it can ({@link StreamSink.left}).
   * Completes when it is gone, throws a {@link PushQueueError} where there is something to say.
   */
  run(sink: StreamSink, signal: AbortSignal): Promise<void>;
}

/** How messages are pushed: a transport by its name, or one such as that of `pushqueue/signalr`. */
export type TransportChoice = "websocket" | "sse" | Transport;

/** The server ended a stream with an event `close`. */
export class StreamEnd extends PushQueueError {
  constructor(type: string, detail: string, readonly reconnect: boolean, readonly afterMs?: number) {
    super(type, detail);
  }
}
