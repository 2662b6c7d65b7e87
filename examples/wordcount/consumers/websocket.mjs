// A WebSocket at /ws/{queue}: a text frame per envelope, and the close frame as the end.
import WebSocket from 'ws';
import { webSocketUrl } from '../queue.mjs';

const queueDeleted = 4004;

export function startWebSocket(queue, onEvent) {
  const socket = new WebSocket(webSocketUrl(queue.url('ws')));
  return new Promise((resolve, reject) => {
    socket.on('message', data => onEvent(JSON.parse(data)));
    const failed = new Promise((_, fail) => {
      socket.on('error', error => fail(new Error(`the WebSocket failed: ${error.message}`)));
      socket.on('close', (code, reason) => {
        if (code === queueDeleted) {
          onEvent({ event: 'close', code: 'queue-deleted' });
        } else {
          fail(new Error(`the WebSocket was closed with ${code}: ${reason}`));
        }
      });
    });
    failed.catch(reject);

    // Opened once the consumer has joined.
    socket.on('open', () => resolve({ failed, stop: () => socket.terminate() }));
  });
}
