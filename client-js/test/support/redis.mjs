// A redis-server of its own on a free port, whose folder goes with it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.mjs';

export class Redis {
  static async start() {
    const redis = new Redis();
    redis.directory = await mkdtemp(join(tmpdir(), 'pushqueue-redis-'));
    redis.port = await freePort();
    redis.process = spawn('redis-server',
      ['--port', redis.port, '--bind', '127.0.0.1', '--dir', redis.directory, '--save', '', '--loglevel', 'warning'], { stdio: 'ignore' });
    await until('redis-server answers', () => answers(redis.port));
    return redis;
  }

  async close() {
    const exit = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exit;
    await rm(this.directory, { recursive: true });
  }
}

async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return String(port);
}

async function answers(port) {
  const socket = connect(Number(port), '127.0.0.1');
  try {
    socket.write('PING\r\n');
    const [answer] = await once(socket, 'data');
    return String(answer).startsWith('+PONG');
  } catch {
    // It does not listen yet.
    return false;
  } finally {
    socket.destroy();
  }
}
