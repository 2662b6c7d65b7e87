import { PushQueueError } from "./errors.js";
import { after } from "./waiting.js";

/** Gives a token; nothing for none. */
export type TokenProvider = () => string | undefined | Promise<string | undefined>;

/** A provider that keeps giving a token that is about to end is asked no more often than this. */
const shortestWaitMs = 1000;

/**
 * The key of the client, or the tokens of the program's provider. A token is kept until four fifths of its life are over, so that the next
 * one is there before it ends.
 */
export class Tokens {
  #known: { token: string | undefined; at: number; renewAfter: number | undefined } | undefined;
  #asking: Promise<string | undefined> | undefined;

  constructor(private readonly key: string | undefined, private readonly provider: TokenProvider | undefined) {}

  /** Whether there can be another token than the present one. */
  get canRenew(): boolean {
    return this.provider !== undefined;
  }

  /** The key or token to send now. */
  async get(): Promise<string | undefined> {
    if (this.provider === undefined) {
      return this.key;
    }

    if (this.#known !== undefined && !((this.msUntilRenewal ?? 1) <= 0)) {
      return this.#known.token;
    }

    return await (this.#asking ??= this.#ask().finally(() => { this.#asking = undefined; }));
  }

  /** How long until the present token is renewed; undefined if that has no end. */
  get msUntilRenewal(): number | undefined {
    return this.#known?.renewAfter === undefined ? undefined : this.#known.at + this.#known.renewAfter - performance.now();
  }

  /** The server refused the present token: it is not given out again. */
  refused(): void {
    this.#known = undefined;
  }

  /** Sends each next token over a connection before the present one ends. Returns what ends that. */
  keep(send: (token: string) => unknown): () => void {
    let over = false;
    let cancel = () => {};
    const renew = async () => {
      try {
        const token = await this.get();
        if (!over && token !== undefined) {
          await send(token);
        }
      } catch {
        // Tried again a moment later. The stream goes on until the server ends it, and then asks for a token of its own.
      }

      wait();
    };
    const wait = () => {
      const left = this.msUntilRenewal;
      if (!over && left !== undefined) {
        cancel = after(Math.max(left, shortestWaitMs), () => void renew());
      }
    };
    wait();
    return () => {
      over = true;
      cancel();
    };
  }

  async #ask(): Promise<string | undefined> {
    try {
      const token = await this.provider!();
      const life = lifeMs(token);
      this.#known = { token, at: performance.now(), renewAfter: life === undefined ? undefined : life * 0.8 };
      return token;
    } catch (cause) {
      throw cause instanceof PushQueueError
        ? cause
        : new PushQueueError("connection-lost", `The function 'token' gave no token: ${(cause as Error)?.message ?? cause}`, 0, { cause });
    }
  }
}

/**
 * How long a JSON Web Token still lasts; undefined for another text, such as a key. Not by the clocks alone, which may differ: no longer
 * than from the token's making to its end.
 */
function lifeMs(token: string | undefined): number | undefined {
  const payload = token?.split(".")[1];
  if (!payload) {
    return undefined;
  }

  try {
    const { exp, iat } = JSON.parse(atob(payload.replace(/-/g, "+").replace(/_/g, "/"))) as { exp?: unknown; iat?: unknown };
    if (typeof exp !== "number") {
      return undefined;
    }

    const left = exp - Date.now() / 1000;
    const whole = typeof iat === "number" ? exp - iat : left;
    return Math.max(left > 0 ? Math.min(left, whole) : whole, 1) * 1000;
  } catch {
    // A text of another form; the server says whether it accepts it.
    return undefined;
  }
}
