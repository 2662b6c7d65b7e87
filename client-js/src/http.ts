import type { Duration } from "./duration.js";
import { milliseconds } from "./duration.js";
import { PushQueueError } from "./errors.js";
import type { Tokens } from "./tokens.js";
import type { Retry } from "./waiting.js";
import { after, backoff, pause } from "./waiting.js";

/** Query parameters; what is undefined is left out. */
export type Query = Record<string, string | number | boolean | Date | readonly string[] | undefined>;

export interface Call {
  method?: string;
  query?: Query | undefined;
  body?: string | Uint8Array<ArrayBuffer> | Blob | undefined;
  contentType?: string | undefined;
  /** The headers of the messages that it puts. */
  headers?: Readonly<Record<string, string>> | undefined;
  signal?: AbortSignal | undefined;
  /** Whether sending it twice does no harm; only then it is tried again after a broken connection. */
  repeatable?: boolean;
  /** Tries in all where the client's options do not say; default 4. */
  attempts?: number;
  /** Told before it is sent again. */
  onRepeat?: () => void;
  /** Told the key or token with which it is sent. */
  onToken?: (token: string | undefined) => void;
  /** Milliseconds that the server may take on purpose. */
  wait?: number;
  /** The only server that will do; without it, whichever is in use. */
  base?: string;
}

/** Makes requests: addresses, the key, the time limit, tries again, and turns what goes wrong into a {@link PushQueueError}. */
export class Http {
  /** All go to the same server, until somebody finds that it cannot serve. Any will do, so nobody goes back. */
  readonly #bases: string[];
  #current = 0;

  constructor(
    urls: string | URL | readonly (string | URL)[],
    readonly tokens: Tokens,
    private readonly fetcher: typeof fetch,
    private readonly timeout: Duration,
    readonly retry: Retry,
  ) {
    this.#bases = [...new Set([urls].flat().map(baseOf))];
    if (this.#bases.length === 0) {
      throw new TypeError("Give the address of a server.");
    }
  }

  /** The address of the server in use, without a slash at its end. */
  get base(): string {
    return this.#bases[this.#current]!;
  }

  /** How many servers there are. */
  get servers(): number {
    return this.#bases.length;
  }

  /** The server at this address cannot serve. Nothing happens where somebody else has moved on already. */
  moveOn(base: string): void {
    if (base === this.base) {
      this.#current = (this.#current + 1) % this.#bases.length;
    }
  }

