import type { Duration } from "./duration.js";
import type { TransportChoice } from "./streaming/transport.js";
import type { TokenProvider } from "./tokens.js";
import type { Retry } from "./waiting.js";

/** The part of the global WebSocket class that is used. */
export type WebSocketClass =
  new (url: string, protocols?: string[]) => Pick<WebSocket, "send" | "close" | "addEventListener" | "readyState">;

export interface ClientOptions {
  /** The key, where the server asks for one. */
  apiKey?: string;
  /**
   * Gives the token that is sent instead of a key. It is asked again before the token ends, if that is a JSON Web Token, and when the
   * server has refused it. Streams over WebSocket and SignalR renew their token while they run; the others connect again.
   */
  token?: TokenProvider;
  /**
   * How messages are pushed: `websocket`, `sse`, or a transport such as that of `pushqueue/signalr`. Default `websocket` where there is
   * one, else `sse`.
   */
  transport?: TransportChoice;
  /** A WebSocket class if there is no global one, such as that of the package `ws` in Node 20. */
  WebSocket?: WebSocketClass;
  /** In place of the global `fetch`. */
  fetch?: typeof fetch;
  /** How long an answer may take, in addition to the wait that a request asks for. Default 30 s. */
  timeout?: Duration;
  /** How requests that do no harm twice are tried again. Default 4 tries, 10 for acks and releases, 250 ms to 10 s apart. */
  retry?: Retry;
  /** How a stream that stood once comes back. Default always, 250 ms to 10 s apart. */
  reconnect?: Retry;
}
