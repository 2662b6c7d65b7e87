// The nodes: store, resources and events.
import { arrange, h, text } from '../dom.js';
import { age, bytes, count, dateTime, plural, setServerTime } from '../format.js';
import { stream } from '../live.js';
import { setAccess } from '../rights.js';

const levels = [['info', 'All'], ['warning', 'Warnings and errors'], ['error', 'Errors']];
const rank = { info: 0, warning: 1, error: 2 };

export function mountNodes(place) {
  const cards = new NodeCards();
  const list = h('ul.events', { 'aria-label': 'Events' });
  const none = h('p.muted', { hidden: true }, 'No such event since the node started.');
  const events = new Map();
  let level = 'info';
  const chips = levels.map(([name, label]) => h('button.chip', { type: 'button', onclick: () => { level = name; draw(); } }, label));

  place.append(
    h('h1', null, 'Nodes'),
    cards.element,
    h('section', { 'aria-labelledby': 'events-title' },
      h('div.section-head', null,
        h('h2', { id: 'events-title' }, 'Events'),
        h('div.chips', { role: 'group', 'aria-label': 'Which events' }, chips)),
      none, list));
  const watch = stream('WatchNodes', [], {
    onopen: () => events.clear(),
    onitem(item) {
      setServerTime(item.now);
      setAccess(item);
      cards.update(item.nodes);
      if (item.events.length > 0) {
        item.events.forEach(event => events.set(event.number, event));
        draw();
      }
    },
    onerror: sentence => place.replaceChildren(h('h1', null, 'Nodes'), h('p.empty', { role: 'alert' }, sentence)),
  });

  function draw() {
    chips.forEach((chip, index) => chip.setAttribute('aria-pressed', String(levels[index][0] === level)));
    const shown = [...events.values()].filter(event => rank[event.level] >= rank[level]).sort((one, other) => other.number - one.number);
    none.hidden = shown.length > 0;
    list.replaceChildren(...shown.map(eventItem));
  }

  return { unmount: () => watch.close() };
}

function eventItem(event) {
  return h('li', { 'data-level': event.level },
    h('time', { dateTime: event.lastAt, title: event.lastAt }, dateTime(event.lastAt)),
    h('span.badge', { 'data-level': event.level }, event.level),
    h('span.event-text', null,
      event.text,
      event.queue && event.code !== 'queue-deleted' && [' ', h('a', { href: `#/q/${encodeURIComponent(event.queue)}` }, 'Show queue')]),
    event.count > 1 ? h('span.times', null, `${count(event.count)} times since ${dateTime(event.firstAt)}`) : null);
}

/** One card a node, in the order of the server's answer. */
class NodeCards {
  #cards = new Map();
  element = h('div.cards');

  update(nodes) {
    const cards = nodes.map(node => {
      const card = this.#cards.get(node.node) ?? new NodeCard();
      card.update(node);
      return [node.node, card];
    });
    this.#cards = new Map(cards);
    arrange(this.element, cards.map(([, card]) => card.element));
  }
}

class NodeCard {
  #title = h('h2');
  #state = h('span.badge');
  #facts = {};
  #disk = h('meter', { min: 0, max: 100, low: 80, high: 92, optimum: 0, 'aria-label': 'Disk in use' });

  constructor() {
    const fact = (name, label, extra) => h('div', null, h('dt', null, label), h('dd', null, this.#facts[name] = h('span'), extra ?? null));
    this.element = h('article.card', null,
      h('div.section-head', null, this.#title, this.#state),
      h('dl.facts', null,
        fact('version', 'Version'), fact('uptime', 'Up for'),
        fact('store', 'Store'), fact('durability', 'Durability of a put'),
        fact('log', 'Log'), fact('disk', 'Disk', this.#disk),
        fact('memory', 'Memory'), fact('cpu', 'CPU'),
        fact('connections', 'Connections'), fact('consumers', 'Consumers'),
        fact('waits', 'Waiting takes'), fact('workers', 'Named workers')));
  }

  update(node) {
    const facts = this.#facts;
    text(this.#title, node.node);
    text(this.#state, node.unavailable ?? 'serving');
    this.#state.dataset.level = node.unavailable ? 'error' : 'good';
    text(facts.version, node.version);
    text(facts.uptime, age(node.startedAt));
    text(facts.store, node.store);
    text(facts.durability, durabilityWords(node.durability));
    text(facts.log, node.disk ? `${bytes(node.disk.usedBytes)} in ${plural(node.disk.files, 'file')}` : '–');
    const { totalBytes, freeBytes } = node.disk ?? {};
    text(facts.disk, totalBytes ? `${bytes(freeBytes)} free of ${bytes(totalBytes)}` : '–');
    this.#disk.hidden = !totalBytes;
    this.#disk.value = totalBytes ? Math.round((1 - freeBytes / totalBytes) * 100) : 0;
    text(facts.memory, `${bytes(node.memoryBytes)}, ${bytes(node.heapBytes)} of it managed`);
    text(facts.cpu, `${node.cpuPercent.toFixed(1)} % of one core, ${plural(node.cores, 'core')}`);
    const connections = Object.entries(node.connections);
    text(facts.connections, connections.length === 0 ? 'none' : connections.map(([name, number]) => `${count(number)} ${name}`).join(', '));
    text(facts.consumers, count(node.consumers));
    text(facts.waits, count(node.waitingTakes));
    text(facts.workers, count(node.workers));
  }
}

function durabilityWords(durability) {
  if (durability === 'synced') {
    return 'on disk before the answer (synced)';
  }

  return durability === 'memory' ? 'in memory only (memory)' : `written before the answer, on disk later (${durability})`;
}