  url(path: string, query: Query = {}, base = this.base): string {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined) {
          parameters.append(name, one instanceof Date ? one.toISOString() : String(one));
        }
      }
    }

    return base + path + (parameters.size > 0 ? `?${parameters}` : "");
  }

  /** The JSON of the answer; undefined where it has no body. */
  async json<T>(path: string, call: Call = {}): Promise<T> {
    const attempts = this.retry.attempts ?? call.attempts ?? 4;
    let untried = call.base === undefined ? this.servers : 1;
    let renewed = !this.tokens.canRenew;
    for (let attempt = 1; ; attempt++) {
      const base = call.base ?? this.base;
      untried--;
      try {
        return await this.once<T>(path, { ...call, base });
      } catch (error) {
        if (error instanceof PushQueueError && error.type === "unauthorized" && !renewed) {
          // Refused before anything was done; another token may do.
          renewed = true;
          untried++;
          continue;
        }

        if (!(error instanceof PushQueueError && error.transient)) {
          throw error;
        }

        if (error.type !== "too-many-requests") {
          this.moveOn(base);
        }

        if (!(call.repeatable || nothingDone(error)) || (attempt >= attempts && untried <= 0)) {
          throw error;
        }

        if (untried <= 0) {
          await pause(backoff(this.retry, attempt), call.signal);
        }

        call.onRepeat?.();
      }
    }
  }

  /** Sends once; the answer may be any. */
  async send(path: string, call: Call, headers: Record<string, string> = {}): Promise<Response> {
    const token = await this.tokens.get();
    call.onToken?.(token);
    if (token !== undefined) {
      headers["Authorization"] = `Bearer ${token}`;
    }

    if (call.contentType !== undefined) {
      headers["Content-Type"] = call.contentType;
    }

    for (const [name, value] of Object.entries(call.headers ?? {})) {
      const field = `PushQueue-Header-${name}`;
      if (!/^[A-Za-z0-9._-]+$/.test(name) || Object.keys(headers).some(other => other.toLowerCase() === field.toLowerCase())) {
        throw new PushQueueError("bad-option", `'${name}' cannot be the name of a header, or is given twice; case does not matter.`);
      }

      headers[field] = encodeHeader(value);
    }

    const init: RequestInit = { method: call.method ?? "GET", headers, cache: "no-store", signal: call.signal ?? null };
    if (call.body !== undefined) {
      init.body = call.body;
    }

    try {
      const response = await this.fetcher(this.url(path, call.query, call.base), init);
      if (response.status === 401) {
        this.tokens.refused(token);
      }

      return response;
    } catch (error) {
      throw this.broken(error, call.signal, call.base);
    }
  }

  /** The meaning of a failed fetch or read. */
  broken(error: unknown, signal?: AbortSignal | null, base = this.base): unknown {
    return signal?.aborted
      ? signal.reason
      : new PushQueueError(
        "connection-lost", `The server at ${base} cannot be reached, or the connection broke${ofOtherOrigin(base)}.`, 0, { cause: error });
  }

  private async once<T>(path: string, call: Call): Promise<T> {
    const late = new AbortController();
    const limit = milliseconds(this.timeout) + (call.wait ?? 0);
    const answered = after(
      limit, () =>
      late.abort(new PushQueueError("timeout", `The server at ${call.base ?? this.base} did not answer within ${limit / 1000} seconds.`)));
    const signal = call.signal ? AbortSignal.any([call.signal, late.signal]) : late.signal;
    try {
      const response = await this.send(path, { ...call, signal });
      const text = await response.text().catch(error => { throw this.broken(error, signal, call.base); });
      if (!response.ok) {
        throw problem(response, text);
      }

      return parse(text, response);
    } finally {
      answered();
    }
  }
}

/** A browser does not say that the server refused the page's origin; a sentence for pages of another origin than the server's. */
function ofOtherOrigin(base: string): string {
  const page = (globalThis as { location?: Location }).location?.origin;
  return page === undefined || page === new URL(base).origin ? "" : `, or it does not allow pages of ${page} (--allow-origin)`;
}

/** Whether it is certain that the server did nothing; browsers do not tell why they reached none. */
function nothingDone({ type, cause }: PushQueueError): boolean {
  const code = (cause as { cause?: { code?: string } } | undefined)?.cause?.code;
  return type === "shutting-down" || code === "ECONNREFUSED" || code === "ENOTFOUND";
}

/** A field of HTTP holds ASCII; any other value goes as RFC 8187 says. */
function encodeHeader(value: string): string {
  return /^[!-~]([ -~]*[!-~])?$|^$/.test(value) && !/^utf-8''/i.test(value)
    ? value
    : `UTF-8''${encodeURIComponent(value).replace(/['()*!]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`;
}

function baseOf(url: string | URL): string {
  const { protocol, href } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") {
    throw new TypeError(`'${url}' is not the address of a server; it begins with http:// or https://.`);
  }

  return href.replace(/[?#].*$/, "").replace(/\/+$/, "");
}

/** The error that an answer tells about. */
export function problem(response: Response, text: string): PushQueueError {
  const { type, detail, title } = tryParse(text) as { type?: unknown; detail?: string; title?: string } ?? {};
  return typeof type === "string" ? new PushQueueError(type, detail ?? title ?? type, response.status) : notOurs(response);
}

function parse<T>(text: string, response: Response): T {
  const value = text === "" ? undefined : tryParse(text);
  if (text !== "" && value === undefined) {
    throw notOurs(response);
  }

  return value as T;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The caller decides what that means.
    return undefined;
  }
}

function notOurs({ url, status }: Response): PushQueueError {
  return new PushQueueError(
    "bad-answer", `What answers at ${url} (status ${status}) is not a PushQueue server; check the address.`, status);
}
