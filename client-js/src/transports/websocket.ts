import { PushQueueError } from "../errors.js";
import type { Http } from "../http.js";
import type { WebSocketClass } from "../options.js";
import type { StreamItem, StreamSink, Transport } from "../streaming/transport.js";
import { StreamEnd } from "../streaming/transport.js";
import { every } from "../waiting.js";

const subscribing = "subscribe";
const leaving = "leave";
const renewal = "auth";
const goodbyeMs = 2000;

/** The WebSocket at `/ws`. */
export function webSocket(http: Http, socketClass: WebSocketClass): Transport {
  return {
    name: "websocket", tellsStart: true,
    async run(sink, signal) {
      signal.throwIfAborted();
      const token = await http.tokens.get();
      sink.authorized?.(token);
      signal.throwIfAborted();

      // Keys stand in the address; a token is offered as a subprotocol, which no proxy logs.
      const protocols = http.tokens.canRenew && token !== undefined ? ["pushqueue", `pushqueue.token.${token}`] : undefined;
      const { opened, error } = await new Connection(
        http.url("/ws", { access_token: protocols ? undefined : token }, sink.url), socketClass, sink, token, protocols).run(signal);
      if (!opened && !signal.aborted) {
        await sink.explain();
        throw new PushQueueError("connection-lost",
          `${sink.url} answers, but a WebSocket to it fails; a proxy may block WebSockets: use the transport 'sse'.`);
      }

      if (error !== undefined) {
        throw error;
      }
    },
  };
}

/** One socket, from its handshake to its end. */
class Connection {
  readonly #socket: InstanceType<WebSocketClass>;
  readonly #sink: StreamSink;
  #opened = false;
  #paused = false;
  #subscribed = false;
  #closed = false;
  #goodbye: ReturnType<typeof setTimeout> | undefined;
  #error: unknown;
  #endRenewal = () => {};
  /** Those that wait for the answers to renewals, which come in the order of the commands. */
  readonly #renewals: ((refusal: PushQueueError | undefined) => void)[] = [];
  #heard = true;
  #end!: () => void;
  readonly #ended = new Promise<void>(resolve => { this.#end = resolve; });

