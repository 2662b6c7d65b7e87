import { milliseconds } from "../duration.js";
import { PushQueueError } from "../errors.js";
import type { Http } from "../http.js";
import { Leases } from "../leases.js";
import type { Envelope } from "../message.js";
import { Received } from "../message.js";
import type { Tokens } from "../tokens.js";
import type { QueueInfo } from "../types.js";
import type { Retry } from "../waiting.js";
import { backoff, pause } from "../waiting.js";
import { Goodbye, goodbyeMs } from "./goodbye.js";
import { Held } from "./held.js";
import type { Selection } from "./selection.js";
import { ManyPosition } from "./many.js";
import { Position } from "./position.js";
import type { ConsumeOptions, Gap, ManualConsumeOptions } from "./options.js";
import type { StreamItem, StreamSink, Transport } from "./transport.js";
import { StreamEnd } from "./transport.js";

// The limit of received and unconsumed messages before reading pauses; with manual ack prefetch is the closer limit.
const inboxMax = 1000;

/**
 * Keeps one consumer up: connects, hands on what comes, connects again where that makes sense, and remembers between two connections where
 * the stream was and which leases it held. One for each loop over a stream.
 */
export class Session implements StreamSink {
  readonly idleTimeout: number;
  readonly #options: ManualConsumeOptions | ConsumeOptions;
  readonly #manual: ManualConsumeOptions | undefined;
  readonly #position: Position;
  readonly #many: ManyPosition | undefined;
  readonly #held = new Held();
  readonly #leases: Leases;
  readonly #goodbye: Goodbye;
  readonly #stop = new AbortController();
  readonly #abort = () => this.#fail(this.#options.signal!.reason);
  #asked = 0;
  /** A text is a cursor: the stream is behind it without a message. */
  #inbox: (Received | Gap | string)[] = [];
  #cursor: string | undefined;
  #taken = 0;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #failed: { error: unknown } | undefined;
  /** The server ends a former connection of this stream that broke without its noticing. */
  readonly #instance = Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, "0")).join("");
  #token: string | undefined;
  #base: string;
  #connection = 0;
  #stands = false;
  #stoodOnce = false;
  #left = false;
  #askedForToken = false;
  #authorizedBy: string | undefined;

  constructor(
    private readonly http: Http, readonly queue: string, options: ConsumeOptions | ManualConsumeOptions,
    private readonly transport: Transport, private readonly reconnect: Retry, readonly selection?: Selection,
  ) {
    this.#many = selection && new ManyPosition(options.from?.toString());
    this.#options = options;
    this.#base = http.base;
    this.#manual = options.ack === "manual" ? options : undefined;
    this.#position = new Position(options.from?.toString());
    this.#leases = new Leases(http, message => this.#held.remove(message));
    this.#goodbye = new Goodbye(this.#leases, this.#held, queue);
    this.idleTimeout = milliseconds(options.idleTimeout ?? "45s");
  }

  get url(): string {
    return this.#base;
  }

  get tokens(): Tokens {
    return this.http.tokens;
  }

  authorized(token: string | undefined): void {
    this.#authorizedBy = token;
  }

