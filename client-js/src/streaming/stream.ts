import type { Http } from "../http.js";
import type { Message } from "../message.js";
import type { ClientOptions } from "../options.js";
import { sse } from "../transports/sse.js";
import { webSocket } from "../transports/websocket.js";
import type { ConsumeOptions, ManualConsumeOptions, MessageStream } from "./options.js";
import type { Queues } from "./selection.js";
import { selectionOf } from "./selection.js";
import { Session } from "./session.js";
import type { Transport, TransportChoice } from "./transport.js";

/** Opens a stream for a client. */
export function openStream(
  http: Http, client: ClientOptions, queue: string | readonly string[] | Queues, options: ConsumeOptions | ManualConsumeOptions,
): MessageStream<Message> {
  const selection = typeof queue === "string" ? undefined : selectionOf(queue);
  const name = typeof queue === "string" ? queue : "";
  let session: Session | undefined;
  return {
    get cursor() {
      return session?.cursor;
    },
    [Symbol.asyncIterator]() {
      const current = session = new Session(
        http, name, options, choose(http, client, options.transport ?? client.transport), client.reconnect ?? {}, selection);
      return {
        next: () => current.next(),
        async return() {
          await current.stop();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

function choose(http: Http, client: ClientOptions, wanted: TransportChoice | undefined): Transport {
  if (typeof wanted === "object") {
    return wanted;
  }

  const socketClass = client.WebSocket ?? globalThis.WebSocket as typeof WebSocket | undefined;
  if (wanted === "sse" || (wanted === undefined && socketClass === undefined)) {
    return sse(http);
  }

  if (socketClass === undefined) {
    throw new TypeError(
      "There is no WebSocket here; give the client one ({ WebSocket }, such as that of the package ws), or use the transport 'sse'.");
  }

  return webSocket(http, socketClass);
}
