// Consumers that are processes of their own.
import { spawn } from 'node:child_process';

const newline = 0x0a;

/** Cuts a stream of bytes into lines. */
class LineReader {
  #rest = Buffer.alloc(0);
  #onLine;

  constructor(onLine) {
    this.#onLine = onLine;
  }

  add(chunk) {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      this.#onLine(bytes.toString('utf8', start, end));
      start = end + 1;
    }

    this.#rest = bytes.subarray(start);
  }
}

/**
 * Starts a process and hands on each line that it writes. Completes once `onLine` answered true, which it does when the consumer is
 * subscribed; fails if the process ends before that.
 */
export function startProcess(command, args, onLine) {
  const process = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  process.stderr.on('data', chunk => {
    errors += chunk;
  });
  const ended = new Promise((resolve, reject) => {
    const reader = new LineReader(line => {
      try {
        if (onLine(line)) {
          started();
        }
      } catch (error) {
        reject(new Error(`${command} wrote '${line}': ${error.message}`));
      }
    });
    process.stdout.on('data', chunk => reader.add(chunk));
    process.on('error', error => reject(new Error(`${command} cannot be started: ${error.message}`)));
    process.on('close', code => (code === 0 ? resolve() : reject(new Error(`${command} ended with code ${code}: ${errors.trim()}`))));
  });
  const failed = new Promise((_, fail) => {
    ended.catch(fail);
  });
  failed.catch(() => {});

  async function stop() {
    if (process.exitCode === null && process.signalCode === null) {
      process.kill();
    }

    await ended.catch(() => {});
  }

  let started;
  return new Promise((resolve, reject) => {
    started = () => resolve({ failed, stop });
    ended.then(() => reject(new Error(`${command} ended before it was subscribed: ${errors.trim()}`)), reject);
  });
}
