// Clients that put and listen while the dashboard is looked at.
import { WebSocket } from 'ws';

/** A WebSocket consumer; keeps what it was sent and how it ended. */
export async function listen(server, queue, query = '') {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/${encodeURIComponent(queue)}${query}`);
  const consumer = {
    messages: [],
    closed: null,
    ack: message => send('ack', message),
    release: (message, error) => send('release', message, { error }),
    end: () => socket.close()
  };
  const send = (cmd, { id, receipt }, more = {}) => socket.send(JSON.stringify({ cmd, queue, id, receipt, ...more }));
  consumer.ended = new Promise(resolve => socket.addEventListener('close', event => {
    consumer.closed = { code: event.code, reason: event.reason };
    resolve(consumer.closed);
  }));
  socket.addEventListener('message', event => {
    const message = JSON.parse(event.data);
    if (message.id && message.ok === undefined) {
      consumer.messages.push(message);
      consumer.onmessage?.(message);
    }
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  return consumer;
}

/** Puts messages at an even pace until it is stopped; waits out a server that is away. */
export function putSteadily(server, queue, everyMs, makeBody = number => JSON.stringify({ number })) {
  let going = true;
  let number = 0;
  const done = (async () => {
    while (going) {
      await server.put(queue, makeBody(++number)).catch(() => null);
      await new Promise(resolve => setTimeout(resolve, everyMs));
    }
  })();
  return {
    async stop() {
      going = false;
      await done;
    },
  };
}
