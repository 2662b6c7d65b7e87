import type { StreamItem } from "./transport.js";

/**
 * Where a stream over many queues is: the last cursor of the server, which may be behind, and the last offset of each queue, so that
 * the program gets no message twice after a reconnect.
 */
export class ManyPosition {
  #cursor: string | undefined;
  readonly #offsets = new Map<string, number>();
  readonly #epochs = new Map<string, string>();

  constructor(private readonly start: string | undefined) {}

  /** The start of the next subscription. */
  get from(): string | undefined {
    return this.#cursor ?? this.start;
  }

  /** The cursor, if one has come. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** A stream stands, over these queues. */
  begin(queues: readonly string[], cursor: string): void {
    this.#cursor = cursor;
    const there = new Set(queues);
    for (const queue of [...this.#offsets.keys()].filter(queue => !there.has(queue))) {
      this.#offsets.delete(queue);
    }
  }

  learn(cursor: string): void {
    this.#cursor = cursor;
  }

  /** Goes behind a message. False: it came before. */
  move(queue: string, offset: number): boolean {
    if (offset <= (this.#offsets.get(queue) ?? 0)) {
      return false;
    }

    this.#offsets.set(queue, offset);
    return true;
  }

  /** Notes an event that changes where the stream is. */
  note(item: StreamItem): void {
    const queue = item["queue"] as string | undefined;
    if (item["event"] === "cursor") {
      this.learn(item["cursor"] as string);
    } else if (queue !== undefined && item["event"] === "subscribed") {
      const [epoch] = (item["position"] as string).split(".") as [string];
      if (this.#epochs.get(queue) !== epoch) {
        this.#offsets.delete(queue);
      }

      this.#epochs.set(queue, epoch);
    } else if (queue !== undefined && (item["event"] === "close" || item["cause"] === "reset")) {
      this.#offsets.delete(queue);
    }
  }
}
