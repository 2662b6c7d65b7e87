// A server as users run it: a process of its own, on a free port, with a folder of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
export const assembly = join(root, 'artifacts', 'bin', 'PushQueue.Server', 'release', 'PushQueue.Server.dll');

export class Server {
  #process = null;
  #options;
  #port = 0;

  /** Sent with each request of a test's own, where the server asks for one. */
  key = null;

  constructor(directory, options) {
    this.directory = directory;
    this.#options = options;
  }

  static async start(...options) {
    const server = new Server(await mkdtemp(join(tmpdir(), 'pushqueue-dashboard-')), options);
    await server.run();
    return server;
  }

  get pid() {
    return this.#process.pid;
  }

  /** Starts the process; after a stop on the same port, with the same data. */
  async run() {
    this.#process = spawn('dotnet', [assembly, '--port', String(this.#port), '--data', join(this.directory, 'data'), ...this.#options], {
      cwd: this.directory, stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface(this.#process.stdout), 'line', { signal: AbortSignal.timeout(60_000) });
    this.url = /listening on (http:\/\/\S+?),? /.exec(line)[1];
    this.#port = Number(new URL(this.url).port);
  }

  /** SIGTERM, and waits until the process is gone. */
  async stop() {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exit = once(this.#process, 'exit');
      this.#process.kill('SIGTERM');
      await exit;
    }
  }

  async close() {
    await this.stop();
    await rm(this.directory, { recursive: true });
  }

  async fetch(path, { method = 'GET', body, headers } = {}) {
    const response = await fetch(
      `${this.url}/${path}`,
      { method, body, headers: this.key ? { ...headers, Authorization: `Bearer ${this.key}` } : headers });
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    }

    return response.status === 204 ? null : response.text();
  }

  async json(path, options) {
    return JSON.parse(await this.fetch(path, options));
  }

  put(queue, body = 'x', query = '') {
    return this.fetch(
      `q/${encodeURIComponent(queue)}${query}`,
      { method: 'POST', body, headers: { 'Content-Type': body.startsWith('{') ? 'application/json' : 'text/plain' } });
  }

  putMany(queue, bodies) {
    return this.fetch(`q/${encodeURIComponent(queue)}/batch`, {
      method: 'POST', body: bodies.map(body => JSON.stringify(body)).join('\n'), headers: { 'Content-Type': 'application/x-ndjson' },
    });
  }

  set(queue, settings) {
    return this.json(`q/${encodeURIComponent(queue)}/settings`, { method: 'PATCH', body: JSON.stringify(settings) });
  }

  info(queue) {
    return this.json(`j/${encodeURIComponent(queue)}`);
  }
}

/** Asks again until it is so; says what was not so where it never is. */
export async function until(what, condition, ms = 20_000) {
  const end = Date.now() + ms;
  let last = null;
  while (Date.now() < end) {
    try {
      const value = await condition();
      if (value) {
        return value;
      }
    } catch (error) {
      last = error;
    }

    await new Promise(resolve => setTimeout(resolve, 50));
  }

  throw new Error(`After ${ms / 1000} s this is still not so: ${what}`, { cause: last });
}
