// Snippets that listen to this queue, ready to copy, and a listener in this page.
import { h, text } from '../dom.js';
import { withToken, currentKey } from '../access.js';
import { copyButton } from '../copy.js';
import { clock } from '../format.js';
import { api } from '../place.js';

const linesMax = 100;

export function mountListen(place, queue, context) {
  const code = {};
  const roundrobin = h(
    'p.note',
    { hidden: true },
    'This queue is roundrobin: each listener gets a share of its messages. Add ack=manual to lease and acknowledge each of them.');
  const blocks = [
    ['curl', 'A shell, a line of JSON per message'], ['sse', 'A shell, server-sent events'], ['eventsource', 'A browser, EventSource'],
    ['websocket', 'A browser, WebSocket'], ['signalr', 'A browser, SignalR'], ['dotnet', '.NET, SignalR'],
  ].map(([name, label]) => h('figure.snippet', null,
    h('figcaption', null, h('span', null, label), copyButton(() => code[name].textContent)),
    h('pre', { tabIndex: 0 }, code[name] = h('code', { 'data-snippet': name }))));
  const list = h('ol.heard', { 'aria-label': 'Messages heard', tabIndex: 0 });
  const status = h('p.muted', { role: 'status' }, '');
  const button = h('button.primary', { type: 'button', onclick: toggle }, 'Listen here');
  let source = null;

  place.append(
    roundrobin,
    currentKey() ? h('p.note', null, 'The server asks for a key: replace KEY in the snippets with yours.') : '',
    h('div.snippets', null, blocks),
    h('section.here', null,
      h('h2', null, 'In this page'),
      h('p.hint', null, 'This page becomes a consumer, by EventSource. It keeps listening while you use other tabs of this queue.'),
      h('div.actions', null, button, status), list));
  const lines = snippets(queue);
  Object.entries(lines).forEach(([name, line]) => text(code[name], line));
  if (context.latest) {
    update(context.latest);
  }

  function update({ settings }) {
    roundrobin.hidden = settings?.policy !== 'roundrobin';
  }

  function toggle() {
    if (source) {
      stop('Stopped.');
      return;
    }

    source = new EventSource(withToken(address('sse', queue)));
    source.onopen = () => text(status, 'Listening.');
    source.onerror = () =>
      text(status, source?.readyState === EventSource.CLOSED ? 'The server refused.' : 'Disconnected; it reconnects automatically.');
    source.onmessage = event => hear(event.data);
    for (const name of ['gap', 'cancel']) {
      source.addEventListener(name, event => hear(event.data));
    }

    source.addEventListener('close', event => {
      hear(event.data);
      if (!JSON.parse(event.data).reconnect) {
        stop('The server ended the stream.');
      }
    });
    text(button, 'Stop listening');
  }

  function hear(data) {
    list.prepend(h('li', null, h('time', null, clock(new Date())), h('code', null, data)));
    while (list.children.length > linesMax) {
      list.lastElementChild.remove();
    }
  }

  function stop(sentence) {
    source?.close();
    source = null;
    text(button, 'Listen here');
    text(status, sentence);
  }

  return { update, unmount: () => stop('') };
}

const address = (kind, queue) => new URL(`${kind}/${encodeURIComponent(queue)}`, api).href;

function snippets(queue) {
  const key = currentKey() !== '';
  const header = key ? `-H 'Authorization: Bearer KEY' ` : '';
  const token = key ? '?access_token=KEY' : '';
  const shell = value => `'${value.replaceAll("'", "'\\''")}'`;
  const literal = value => JSON.stringify(value);
  const socket = address('ws', queue).replace(/^http/, 'ws');
  const hub = new URL('hub', api).href;
  const provider = key ? '\n        options.AccessTokenProvider = () => Task.FromResult<string?>("KEY");' : '';
  return {
    curl: `curl -N ${header}${shell(address('c', queue))}`,
    sse: `curl -N ${header}${shell(address('sse', queue))}`,
    eventsource: `const source = new EventSource(${literal(address('sse', queue) + token)});
source.onmessage = event => console.log(JSON.parse(event.data));`,
    websocket: `const socket = new WebSocket(${literal(socket + token)});
socket.onmessage = event => console.log(JSON.parse(event.data));`,
    signalr: `const connection = new signalR.HubConnectionBuilder()
  .withUrl(${literal(hub)}, {
    skipNegotiation: true,
    transport: signalR.HttpTransportType.WebSockets,${key ? "\n    accessTokenFactory: () => 'KEY'," : ''}
  })
  .withAutomaticReconnect({ nextRetryDelayInMilliseconds: () => 2000 })
  .build();
let epoch, from; // where a new connection continues
const subscribe = async () => {
  const { cursor } = await connection.invoke('Subscribe', ${literal(queue)}, from ? { from } : {});
  if (cursor) [epoch] = (from = cursor).split('.');
};
connection.on('message', message => {
  if (message.offset) from = epoch ? \`\${epoch}.\${message.offset}\` : \`\${message.offset + 1}\`;
  console.log(message);
});
connection.onreconnected(subscribe);
await connection.start();
await subscribe();`,
    dotnet: `await using var connection = new HubConnectionBuilder()
    .WithUrl(${literal(hub)}, options =>
    {
        options.SkipNegotiation = true;
        options.Transports = HttpTransportType.WebSockets;${provider}
    })
    .WithAutomaticReconnect([.. Enumerable.Repeat(TimeSpan.FromSeconds(2), 10_000)])
    .Build();
string? epoch = null, from = null; // where a new connection continues
connection.On<JsonElement>("message", message =>
{
    if (message.TryGetProperty("offset", out var offset))
    {
        from = epoch is null ? $"{offset.GetInt64() + 1}" : $"{epoch}.{offset}";
    }

    Console.WriteLine(message);
});
connection.Reconnected += _ => SubscribeAsync();
await connection.StartAsync();
await SubscribeAsync();

async Task SubscribeAsync()
{
    object options = from is null ? new { } : new { from };
    var answer = await connection.InvokeAsync<JsonElement>("Subscribe", ${literal(queue)}, options);
    if (answer.TryGetProperty("cursor", out var cursor))
    {
        from = cursor.GetString();
        epoch = from!.Split('.')[0];
    }
}`,
  };
}
