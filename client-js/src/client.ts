import type { Bytes } from "./body.js";
import { encodeBase64, encodeBody, json } from "./body.js";
import type { Duration } from "./duration.js";
import { milliseconds } from "./duration.js";
import { PushQueueError } from "./errors.js";
import type { Call, Query } from "./http.js";
import { Http } from "./http.js";
import { Leases } from "./leases.js";
import type { Envelope, LeasedMessage, Message } from "./message.js";
import { Received, readEnvelope } from "./message.js";
import type { ClientOptions } from "./options.js";
import type { ConsumeOptions, ManualConsumeOptions, MessageStream } from "./streaming/options.js";
import type { Queues } from "./streaming/selection.js";
import { openStream } from "./streaming/stream.js";
import type {
  BrowseOptions, ConsumerInfo, KeyInfo, LeaseKey, LeaseOptions, Presence, PutItem, PutManyOptions, PutManyResult, PutOptions, PutResult,
  QueueInfo, QueueSettings,
  ReleaseOptions, RequestOptions, RestingMessage, SettingsChange, Stats, TakeOptions, TouchOptions, WorkerInfo,
} from "./types.js";
import { Tokens } from "./tokens.js";
import type { Handler, WorkerOptions } from "./worker.js";
import { Worker } from "./worker.js";

/** Queue names with the type of their messages' bodies, for those who want them checked: `new PushQueueClient<{ orders: Order }>(url)`. */
export type AnyQueues = Record<string, any>;

/** The queues of Q and their dead-letter queues. */
export type QueueOf<Q> = (keyof Q & string) | `${keyof Q & string}.dead`;

/** Bytes, as they may be put into any queue. */
export type Binary = Bytes | ArrayBuffer | Blob;

/** The body of a queue's messages. */
export type BodyOf<Q, K> = K extends keyof Q
  ? Q[K] : K extends `${infer Source}.dead` ? (Source extends keyof Q ? Q[Source] : unknown) : unknown;

const many = 100_000;
const binary = "application/octet-stream";

/**
 * A client of one server, or of several that share their queues: when one cannot serve, it goes on at the next. It holds no connection of
 * its own; each stream has one.
 */
export class PushQueueClient<Q extends object = AnyQueues> {
  /** @internal */ readonly http: Http;
  /** @internal */ readonly options: ClientOptions;
  readonly #leases: Leases;

  constructor(url: string | URL | readonly (string | URL)[], options: ClientOptions = {}) {
    this.options = options;
    // Called as a method of something else, the global fetch of browsers throws.
    const fetcher = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.http = new Http(url, new Tokens(options.apiKey, options.token), fetcher, options.timeout ?? "30s", options.retry ?? {});
    this.#leases = new Leases(this.http);
  }

  /** Puts a message: a string as text, bytes as they are, all else as JSON. */
  put<K extends QueueOf<Q>>(queue: K, body: BodyOf<Q, K> | Binary, options: PutOptions = {}): Promise<PutResult> {
    const { signal, contentType, headers, ...query } = options;
    const encoded = encodeBody(body, contentType);
    return this.http.json(path(queue), {
      method: "POST", query, ...encoded, headers, signal, repeatable: query.id !== undefined,
      wait: query.waitForAck === undefined ? 0 : milliseconds(query.waitForAck),
    });
  }

  /** Puts many messages in one request, all or none. */
  putMany<K extends QueueOf<Q>>(queue: K, bodies: Iterable<BodyOf<Q, K> | Binary>, options: PutManyOptions = {}): Promise<PutManyResult> {
    return this.putItems(queue, Array.from(bodies, body => ({ body })), options);
  }

  /** Puts many messages, each with separate options, in one request, all or none. */
  async putItems<K extends QueueOf<Q>>(
    queue: K, items: Iterable<PutItem<BodyOf<Q, K> | Binary>>, options: PutManyOptions = {},
  ): Promise<PutManyResult> {
    const { signal, contentType, headers, ...query } = options;
    const list = [...items];
    return this.http.json(`${path(queue)}/batch`, {
      method: "POST", query: { ...query, envelope: true }, contentType: "application/x-ndjson", headers,
      body: (await Promise.all(list.map(item => line(item, contentType)))).join("\n"), signal,
      repeatable: list.every(({ id }) => id !== undefined),
      wait: list.length / many * 30_000,
    });
  }

