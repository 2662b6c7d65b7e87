// Counts the words of text files by map and reduce, with mappers and reducers as processes of their own, and compares the result with its
// own count. Exit code 1 when they disagree.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PushQueueClient } from 'pushqueue';
import { add, queuesOf, wordsOf } from './job.mjs';

const { values: options } = parseArgs({
  options: {
    server: { type: 'string', default: 'http://127.0.0.1:8080' },
    folder: { type: 'string', default: '/usr/share/common-licenses' },
    mappers: { type: 'string', default: '3' },
    reducers: { type: 'string', default: '2' },
    kill: { type: 'boolean', default: false },
  },
});
const here = dirname(fileURLToPath(import.meta.url));
const job = `mapreduce-${process.pid}-${Date.now()}`;
const queues = queuesOf(job, Number(options.reducers));
const all = [queues.texts, ...queues.counts, queues.results];
const client = new PushQueueClient(options.server.split(','), { apiKey: process.env.PUSHQUEUE_KEY });
const linesPerPart = 50;
const processes = new Set();
let stopping = false;

/** Starts a program; where it dies, another takes its place. */
function start(program, ...parameters) {
  const child = spawn(
    process.execPath,
    [join(here, program), options.server, job, options.reducers, ...parameters],
    { stdio: ['ignore', 'inherit', 'inherit'] });
  processes.add(child);
  child.once('exit', (code, signal) => {
    processes.delete(child);
    if (code !== 0 && !stopping) {
      console.log(`${program} died (${signal ?? code}); another takes its place.`);
      start(program, ...parameters);
    }
  });
  return child;
}

async function readParts() {
  const parts = [];
  for (const entry of await readdir(options.folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) {
      const lines = (await readFile(join(entry.parentPath ?? entry.path, entry.name), 'utf8')).split('\n');
      for (let i = 0; i < lines.length; i += linesPerPart) {
        parts.push(lines.slice(i, i + linesPerPart).join('\n'));
      }
    }
  }

  return parts;
}

/** Kills a mapper and a reducer in the middle of their work, as a machine that fails would. */
async function killTwo(mapper, reducer) {
  for (let held = 0; held === 0;) {
    held = (await client.queue(queues.counts[0])).leased;
  }

  mapper.kill('SIGKILL');
  reducer.kill('SIGKILL');
}

async function takeResults() {
  const sums = new Map();
  for (let taken = 0; taken < queues.counts.length;) {
    const result = await client.take(queues.results, { wait: '20s' });
    if (result !== null) {
      add(sums, result.body);
      taken++;
    }
  }

  return sums;
}

const total = sums => [...sums.values()].reduce((sum, count) => sum + count, 0);

try {
  const parts = await readParts();
  if (parts.length === 0 || parts.length > 10_000) {
    throw new Error(`${options.folder} has ${parts.length} parts of ${linesPerPart} lines; give a folder with 1 to 10000.`);
  }

  const expected = add(new Map(), parts.flatMap(wordsOf).map(word => [word, 1]));
  for (const queue of all) {
    await client.changeSettings(queue, { policy: 'roundrobin', dedupWindow: '1h' });
  }

  const reducers = queues.counts.map((_, i) => start('reducer.mjs', String(i), String(parts.length)));
  const mappers = Array.from({ length: Number(options.mappers) }, () => start('mapper.mjs'));
  console.log(`${parts.length} parts for ${mappers.length} mappers and ${reducers.length} reducers`);
  const half = Math.ceil(parts.length / 2);
  const put = (from, to) => client.putItems(queues.texts, parts.slice(from, to).map((body, i) => ({ body, id: `part-${from + i}` })));
  await put(0, half);
  if (options.kill) {
    await killTwo(mappers[0], reducers[0]);
  }

  if (half < parts.length) {
    await put(half, parts.length);
  }

  const sums = await takeResults();
  for (const [word, count] of [...sums].sort(([, one], [, other]) => other - one).slice(0, 5)) {
    console.log(`${String(count).padStart(8)}  ${word}`);
  }

  const agree = sums.size === expected.size && [...expected].every(([word, count]) => sums.get(word) === count);
  console.log(
    `${total(sums)} words, ${sums.size} different ones; `
    + `counted here: ${total(expected)} and ${expected.size}. ${agree ? 'All agree.' : 'They disagree.'}`);
  process.exitCode = agree ? 0 : 1;
} catch (error) {
  console.error(`mapreduce: ${error.message}`);
  process.exitCode = 1;
} finally {
  stopping = true;
  await Promise.all([...processes].map(async child => {
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  }));
  await Promise.all(all.map(queue => client.deleteQueue(queue).catch(() => {
    // The server is gone, and has been named already.
  })));
}