  constructor(url: string, socketClass: WebSocketClass, sink: StreamSink, token: string | undefined, protocols: string[] | undefined) {
    this.#sink = sink;
    const address = url.replace(/^http/, "ws");
    this.#socket = protocols ? new socketClass(address, protocols) : new socketClass(address);
    this.#socket.addEventListener("open", () => {
      this.#opened = true;
      this.#subscribe();
      this.#endRenewal = this.#sink.tokens.keep(token, next => this.#renew(next));
    });
    this.#socket.addEventListener("message", ({ data }) => this.#received(data as string));
    this.#socket.addEventListener("error", () => {
      // The close that follows says as much.
    });
    this.#socket.addEventListener("close", ({ code, reason }) => {
      this.#error ??= lastWords(code, reason);
      this.#end();
    });
  }

  async run(signal: AbortSignal): Promise<{ opened: boolean; error: unknown }> {
    const leave = () => this.#leave();
    signal.addEventListener("abort", leave, { once: true });
    const watch = every(this.#sink.idleTimeout / 2, () => this.#watch());
    try {
      await this.#ended;
      return { opened: this.#opened, error: this.#error };
    } finally {
      watch();
      this.#endRenewal();
      signal.removeEventListener("abort", leave);
    }
  }

  #subscribe(): void {
    this.#send({ cmd: "subscribe", ref: subscribing, ...this.#sink.selection, ...this.#sink.subscription() });
  }

  #send(command: Record<string, unknown>): void {
    if (this.#socket.readyState === 1) {
      this.#socket.send(JSON.stringify(this.#sink.selection ? command : { queue: this.#sink.queue, ...command }));
    }
  }

  /** Completes when the server has accepted the token. */
  async #renew(token: string): Promise<void> {
    if (this.#socket.readyState !== 1) {
      throw new PushQueueError("connection-lost", "The WebSocket is not open.");
    }

    this.#socket.send(JSON.stringify({ cmd: "auth", token, ref: renewal }));
    const refusal = await new Promise<PushQueueError | undefined>(resolve => this.#renewals.push(resolve));
    if (refusal !== undefined) {
      throw refusal;
    }

    this.#sink.authorized?.(token);
  }

  #received(text: string): void {
    if (this.#closed) {
      return;
    }

    this.#heard = true;
    try {
      const item = JSON.parse(text) as StreamItem;
      if (item["ok"] === true || item["error"] !== undefined) {
        this.#answered(item as { ref?: unknown; cursor?: string; queues?: string[]; error?: string; detail?: string });
      } else {
        this.#sink.accept(item);
        this.#holdBack();
      }
    } catch (error) {
      this.#fail(error instanceof SyntaxError ? new PushQueueError("bad-answer", "The server sent data that is not "
          + "JSON.", 0, { cause: error }) : error);
    }
  }

  #answered(
    { ref, cursor, queues, error, detail }: { ref?: unknown; cursor?: string; queues?: string[]; error?: string; detail?: string },
  ): void {
    if (ref === subscribing) {
      if (error !== undefined) {
        throw new PushQueueError(error, detail ?? error);
      }

      if (!this.#paused) {
        this.#sink.standing(cursor, queues);
      }

      this.#paused = false;
      this.#subscribed = true;
      this.#holdBack();
    } else if (ref === renewal) {
      this.#renewals.shift()?.(error === undefined ? undefined : new PushQueueError(error, detail ?? error));
    } else if (ref === undefined && error !== undefined) {
      // A command that the server could not even read; this connection has only the one that subscribes.
      throw new PushQueueError(error, detail ?? error);
    } else if (ref === leaving) {
      this.#sink.left();
      this.#close();
    }
  }

  /** A socket cannot be read slowly: what would be too much is left with the server, and asked for later. */
  #holdBack(): void {
    // Messages may come before the subscription is answered; until then the server has none to end.
    if (this.#sink.full && this.#subscribed && this.#sink.subscription()["ack"] !== "manual") {
      this.#paused = true;
      this.#subscribed = false;
      this.#send({ cmd: "unsubscribe" });
      void this.#sink.room().then(() => this.#subscribe());
    }
  }

  /** Called twice in the time of silence: asks for a sign of life, and gives up where none came. */
  #watch(): void {
    if (!this.#heard) {
      this.#fail(new PushQueueError("connection-lost", `The stream was silent for ${this.#sink.idleTimeout / 1000} seconds.`));
    } else if (this.#opened) {
      // No queue can have this name; the answer that says so is the sign.
      this.#send({ cmd: "unsubscribe", queue: "/", ref: "alive" });
    }

    this.#heard = false;
  }

  /** An end that gives leases back at once; a socket that just closes would leave them waiting for its return. */
  #leave(): void {
    if (this.#opened) {
      this.#send({ cmd: "unsubscribe", ref: leaving, ...this.#sink.selection ? {} : { started: this.#sink.started() } });
      this.#goodbye = setTimeout(() => this.#close(), goodbyeMs);
    } else {
      this.#close();
    }
  }

  #fail(error: unknown): void {
    this.#error ??= error;
    this.#close();

    // The package ws waits for the other side's goodbye otherwise, for half a minute where nobody answers.
    (this.#socket as { terminate?: () => void }).terminate?.();
  }

  /** Does not wait for the other side, which may be gone. */
  #close(): void {
    this.#closed = true;
    clearTimeout(this.#goodbye);
    this.#socket.close();
    this.#end();
  }
}

function lastWords(code: number, reason: string): StreamEnd | undefined {
  if (code !== 1011 && code !== 1012 && code < 4000) {
    return undefined;
  }

  const { code: type, reconnectMs } = told(reason);
  const types: Record<number, string> = { 4004: "queue-deleted", 4005: "replaced", 4006: "disconnected", 4007: "access-ended" };
  return new StreamEnd(
    type ?? types[code] ?? "closed", type ?? (reason || `The server closed the stream (${code}).`), type !== undefined, reconnectMs);
}

/** The content of a close reason; empty where a proxy has cut it short. */
function told(reason: string): { code?: string; reconnectMs?: number } {
  try {
    return reason.startsWith("{") ? JSON.parse(reason) as { code: string; reconnectMs: number } : {};
  } catch {
    return {};
  }
}