  /** Takes the next message without a lease; null if no message is ready. */
  async take<K extends QueueOf<Q>>(queue: K, options: TakeOptions = {}): Promise<Message<BodyOf<Q, K>> | null> {
    return (await this.takeMany(queue, { ...options, count: 1 }))[0] ?? null;
  }

  /** Takes up to `count` (1 to 1000, default 100). */
  takeMany<K extends QueueOf<Q>>(queue: K, options: TakeOptions & { count?: number } = {}): Promise<Message<BodyOf<Q, K>>[]> {
    return this.#take(queue, options);
  }

  /** Reserves the next message; null without one. */
  async lease<K extends QueueOf<Q>>(queue: K, options: LeaseOptions = {}): Promise<LeasedMessage<BodyOf<Q, K>> | null> {
    return (await this.leaseMany(queue, { ...options, count: 1 }))[0] ?? null;
  }

  /** Reserves up to `count` (1 to 1000, default 100). */
  leaseMany<K extends QueueOf<Q>>(queue: K, options: LeaseOptions & { count?: number } = {}): Promise<LeasedMessage<BodyOf<Q, K>>[]> {
    return this.#take(queue, { ttr: "30s", ...options }) as Promise<LeasedMessage<BodyOf<Q, K>>[]>;
  }

  /** Done with a leased message. False: the lease is lost. Acks of the same moment go in one request. */
  ack(lease: LeaseKey, options: RequestOptions = {}): Promise<boolean> {
    return lease instanceof Received ? lease.ack(options) : this.#leases.ackKey(lease, options.signal);
  }

  /** Gives a leased message back; counts as a failed attempt, unless `unstarted`. False: the lease is lost. */
  release(lease: LeaseKey, options: ReleaseOptions = {}): Promise<boolean> {
    return lease instanceof Received ? lease.release(options) : this.#leases.releaseKey(lease, options);
  }

  /** Makes a lease run on from now. False: it is lost. */
  touch(lease: LeaseKey, options: TouchOptions = {}): Promise<boolean> {
    return lease instanceof Received ? lease.touch(options) : this.#leases.touchKey(lease, options);
  }

  /** Removes a message in whatever state it is. False: there is no message of that id. */
  cancel(queue: QueueOf<Q>, id: string, options: RequestOptions = {}): Promise<boolean> {
    return this.#found(messagePath(queue, id), { method: "DELETE", ...options });
  }

  /** Makes a message available at another time. False: there is no message of that id. */
  reschedule(
    queue: QueueOf<Q>, id: string, { signal, ...query }: RequestOptions & ({ at: Date | string } | { delay: Duration }),
  ): Promise<boolean> {
    return this.#found(`${messagePath(queue, id)}/reschedule`, { method: "POST", query: query as Query, signal });
  }

  /** Reads one message where it rests; null without one. */
  async find<K extends QueueOf<Q>>(queue: K, id: string, options: RequestOptions = {}): Promise<RestingMessage<BodyOf<Q, K>> | null> {
    const found = await orNull(this.http.json<Envelope>(messagePath(queue, id), { repeatable: true, ...options }));
    return found && readEnvelope(found);
  }

  /** Looks at all messages of a state (default `ready`) without taking them, a page at a time. */
  async *browse<K extends QueueOf<Q>>(
    queue: K, { signal, pageSize, state }: BrowseOptions = {},
  ): AsyncGenerator<RestingMessage<BodyOf<Q, K>>, void, undefined> {
    let after: string | undefined;
    do {
      const page = await orNull(this.http.json<{ messages: Envelope[]; next: string | null }>(`${path(queue)}/messages`, {
        query: { state, limit: pageSize, after }, signal, repeatable: true,
      }));
      for (const envelope of page?.messages ?? []) {
        yield readEnvelope(envelope);
      }

      after = page?.next ?? undefined;
    } while (after !== undefined);
  }

