// A server as users run it: a process of its own, on a free port, with a folder of its own.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
export const assembly = process.env.PUSHQUEUE_TEST_SERVER
  ?? join(root, 'artifacts', 'bin', 'PushQueue.Server', 'release', 'PushQueue.Server.dll');

/** A key and its entry in the access file, as the server makes them. */
export async function newKey(name, queue, can) {
  const { stdout } = await promisify(execFile)('dotnet', [assembly, 'key', 'new', '--name', name, '--queue', queue, '--can', can]);
  return { key: /^pq_.*$/m.exec(stdout)[0], entry: stdout.slice(stdout.indexOf('{')) };
}

export class Server {
  #process = null;
  #options;
  #port = 0;

  constructor(directory, options) {
    this.directory = directory;
    this.#options = options;
  }

  static async start(...options) {
    const server = new Server(await mkdtemp(join(tmpdir(), 'pushqueue-js-')), options);
    await server.run();
    return server;
  }

  /** Starts the process; after a stop on the same port, with the same data. */
  async run() {
    this.#process = spawn('dotnet', [assembly, '--port', String(this.#port), '--data', join(this.directory, 'data'), ...this.#options], {
      cwd: this.directory, stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.url = await this.#address();
    this.#port = Number(new URL(this.url).port);
  }

  /** The first address that it prints; warnings may come before. */
  async #address() {
    for await (const line of createInterface(this.#process.stdout)) {
      const [, url] = /listening on (http:\/\/[^\s,]+)/i.exec(line) ?? [];
      if (url !== undefined) {
        // Later output must not fill the pipe.
        this.#process.stdout.resume();
        return url;
      }
    }

    throw new Error('The server ended without an address.');
  }

  /** SIGTERM, or another signal, and waits until the process is gone. */
  async stop(signal = 'SIGTERM') {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exit = once(this.#process, 'exit');
      this.#process.kill(signal);
      await exit;
    }
  }

  async close() {
    await this.stop();
    await rm(this.directory, { recursive: true });
  }
}
