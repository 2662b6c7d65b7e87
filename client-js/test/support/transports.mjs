// The client's transports as Node 20 has them: it lacks a global WebSocket.
import * as module from '@microsoft/signalr';
import { signalR } from 'pushqueue/signalr';
import { WebSocket } from 'ws';

export { WebSocket };

export const transports = [
  { name: 'websocket', options: { WebSocket } },
  { name: 'sse', options: { transport: 'sse' } },
  { name: 'signalr', options: { transport: signalR(module) } },
];

/** Comes back at once, so that tests do not wait. */
export const eager = { retry: { attempts: 600, min: '10ms', max: '100ms' }, reconnect: { min: '10ms', max: '100ms' } };
