/**
 * The epoch of a cursor; undefined where the cursor is of a queue that did not exist yet (`new.0`), whose epoch comes with its first
 * message.
 */
function epochOf(cursor: string | undefined): string | undefined {
  const [, epoch] = /^(.+)\.\d+$/.exec(cursor ?? "") ?? [];
  return epoch === "new" ? undefined : epoch;
}

/**
 * Where a stream is in the order of broadcast, so that it resumes exactly there. A cursor is an epoch and an offset; envelopes have only
 * the offset, so the epoch comes from the first cursor or is asked for.
 */
export class Position {
  #epoch: string | undefined;
  #last: number | undefined;
  #isNew = false;

  constructor(private start: string | undefined) {
    this.learn(epochOf(start));
  }

  /** Whether nothing says yet where the stream begins. */
  get open(): boolean {
    return this.#last === undefined && (this.start === undefined || this.start === "latest");
  }

  get knowsEpoch(): boolean {
    return this.#epoch !== undefined;
  }

  /** The cursor behind the last message. Of a queue that did not exist it counts from the queue's beginning until the epoch is known. */
  get cursor(): string | undefined {
    const epoch = this.#epoch ?? (this.#isNew ? "new" : undefined);
    return epoch !== undefined && this.#last !== undefined ? `${epoch}.${this.#last}` : undefined;
  }

  /** The start of the next subscription. */
  get from(): string | undefined {
    return this.cursor ?? (this.#last === undefined ? this.start : String(this.#last + 1));
  }

  /** The stream begins behind this cursor, or with the first message of a queue that is not there yet. */
  begin(cursor: string | undefined): void {
    this.start = cursor ?? "earliest";
    this.#isNew = cursor?.startsWith("new.") === true;
    this.learn(epochOf(cursor));
  }

  /** The server has passed over what came before, or has given the newest message of each key. */
  reach(cursor: string): void {
    const dot = cursor.lastIndexOf(".");
    this.start = cursor;
    this.#epoch = epochOf(cursor);
    this.#last = Number(cursor.slice(dot + 1));
  }

  learn(epoch: string | undefined): void {
    this.#epoch ??= epoch;
  }

  /** Goes behind a message. False: it came before. */
  move(offset: number, cursor: string | undefined): boolean {
    if (this.start === "latest-per-key") {
      // One that stands before others which have not come yet: nothing resumes behind it.
      return true;
    }

    const epoch = cursor?.slice(0, cursor.lastIndexOf(".")) ?? this.#epoch;
    if (epoch !== undefined && epoch === this.#epoch && this.#last !== undefined && offset <= this.#last) {
      return false;
    }

    this.#epoch = epoch;
    this.#last = offset;
    return true;
  }

  /** Offsets begin again. */
  reset(): void {
    this.#epoch = this.#last = undefined;
    this.#isNew = false;
    this.start = "earliest";
  }
}
