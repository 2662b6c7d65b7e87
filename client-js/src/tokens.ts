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

    if (this.#known !== undefined && this.#msLeft(this.#known.token) > 0) {
      return this.#known.token;
    }

    return await (this.#asking ??= this.#ask().finally(() => { this.#asking = undefined; }));
  }

  /** The server refused this token, or the present one: it is not given out again. One that has come since stays. */
  refused(token: string | undefined = this.#known?.token): void {
    if (this.#known?.token === token) {
      this.#known = undefined;
    }
  }

  /**
   * Sends each next token over a connection before the present one ends. A token counts as accepted when `send` has completed; until then
   * it is sent again and again. Returns what ends that.
   * @param opened The token that opened the connection.
   */
  keep(opened: string | undefined, send: (token: string) => unknown): () => void {
    let accepted = opened;
    let over = false;
    let cancel = () => {};
    const renew = async () => {
      let token: string | undefined;
      try {
        token = await this.get();
        if (!over && token !== undefined && token !== accepted) {
          // An answer may come late; the next token is not kept back for that.
          const next = Math.max(this.#msLeft(token), shortestWaitMs);
          const sent = Promise.resolve(send(token));
          await new Promise<unknown>((resolve, reject) => {
            cancel = after(next, () => reject(new PushQueueError("timeout", "The server has not answered to the token.")));
            sent.then(resolve, reject);
          }).finally(() => cancel());
          accepted = token;
        }
      } catch (error) {
        // Tried again a moment later. The stream goes on until the server ends it, and then asks for a token of its own.
        if (token !== undefined && error instanceof PushQueueError && error.type === "unauthorized") {
          this.refused(token);
        }
      }

      wait(shortestWaitMs);
    };
    const wait = (shortest: number) => {
      if (!over && this.canRenew && lifeMs(accepted) !== undefined) {
        // While another token is the present one, the server does not have that yet.
        cancel = after(Math.max(this.#msLeft(accepted), shortest), () => void renew());
      }
    };
    wait(0);
    return () => {
      over = true;
      cancel();
    };
  }

  /** How long until another token takes the place of this one: not at all where another is the present one already, or none is. */
  #msLeft(token: string | undefined): number {
    const known = this.#known;
    return known === undefined || known.token !== token ? 0
      : known.renewAfter === undefined ? Infinity
      : known.at + known.renewAfter - performance.now();
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
