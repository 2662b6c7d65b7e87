// Consumes a queue in a page by what every browser has: EventSource and WebSocket.
const parameters = new URLSearchParams(location.search);
const server = parameters.get('server') ?? 'http://127.0.0.1:8080';
const queue = parameters.get('queue') ?? 'test';
const path = encodeURIComponent(queue);
const say = (id, text) => { document.getElementById(id).textContent = text; };

say('queue', queue);
say('server', server);
say('address', `${server}/q/${path}`);

function show(list, { id, body }) {
  const item = document.createElement('li');
  item.textContent = `${id}: ${typeof body === 'string' ? body : JSON.stringify(body)}`;
  document.getElementById(list).append(item);
}

// An EventSource reconnects automatically and sends the id of the last event to the server.
const events = new EventSource(`${server}/sse/${path}`);
events.onopen = () => say('events-state', 'connected');
events.onerror = () => say('events-state', 'connecting');
events.onmessage = ({ data }) => show('events', JSON.parse(data));
events.addEventListener('gap', ({ data }) => say('events-state', `missed ${JSON.parse(data).count ?? 'some'}`));

// A WebSocket does not: remember where it was, and begin there. The answer to `subscribe` says where it begins, unless the queue is not
// there yet.
let from;
let epoch;
function connect() {
  const socket = new WebSocket(`${server.replace(/^http/, 'ws')}/ws`);
  socket.onopen = () => socket.send(JSON.stringify({ cmd: 'subscribe', queue, from }));
  socket.onmessage = ({ data }) => {
    const said = JSON.parse(data);
    if (said.ok) {
      epoch ??= said.cursor?.split('.')[0];
      from ??= said.cursor ?? 'earliest';
      say('socket-state', 'connected');
    } else if (said.event === 'gap') {
      say('socket-state', `missed ${said.count ?? 'some'}`);
    } else if (said.id !== undefined) {
      from = epoch ? `${epoch}.${said.offset}` : said.offset + 1;
      show('socket', said);
    }
  };
  socket.onclose = () => {
    say('socket-state', 'connecting');
    setTimeout(connect, 500 + Math.random() * 1000);
  };
}

connect();
