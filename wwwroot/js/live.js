// The one connection to the hub. Its streams open again by themselves after a disconnect, and pause while the page is hidden.
import '../vendor/signalr.min.js';
import { currentKey, wasDeclined } from './access.js';
import { request } from './api.js';
import { api } from './place.js';

const { HubConnectionBuilder, HubConnectionState, HttpTransportType, LogLevel } = globalThis.signalR;
const retryMs = [0, 500, 1000, 2000, 3000];
const streams = new Set();
const watchers = new Set();
let state = 'connecting';
let connection = null;

/**
 * Reports the current state at once, and each change: 'connecting', 'live', 'reconnecting', 'refused' (nobody enters a key) or
 * 'signed-out'. */
export function onState(watcher) {
  watchers.add(watcher);
  watcher(state);
}

function setState(next) {
  if (next !== state) {
    state = next;
    watchers.forEach(watcher => watcher(state));
  }
}

/** Connects, and retries until it succeeds. */
export async function connect() {
  connection = new HubConnectionBuilder()
    .withUrl(new URL('hub', api).href, {
      skipNegotiation: true,
      transport: HttpTransportType.WebSockets,
      accessTokenFactory: currentKey,
    })
    .configureLogging(LogLevel.None)
    .build();
  // SignalR's automatic reconnect is not used: it would retry for ever with a revoked key.
  connection.onclose(() => {
    setState('reconnecting');
    start();
  });
  await start();
}

function delayOf(tries) {
  const base = retryMs[Math.min(tries, retryMs.length - 1)];
  return base + Math.random() * base / 2;
}

async function start() {
  for (let tries = 0; ; tries++) {
    try {
      await connection.start();
      onConnected();
      return;
    } catch {
      // A refused WebSocket gives no reason. A request does, and asks for a missing key.
      const refusal = await request('GET', 'q', { query: { limit: 1 } }).then(() => null, error => error.type);
      setState(refusal === 'signed-out' ? refusal : wasDeclined() ? 'refused' : state === 'connecting' ? state : 'reconnecting');
      await new Promise(resolve => setTimeout(resolve, delayOf(tries + 1)));
    }
  }
}

function onConnected() {
  setState('live');
  streams.forEach(stream => stream.open());
}

/**
 * A stream of the hub: `onitem` gets each item; `onopen` is called before the first item after each connect; `onerror` gets the sentence
 * of a refusal. Returns an object whose close() ends the stream.
 */
export function stream(method, args, { onitem, onopen, onerror }) {
  let subscription = null;
  const self = {
    open() {
      self.rest();
      if (document.hidden || state !== 'live') {
        return;
      }

      onopen?.();
      const mine = connection.stream(method, ...args).subscribe({
        next: item => {
          if (subscription === mine) {
            onitem(item);
          }
        },
        error(error) {
          // A lost connection fails its streams just before it reports its own end.
          setTimeout(() => {
            if (subscription === mine && connection.state === HubConnectionState.Connected) {
              const [, type, sentence] = /^.*HubException: (?:([a-z-]+): )?(.*)$/s.exec(error.message) ?? [null, null, error.message];

              // After a revoked key the connection ends, too, and reports it.
              if (type !== 'unauthorized') {
                onerror?.(sentence);
              }
            }
          });
        },
        complete() {},
      });
      subscription = mine;
    },
    rest() {
      subscription?.dispose();
      subscription = null;
    },
    close() {
      streams.delete(self);
      self.rest();
    },
  };
  streams.add(self);
  self.open();
  return self;
}

document.addEventListener('visibilitychange', () => {
  for (const each of streams) {
    if (document.hidden) {
      each.rest();
    } else {
      each.open();
    }
  }
});
