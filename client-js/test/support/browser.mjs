// Chromium of the system, driven from here, and a server of pages for it.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { chromium } from 'playwright-core';

const executablePath = process.env.PUSHQUEUE_TEST_CHROMIUM ?? '/usr/bin/chromium';
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
const types = { '.html': 'text/html', '.js': 'text/javascript', '.map': 'application/json' };

/** A browser with a profile of its own, which is gone with it. */
export const launch = () => chromium.launch({ executablePath, args, headless: true });

/** Serves folders, the first that has the file; `/blank.html` is an empty page. */
export async function servePages(...folders) {
  const listener = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://pages').pathname;
    for (const folder of folders) {
      const content = path === '/blank.html' ? '<!doctype html><title>blank</title>' : await readFile(join(folder, path)).catch(() => null);
      if (content !== null) {
        response.writeHead(200, { 'Content-Type': types[extname(path)] ?? 'application/octet-stream' }).end(content);
        return;
      }
    }

    response.writeHead(404).end();
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    url: `http://127.0.0.1:${listener.address().port}`,
    async close() {
      listener.closeAllConnections();
      listener.close();
      await once(listener, 'close');
    },
  };
}
