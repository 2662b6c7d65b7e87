import { PushQueueError } from "../errors.js";
import type { Leases } from "../leases.js";
import type { Held } from "./held.js";

/** How long giving back may take; what cannot be given back goes when its lease or its grace time ends. */
export const goodbyeMs = 5000;

/**
 * Gives back what a stream still holds when it ends or has lost its place: what the program had started as a failed attempt, the rest as if
 * it had not been delivered.
 */
export class Goodbye {
  #handingBack: Promise<void> | undefined;

  constructor(private readonly leases: Leases, private readonly held: Held, private readonly queue: string) {}

  /**
   * The stream stands again, but in a new place: at another node, say, while the old one keeps what this program has not begun. That goes
   * back now, and not as a failed attempt when the old place is given up.
   */
  handBackUnstarted(): void {
    const unstarted = this.held.takeUnstarted("Another stream took over this one's place; the message went back.");
    this.#handingBack = this.leases.releaseMany(this.queue, unstarted, { unstarted: true }, AbortSignal.timeout(goodbyeMs)).catch(() => {
      // Then they go back when their leases end.
    });
  }

  /** Until what was handed back has gone. */
  async handedBack(): Promise<void> {
    await this.#handingBack;
  }

  /** For transports that cannot say it, and for connections that are gone. */
  async leave(base: string, token: string, limit: AbortSignal): Promise<void> {
    const started = this.held.started();
    try {
      await this.leases.leave(base, this.queue, token, started, limit).catch(async error => {
        if (!(error instanceof PushQueueError && error.type === "not-found")) {
          throw error;
        }

        // The place is at another node, or was given up; leases can be settled anywhere.
        const unstarted = this.held.takeUnstarted("The stream ended.");
        await this.leases.releaseMany(this.queue, unstarted, { unstarted: true }, limit);
        await this.leases.releaseMany(this.queue, started, { error: "the consumer left" }, limit);
      });
    } catch {
      // Then they go back when the grace time is over.
    }
  }
}
