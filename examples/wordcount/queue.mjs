// The producer's side: REST over one keep-alive connection, one request after the other, so that the order of the lines is defined.
import { isUtf8 } from 'node:buffer';
import http from 'node:http';

/** The address of a WebSocket at an HTTP server. */
export function webSocketUrl(url) {
  return url.replace(/^http/, 'ws');
}

function textOf(line) {
  if (!isUtf8(line)) {
    throw new Error('with --batch every line must be UTF-8, because a batch is JSON; this is not: ' + line);
  }

  return line.toString();
}

export class Queue {
  #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  #deleted = false;

  constructor(server, name) {
    this.server = server.replace(/\/+$/, '');
    this.name = name;
  }

  /** A path of this queue at the server, such as the one of its event stream. */
  url(door) {
    return `${this.server}/${door}/${encodeURIComponent(this.name)}`;
  }

  /** The hub is one for all queues. */
  get hubUrl() {
    return `${this.server}/hub`;
  }

  async setPolicy(policy) {
    await this.#send('POST', `${this.url('p')}?policy=${policy}`, 200);
  }

  /** Puts the lines in their order, `batch` of them per request, and hands on the ids that they were given. */
  async put(lines, batch, onIds) {
    if (batch === 1) {
      for (const line of lines) {
        const answer = await this.#send('POST', this.url('q'), 201, 'text/plain', line);
        onIds([answer.id]);
      }

      return;
    }

    for (let start = 0; start < lines.length; start += batch) {
      const elements = lines.slice(start, start + batch).map(line => ({ body: textOf(line), contentType: 'text/plain' }));
      const body = elements.map(element => JSON.stringify(element)).join('\n');
      const answer = await this.#send('POST', `${this.url('q')}/batch?envelope=true`, 201, 'application/x-ndjson', body);
      onIds(answer.ids);
    }
  }

  /** Deletes the queue, which ends the streams of its consumers. */
  async delete() {
    if (!this.#deleted) {
      this.#deleted = true;
      await this.#send('DELETE', this.url('q'), 204).finally(() => this.#agent.destroy());
    }
  }

  #send(method, url, expectedStatus, contentType, body) {
    return new Promise((resolve, reject) => {
      const headers = contentType ? { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) } : {};
      const request = http.request(url, { method, headers, agent: this.#agent }, response => {
        const chunks = [];
        response.on('data', chunk => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString();
          if (response.statusCode === expectedStatus) {
            resolve(answer === '' ? null : JSON.parse(answer));
          } else {
            reject(new Error(`${method} ${url} was answered ${response.statusCode}: ${answer}`));
          }
        });
      });
      request.on('error', error => reject(new Error(`${method} ${url} failed: ${error.message || error.code}`)));
      request.end(body);
    });
  }
}
