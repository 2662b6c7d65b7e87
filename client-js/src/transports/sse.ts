import type { Http } from "../http.js";
import { problem } from "../http.js";
import { PushQueueError } from "../errors.js";
import type { StreamSink, Transport } from "../streaming/transport.js";
import { after } from "../waiting.js";

/** Server-sent events, read by fetch: the key stays out of the address, and reading pauses where the program is slow. */
export function sse(http: Http): Transport {
  return { name: "sse", tellsStart: false, run: (sink, signal) => run(http, sink, signal) };
}

async function run(http: Http, sink: StreamSink, stop: AbortSignal): Promise<void> {
  const dead = new AbortController();
  const signal = AbortSignal.any([stop, dead.signal]);
  const silence = () => after(
    sink.idleTimeout, () =>
    dead.abort(new PushQueueError("connection-lost", `The stream was silent for ${sink.idleTimeout / 1000} seconds.`)));
  let heard = silence();
  try {
    const response = await open(http, sink, signal);
    if (!response.ok || response.body === null || !response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
      throw problem(response, await response.text());
    }

    sink.standing();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const events = new EventReader(sink);
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      heard();
      events.read(chunk.value);
      await sink.room();
      heard = silence();
    }
  } catch (error) {
    if (stop.aborted) {
      return;
    }

    if (error instanceof SyntaxError) {
      throw new PushQueueError("bad-answer", "The server sent data that is not JSON.", 0, { cause: error });
    }

    throw error instanceof PushQueueError ? error : http.broken(error, dead.signal, sink.url);
  } finally {
    heard();
    dead.abort();
  }
}

/** The cursor of many queues may be too long for an address. */
function open(http: Http, sink: StreamSink, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  const onToken = (token: string | undefined) => sink.authorized?.(token);
  const { from, ...options } = sink.subscription();
  if (sink.selection === undefined) {
    return http.send(
      `/sse/${encodeURIComponent(sink.queue)}`, { base: sink.url, query: { ...options, from }, signal, onToken }, headers);
  }

  const { queues, match } = sink.selection;
  const query = new URLSearchParams([
    ...queues.map(queue => ["queue", queue]), ...match.map(pattern => ["match", pattern]),
    ...Object.entries(options).map(([name, value]) => [name, String(value)]),
    ...from === "earliest" || from === "latest" ? [["from", from]] : [],
  ]);
  if (from !== undefined && !query.has("from")) {
    headers["Last-Event-ID"] = String(from);
  }

  return http.send(`/sse?${query}`, { base: sink.url, signal, onToken }, headers);
}

/** Takes a text apart into events, across the borders of chunks. */
class EventReader {
  #rest = "";
  #id: string | undefined;
  #data: string | undefined;

  constructor(private readonly sink: StreamSink) {}

  read(chunk: string): void {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) {
      // With s, for a body may hold U+2028, which is a line end to a regular expression and none to a stream of events.
      const [, field, value] = /^(id|data): ?(.*?)\r?$/s.exec(line) ?? [];
      if (field === "id") {
        this.#id = value;
      } else if (field === "data") {
        this.#data = value;
      } else if (line.trim() === "" && this.#data === undefined && this.#id !== undefined && this.sink.selection !== undefined) {
        this.sink.accept({ event: "cursor", cursor: this.#id });
        this.#id = undefined;
      } else if (line.trim() === "" && this.#data !== undefined) {
        const [data, id] = [this.#data, this.#id];
        this.#data = this.#id = undefined;
        const item = JSON.parse(data) as Record<string, unknown>;
        this.sink.accept(item, item["offset"] === undefined ? undefined : id);
      }
    }
  }
}