  /** Reads the dead letters of a queue. */
  deadLetters<K extends keyof Q & string>(
    queue: K, options: Omit<BrowseOptions, "state"> = {}): AsyncGenerator<RestingMessage<Q[K]>, void, undefined> {
    return this.browse(
      `${queue}.dead` as QueueOf<Q>, { ...options, state: "dead" }) as AsyncGenerator<RestingMessage<Q[K]>, void, undefined>;
  }

  /** Returns dead letters to the queue from which they came: one, or all (at most `count`). Returns their number. */
  async replay(queue: keyof Q & string, { signal, ...query }: RequestOptions & { id?: string; count?: number } = {}): Promise<number> {
    const { replayed } = await this.http.json<{ replayed: number }>(`${path(`${queue}.dead`)}/replay`, { method: "POST", query, signal });
    return replayed;
  }

  settings(queue: QueueOf<Q>, options: RequestOptions = {}): Promise<QueueSettings & { queue: string }> {
    return this.http.json(`${path(queue)}/settings`, { repeatable: true, ...options });
  }

  /** Changes some settings; makes the queue where it does not exist. */
  changeSettings(queue: QueueOf<Q>, change: SettingsChange, options: RequestOptions = {}): Promise<QueueSettings & { queue: string }> {
    return this.http.json(`${path(queue)}/settings`, {
      method: "PATCH", body: json(change), contentType: "application/json", repeatable: true, ...options,
    });
  }

  /** One queue's numbers; null without one. */
  queue(queue: QueueOf<Q>, options: RequestOptions = {}): Promise<QueueInfo | null> {
    return orNull(this.http.json(`/j/${encodeURIComponent(queue)}`, { repeatable: true, ...options }));
  }

  /** All queues, a page at a time. */
  async *queues({ signal, pageSize }: Omit<BrowseOptions, "state"> = {}): AsyncGenerator<QueueInfo, void, undefined> {
    let after: string | undefined;
    do {
      const page = await this.http.json<{ queues: QueueInfo[]; next: string | null }>("/q", {
        query: { limit: pageSize, after }, signal, repeatable: true,
      });
      yield* page.queues;
      after = page.next ?? undefined;
    } while (after !== undefined);
  }

  /** The keys of a queue that have live messages, in the order of their UTF-8 bytes, a page at a time. */
  async *keys(queue: QueueOf<Q>, { signal, pageSize }: Omit<BrowseOptions, "state"> = {}): AsyncGenerator<KeyInfo, void, undefined> {
    let after: string | undefined;
    do {
      const page = await this.http.json<{ keys: KeyInfo[]; next: string | null }>(`${path(queue)}/keys`, {
        query: { limit: pageSize, after }, signal, repeatable: true,
      });
      yield* page.keys;
      after = page.next ?? undefined;
    } while (after !== undefined);
  }

  /** Empties a queue, which stays with its settings, history and consumers. How many messages are gone. */
  async purge(queue: QueueOf<Q>, options: RequestOptions = {}): Promise<number> {
    return (await this.http.json<{ purged: number }>(`${path(queue)}/purge`, { method: "POST", repeatable: true, ...options })).purged;
  }

  /** Removes a queue with all its messages and settings, and ends its streams. */
  async deleteQueue(queue: QueueOf<Q>, options: RequestOptions = {}): Promise<void> {
    await this.http.json(path(queue), { method: "DELETE", repeatable: true, ...options });
  }

  /** The consumers of a queue. */
  async consumers(queue: QueueOf<Q>, options: RequestOptions = {}): Promise<ConsumerInfo[]> {
    return (await this.http.json<{ consumers: ConsumerInfo[] }>(`${path(queue)}/consumers`, { repeatable: true, ...options })).consumers;
  }

  /** The presence of a queue: its consumers, for every client that may listen to it. */
  presence(queue: QueueOf<Q>, options: RequestOptions = {}): Promise<Presence> {
    return this.http.json<Presence>(`${path(queue)}/presence`, { repeatable: true, ...options });
  }

