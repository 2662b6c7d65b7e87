/** The types of problem that a server answers; compare these, never the sentence. */
export type ServerProblem =
  | "bad-option" | "bad-queue-name" | "bad-message-id" | "bad-json" | "bad-command" | "bad-request"
  | "unauthorized" | "forbidden" | "forbidden-origin" | "not-found" | "method-not-allowed" | "request-timeout"
  | "queue-stopped" | "wrong-policy" | "lease-lost" | "unique-key-taken"
  | "dead-lettered" | "expired" | "cancelled" | "dropped" | "queue-deleted" | "too-many-waiting"
  | "message-too-large" | "batch-too-large" | "unsupported" | "upgrade-required"
  | "queue-full" | "too-many-requests" | "too-many-connections"
  | "internal-error" | "store-unavailable" | "shutting-down" | "disk-full";

/**
 * The problems that the client itself finds: `connection-lost` (nobody answers, or the connection broke), `timeout` (no answer in time),
 * `bad-answer` (another server answers), `not-roundrobin` (a worker on a queue that broadcasts).
 */
export type ClientProblem = "connection-lost" | "timeout" | "bad-answer" | "not-roundrobin";

/** A type of problem. A newer server may have others, too. */
export type ProblemType = ServerProblem | ClientProblem | (string & Record<never, never>);

/** A problem between this client and the server. An abort throws the signal's reason instead. */
export class PushQueueError extends Error {
  override readonly name = "PushQueueError";

  constructor(
    /** The stable type, such as `queue-full`. */
    readonly type: ProblemType,
    /** A sentence for people that says what to do. */
    detail: string,
    /** The HTTP status; 0 where there was no answer. */
    readonly status = 0,
    options?: { cause?: unknown },
  ) {
    super(detail, options);
  }

  /** Whether the same request may succeed in a moment. */
  get transient(): boolean {
    // By type, too: what a socket answers has no status.
    return ["connection-lost", "timeout", "too-many-requests", "too-many-connections", "store-unavailable", "shutting-down"].includes(
      this.type) || (this.status >= 500 && this.status !== 507);
  }
}