  async explain(): Promise<void> {
    try {
      // Asks for a handshake after all that can be refused before it.
      await this.http.json("/ws", { base: this.#base, signal: this.#stop.signal });
    } catch (error) {
      if (!(error instanceof PushQueueError && error.type === "upgrade-required")) {
        throw error;
      }
    }
  }

  get full(): boolean {
    return this.#inbox.length - this.#taken >= inboxMax;
  }

  async room(): Promise<void> {
    while (this.full && !this.#stop.signal.aborted) {
      await new Promise<void>(resolve => { this.#wakeWriter = resolve; });
    }
  }

  subscription(): Record<string, string | readonly string[]> {
    const { prefetch, overflow, policy, who, where } = this.#options;
    const { ttr, worker, grace = "10s" } = this.#manual ?? {};
    const isKept = this.#many === undefined && milliseconds(grace) > 0;
    const all = {
      from: (this.#many ?? this.#position).from, prefetch, overflow, policy, who: who && JSON.stringify(who),
      instance: this.#many ? undefined : this.#instance,
      ...this.#manual && { ack: "manual", ttr, worker, grace: isKept ? grace : undefined, consumer: this.#token },
    };
    const given = Object.entries(all).filter(([, value]) => value !== undefined).map(([name, value]) => [name, String(value)]);
    return { ...Object.fromEntries(given), ...where !== undefined && { where: [where].flat() } };
  }

  /** The next message, for the loop over the stream. */
  async next(): Promise<IteratorResult<any, undefined>> {
    this.#running ??= this.#start();
    while (this.#stopped === undefined) {
      const item = this.#take();
      if (typeof item === "string") {
        this.#cursor = item;
        continue;
      }

      if (item instanceof Received) {
        item.started = true;
        this.#cursor = item.cursor ?? this.#cursor;
        return { done: false, value: item };
      }

      if (item !== undefined) {
        this.#tell(() => this.#options.onGap?.(item));
      } else if (this.#failed) {
        await this.stop();
        throw this.#failed.error;
      } else {
        await new Promise<void>(resolve => { this.#wakeReader = resolve; });
      }
    }

    return { done: true, value: undefined };
  }

  /** The cursor behind what the loop over the stream has got. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Ends the connection. The messages that the program still holds go back to the queue. */
  stop(): Promise<void> {
    return this.#stopped ??= this.#end();
  }

  standing(cursor?: string, queues?: readonly string[]): void {
    if (this.#many) {
      if (queues !== undefined && cursor !== undefined) {
        this.#many.begin(queues, cursor);
        this.#add(cursor);
      }
    } else if (this.#position.open && this.transport.tellsStart) {
      this.#position.begin(cursor);
    }

    if (!this.#many) {
      this.#learnEpoch();
    }

    this.#stands = this.#stoodOnce = true;
    this.#askedForToken = false;
    this.#tell(() => this.#options.onConnect?.());
  }

  accept(item: StreamItem, cursor?: string): void {
    if (item["event"] !== undefined) {
      this.#acceptEvent(item);
    } else if (typeof item["id"] === "string") {
      this.#acceptMessage(item as unknown as Envelope, cursor);
    }
  }

  #acceptMessage(envelope: Envelope, cursor: string | undefined): void {
    if (envelope.offset !== undefined && this.#many) {
      const isNew = this.#many.move(envelope.queue, envelope.offset);
      if (cursor !== undefined) {
        this.#many.learn(cursor);
      }

      if (!isNew) {
        if (cursor !== undefined) {
          this.#add(cursor);
        }

        return;
      }
    } else if (envelope.offset !== undefined) {
      if (!this.#position.move(envelope.offset, cursor)) {
        return;
      }

      this.#learnEpoch();
    }

    const position = (this.#many ?? this.#position).cursor;
    const message = new Received(envelope, this.#leases, envelope.offset === undefined ? undefined : position);
    if (envelope.receipt === undefined || this.#held.add(message)) {
      this.#add(message);
    }
  }

  #acceptEvent(item: StreamItem): void {
    this.#many?.note(item);
    const event = item as {
      event: string; queue?: string; queues?: string[]; cursor?: string;
      id: string; token: string; place?: string; code: string; reason?: string; reconnect?: boolean; reconnectMs?: number;
    };
    if (event.event === "gap") {
      this.#add(item as unknown as Gap);
      if (item["cause"] === "reset" && !this.#many) {
        this.#position.reset();
        this.#asked = 0;
      }
    } else if (event.event === "cursor") {
      if (!this.#many) {
        this.#position.reach(String(item["cursor"]));
      }

      this.#add(String(item["cursor"]));
    } else if (event.event === "cancel") {
      this.#held.end(event.queue!, event.id, "The message was cancelled.");
      this.#tell(() => this.#options.onCancel?.(event.id));
    } else if (this.#many && event.event === "subscribed") {
      if (event.queues) {
        this.#many.begin(event.queues, event.cursor!);
        this.#add(event.cursor!);
      } else {
        this.#tell(() => this.#options.onJoin?.(event.queue!));
      }
    } else if (this.#many && event.event === "close" && event.queue !== undefined) {
      this.#tell(() => this.#options.onLeave?.(event.queue!, event.code));
    } else if (event.event === "subscribed") {
      if (this.#token !== undefined && this.#token !== event.token) {
        if (event.place === "elsewhere") {
          // The node that it was at may keep it for a while yet.
          this.#goodbye.handBackUnstarted();
        } else {
          this.#held.endAll("The connection was interrupted for too long; the lease is lost.");
        }
      }

      this.#token = event.token;
    } else if (event.event === "close") {
      throw new StreamEnd(event.code, event.reason ?? event.code, event.reconnect === true, event.reconnectMs);
    }
  }

  started(): { id: string; receipt: string }[] {
    return this.#held.started().map(({ id, receipt }) => ({ id, receipt }));
  }

  left(): void {
    this.#left = true;
  }

  #add(item: Received | Gap | string): void {
    this.#inbox.push(item);
    this.#wakeReader?.();
  }

  /** The next of the inbox that is still worth working on. */
  #take(): Received | Gap | string | undefined {
    while (this.#taken < this.#inbox.length && !this.#options.signal?.aborted) {
      const item = this.#inbox[this.#taken++];
      if (this.#taken > inboxMax / 2) {
        this.#inbox = this.#inbox.slice(this.#taken);
        this.#taken = 0;
        this.#wakeWriter?.();
      }

      if (!(item instanceof Received) || !item.signal.aborted) {
        return item;
      }
    }

    this.#wakeWriter?.();
    return undefined;
  }

  async #start(): Promise<void> {
    const { signal } = this.#options;
    if (signal?.aborted) {
      return this.#abort();
    }

    signal?.addEventListener("abort", this.#abort, { once: true });
    try {
      await this.#run();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #run(): Promise<void> {
    for (let failures = 1; ; failures++) {
      const cause = await this.#connectOnce();
      if (this.#stop.signal.aborted) {
        return;
      }

      failures = this.#stands ? 1 : failures;
      this.#stands = false;
      if (this.#token === undefined) {
        this.#held.endAll("The connection broke; the lease is lost.");
      }

      const patient = this.#stoodOnce || this.#options.waitForServer === true;
      const retry = patient ? { attempts: Infinity, ...this.reconnect } : { attempts: 4, ...this.http.retry };
      if (failures >= Math.max(retry.attempts, patient ? 1 : this.http.servers)) {
        throw cause;
      }

      const wait = (cause instanceof StreamEnd ? cause.afterMs : undefined) ?? backoff(retry, failures);
      this.#tell(() => this.#options.onDisconnect?.(cause, wait));
      await pause(wait, this.#stop.signal).catch(() => {});
    }
  }

  /** One connection, to its end. Tells why it ended, and throws where there is to be no other. */
  async #connectOnce(): Promise<PushQueueError> {
    this.#connection++;
    try {
      if (!this.#many && this.#position.open && !this.transport.tellsStart) {
        await this.#learnStart();
      }

      this.#base = this.http.base;
      this.#authorizedBy = undefined;
      await this.transport.run(this, this.#stop.signal);
    } catch (error) {
      if (!this.#stop.signal.aborted) {
        if (error instanceof PushQueueError && this.#mayHaveAnotherToken(error)) {
          return error;
        }

        if (!(error instanceof PushQueueError) || !this.#passes(error)) {
          // Where the server ended it, its place is gone, or another's.
          this.#left ||= error instanceof StreamEnd;
          throw error;
        }

        if (!(error instanceof StreamEnd) || error.type === "server-shutdown") {
          this.http.moveOn(this.#base);
        }

        if (error instanceof StreamEnd && error.type === "server-shutdown") {
          // It has given back what its consumers held.
          this.#token = undefined;
        }

        return error;
      }
    }

    this.http.moveOn(this.#base);
    return new PushQueueError("connection-lost", `The connection to ${this.#base} broke.`);
  }

  /** Has the provider asked for another token where that may help, once for each time that the stream stood. */
  #mayHaveAnotherToken({ type }: PushQueueError): boolean {
    if (!this.tokens.canRenew || this.#askedForToken || (type !== "unauthorized" && type !== "access-ended")) {
      return false;
    }

    this.#askedForToken = true;
    this.tokens.refused(this.#authorizedBy);
    if (type === "access-ended") {
      // Whatever the consumer held was given back with its right.
      this.#token = undefined;
    }

    return true;
  }

  /** Whether another connection may do better. */
  #passes(error: PushQueueError): boolean {
    // A server that refuses options which it accepted before is in trouble for the moment.
    return error instanceof StreamEnd
      ? error.reconnect
      : error.transient || (this.#stoodOnce && (error.type === "bad-answer" || error.type === "bad-option"));
  }

  /** Fixes where the stream begins, so that a connection that breaks before its first message misses nothing. */
  async #learnStart(): Promise<void> {
    try {
      const info = await this.#look();
      this.#position.begin(info ? `${info.epoch}.${info.nextOffset - 1}` : undefined);
    } catch (error) {
      // A key that may listen need not be allowed to look: then the stream begins where the server lets it begin.
      if (!(error instanceof PushQueueError && error.type === "forbidden")) {
        throw error;
      }
    }
  }

  /** Asks for the epoch in the background; until it comes, offsets alone must do. */
  #learnEpoch(): void {
    const connection = this.#connection;
    if (this.#position.knowsEpoch || this.#asked === connection) {
      return;
    }

    this.#asked = connection;
    this.#look().then(
      info => {
        if (connection !== this.#connection) {
          return;
        }

        this.#position.learn(info?.epoch);
        this.#asked = info ? connection : 0;
      },
      () => {
        // Not allowed to look, or the connection is breaking: the next one asks again.
      });
  }

  async #look(): Promise<QueueInfo | undefined> {
    try {
      return await this.http.json<QueueInfo>(`/j/${encodeURIComponent(this.queue)}`, { signal: this.#stop.signal });
    } catch (error) {
      if (error instanceof PushQueueError && error.type === "not-found") {
        return undefined;
      }

      throw error;
    }
  }

  /** Calls a function of the program's; what it throws ends the stream. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The loop over the stream throws this next, and ends the connection. */
  #fail(error: unknown): void {
    this.#failed ??= { error };
    this.#wakeReader?.();
  }

  async #end(): Promise<void> {
    this.#options.signal?.removeEventListener("abort", this.#abort);
    const limit = AbortSignal.timeout(goodbyeMs);
    const expired = new Promise<void>(resolve => limit.addEventListener("abort", () => resolve(), { once: true }));

    // An ack that is under way must not find its lease given back.
    await Promise.race([this.#leases.drained(), expired]);
    this.#stop.abort();
    this.#wakeReader?.();
    this.#wakeWriter?.();
    await Promise.race([this.#running, expired]);
    await Promise.race([this.#goodbye.handedBack(), expired]);
    if (this.#token !== undefined && !this.#left) {
      await this.#goodbye.leave(this.#base, this.#token, limit);
    }
  }
}