  /** Disconnects one of them. False: there is no consumer of that number. */
  disconnect(queue: QueueOf<Q>, id: number, options: RequestOptions = {}): Promise<boolean> {
    return this.#found(`${path(queue)}/consumers/${id}`, { method: "DELETE", ...options });
  }

  /** The workers with a name. */
  async workers(options: RequestOptions = {}): Promise<WorkerInfo[]> {
    return (await this.http.json<{ workers: WorkerInfo[] }>("/w", { repeatable: true, ...options })).workers;
  }

  stats(options: RequestOptions = {}): Promise<Stats> {
    return this.http.json("/stats", { repeatable: true, ...options });
  }

  /** Messages as they come, through reconnects: `for await (const message of client.consume("orders"))`. */
  consume<K extends QueueOf<Q>>(queue: K, options: ManualConsumeOptions): MessageStream<LeasedMessage<BodyOf<Q, K>>>;
  consume<K extends QueueOf<Q>>(queue: K, options?: ConsumeOptions): MessageStream<Message<BodyOf<Q, K>>>;
  /** The messages of many queues on one stream: `consume(["a", "b"])`, `consume({ match: "orders.*" })`. Each message names its queue. */
  consume(queues: readonly QueueOf<Q>[] | Queues, options: ManualConsumeOptions): MessageStream<LeasedMessage>;
  consume(queues: readonly QueueOf<Q>[] | Queues, options?: ConsumeOptions): MessageStream<Message>;
  consume(queue: string | readonly string[] | Queues, options: ConsumeOptions | ManualConsumeOptions = {}): MessageStream<Message> {
    return openStream(this.http, this.options, queue, options);
  }

  /** Works on a queue's messages: acks what returned, releases what threw. Begins with {@link Worker.run}. */
  worker<K extends QueueOf<Q>>(queue: K, handle: Handler<BodyOf<Q, K>>, options?: WorkerOptions): Worker<BodyOf<Q, K>> {
    return new Worker(stream => this.consume(queue, stream), queue, handle, options);
  }

  async #take(queue: string, { signal, ...query }: LeaseOptions & { count?: number }): Promise<any[]> {
    const envelopes = await this.http.json<Envelope[]>(`${path(queue)}/batch`, {
      // A lease whose answer was lost ends by itself; a take whose answer was lost is lost, and must be known.
      query, signal, repeatable: query.ttr !== undefined, wait: query.wait === undefined ? 0 : milliseconds(query.wait),
    });
    return envelopes.map(envelope => query.ttr === undefined ? readEnvelope(envelope) : new Received(envelope, this.#leases));
  }

  async #found(url: string, call: Call): Promise<boolean> {
    return await orNull(this.http.json(url, call).then(() => true)) ?? false;
  }
}

function path(queue: string): string {
  return `/q/${segment(queue)}`;
}

function messagePath(queue: string, id: string): string {
  return `${path(queue)}/messages/${segment(id)}`;
}

/** Every parser of URLs takes dots for a way up, however they are escaped: the request would be for something else. */
function segment(text: string): string {
  if (text === "" || text === "." || text === "..") {
    throw new RangeError(`'${text}' cannot be the name of a queue or the id of a message.`);
  }

  return encodeURIComponent(text);
}

/** A line of a batch; of a blob later, for it has to be read first. */
function line(item: PutItem, common: string | undefined): string | Promise<string> {
  const { body } = item;
  const contentType = item.contentType ?? common;
  if (body instanceof Blob) {
    return body.arrayBuffer().then(bytes => line({ ...item, body: bytes, contentType: contentType ?? (body.type || binary) }, common));
  }

  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    const { body: bytes, contentType: type } = encodeBody(body, contentType);
    return JSON.stringify({ ...item, body: encodeBase64(bytes as Bytes), encoding: "base64", contentType: type });
  }

  const type = contentType ?? (typeof body === "string" ? "text/plain" : undefined);
  return `{"body":${json(body)},${JSON.stringify({ ...item, body: undefined, contentType: type }).slice(1)}`.replace(/,\}$/, "}");
}

/** Null for what is not there. */
async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof PushQueueError && error.type === "not-found") {
      return null;
    }

    throw error;
  }
}
