import { PushQueueError } from "./errors.js";
import type { StreamItem, Transport } from "./streaming/transport.js";

/** The part of `@microsoft/signalr` that is used. */
export interface SignalRModule {
  HubConnectionBuilder: new () => HubBuilder;
  HttpTransportType: { WebSockets: number };
}

interface HubBuilder {
  withUrl(url: string, options: any): HubBuilder;
  configureLogging(level: any): HubBuilder;
  build(): Hub;
}

interface Hub {
  on(method: string, handle: (...items: any[]) => void): void;
  onclose(handle: (error?: Error) => void): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  invoke<T = any>(method: string, ...parameters: any[]): Promise<T>;
}

/** Streams over SignalR: `new PushQueueClient(url, { transport: signalR(await import("@microsoft/signalr")) })`. */
export function signalR(module: SignalRModule): Transport {
  return {
    name: "signalr", tellsStart: true,
    async run(sink, signal) {
      signal.throwIfAborted();
      let token = await sink.tokens.get();
      sink.authorized?.(token);
      signal.throwIfAborted();
      let error: unknown;
      let paused = false;
      const hub = new module.HubConnectionBuilder()
        .withUrl(`${sink.url}/hub`, {
          skipNegotiation: true, transport: module.HttpTransportType.WebSockets, ...token !== undefined
            && {
              accessTokenFactory: async () => {
                token = await sink.tokens.get();
                sink.authorized?.(token);
                return token;
              },
            },
        })
        .configureLogging("none")
        .build();
      const ended = new Promise<void>(resolve => hub.onclose(() => resolve()));
      const { queues, match } = sink.selection ?? {};
      const subscribe = () => hub.invoke<{ cursor?: string; queues?: string[] }>(
        "Subscribe", queues ?? sink.queue, { ...sink.subscription(), ...match && { match } });
      const target = sink.selection ? null : sink.queue;
      const fail = (cause: unknown) => {
        error ??= cause;
        void hub.stop();
      };
      // Calls may come before the answer to the subscription: they wait for it, because it says where the stream begins.
      let early: StreamItem[] | undefined = [];
      const accept = (item: StreamItem) => {
        if (early && item["event"] !== "close") {
          early.push(item);
          return;
        }

        try {
          sink.accept(item);
          if (sink.full && !paused && sink.subscription()["ack"] !== "manual") {
            // A hub cannot be read slowly: what would be too much is left with the server, and asked for later.
            paused = true;
            hub.invoke("Unsubscribe", target, {}).then(() => sink.room()).then(subscribe).then(() => { paused = false; }).catch(fail);
          }
        } catch (cause) {
          fail(cause);
        }
      };
      for (const method of ["message", "gap", "cursor", "cancel", "close", "subscribed"]) {
        hub.on(method, accept);
      }

      const leave = () => {
        // Gives leases back at once.
        hub.invoke("Unsubscribe", target, { started: sink.started() }).then(() => sink.left(), () => {}).finally(() => hub.stop());
      };
      signal.addEventListener("abort", leave, { once: true });
      try {
        await hub.start().catch(async cause => {
          await sink.explain();
          throw new PushQueueError("connection-lost", `The hub at ${sink.url} cannot be reached.`, 0, { cause });
        });
        const { cursor, queues: begun } = await subscribe().catch(cause => { throw error ?? hubError(cause); });
        sink.standing(cursor ?? undefined, begun);
        const waiting = early;
        early = undefined;
        waiting.forEach(accept);
        const renewing = sink.tokens.keep(token, next =>
          hub.invoke("Authenticate", next).then(() => sink.authorized?.(next), cause => { throw hubError(cause); }));
        await ended;
        renewing();
      } finally {
        signal.removeEventListener("abort", leave);
        await hub.stop();
      }

      if (error !== undefined) {
        throw error;
      }
    },
  };
}

/** The message of a hub's error ends in `HubException: type: sentence`. */
function hubError(cause: unknown): PushQueueError {
  const [, type, detail] = /HubException: ([a-z-]+): (.*)$/s.exec((cause as Error).message) ?? [];
  return type === undefined
    ? new PushQueueError("connection-lost", "The connection to the hub broke.", 0, { cause })
    : new PushQueueError(type, detail!, 0, { cause });
}
