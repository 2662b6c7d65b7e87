// An access file with keys that a test makes, changes and takes away.
import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { assembly } from './server.mjs';

const run = promisify(execFile);

export class KeyRing {
  #entries = new Map();
  #directory;

  constructor(directory) {
    this.#directory = directory;
    this.path = join(directory, 'access.json');
  }

  static async make(t) {
    const ring = new KeyRing(await mkdtemp(join(tmpdir(), 'pushqueue-keys-')));
    t.after(() => rm(ring.#directory, { recursive: true }));
    return ring;
  }

  /** A new key by the server's own command; returns its text. */
  async add(name, grants) {
    const { stdout } = await run('dotnet', [assembly, 'key', 'new', '--name', name, '--queue', 'x', '--can', 'stats']);
    const key = stdout.split('\n').find(line => line.startsWith('pq_')).trim();
    this.#entries.set(name, { ...JSON.parse(stdout.slice(stdout.indexOf('{'))), grants });
    await this.#write();
    return key;
  }

  async grant(name, grants) {
    this.#entries.get(name).grants = grants;
    await this.#write();
  }

  async remove(name) {
    this.#entries.delete(name);
    await this.#write();
  }

  /** In one step, as careful editors do. */
  async #write() {
    await writeFile(`${this.path}.new`, JSON.stringify({ keys: [...this.#entries.values()] }));
    await rename(`${this.path}.new`, this.path);
  }
}
