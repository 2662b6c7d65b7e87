// A TCP proxy in front of a server, whose connections can be cut or made silent.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class Proxy {
  #listener;
  #pairs = new Set();
  #target;

  /** On that port, or on a free one. */
  static async start(url, port = 0) {
    const proxy = new Proxy();
    proxy.#target = new URL(url);
    proxy.#listener = createServer(client => proxy.#join(client));
    proxy.#listener.listen(port, '127.0.0.1');
    await once(proxy.#listener, 'listening');
    proxy.url = `http://127.0.0.1:${proxy.#listener.address().port}`;
    return proxy;
  }

  /** Where new connections go. */
  set target(url) {
    this.#target = new URL(url);
  }

  get connections() {
    return this.#pairs.size;
  }

  /** Cuts every connection without a close. */
  cut() {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  /** Nothing passes any more on the connections that stand; nobody is told. */
  silence() {
    for (const { client, server } of this.#pairs) {
      client.unpipe(server);
      server.unpipe(client);
      client.resume();
      server.resume();
    }
  }

  async close() {
    this.cut();
    this.#listener.close();
    await once(this.#listener, 'close');
  }

  #join(client) {
    const server = connect(Number(this.#target.port), this.#target.hostname);
    const pair = { client, server };
    this.#pairs.add(pair);
    for (const [one, other] of [[client, server], [server, client]]) {
      one.on('error', () => other.destroy());
      one.on('close', () => {
        other.destroy();
        this.#pairs.delete(pair);
      });
      one.pipe(other);
    }
  }
}
