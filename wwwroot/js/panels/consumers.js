// The consumers of the queue, and the position of each.
import { arrange, h, text } from '../dom.js';
import { json, paths } from '../api.js';
import { age, bytes, count, plural } from '../format.js';
import { confirmDialog } from '../dialog.js';
import { toast } from '../toast.js';

const columns = ['Consumer', 'Ack', 'Credit', 'In flight', 'Delivered', 'Acked', 'Failed', 'Lag', 'For', ''];
const firstNumber = 2;

export function mountConsumers(place, queue, context) {
  const rows = new Map();
  const body = h('tbody', { role: 'rowgroup' });
  const table = h('div.table-wrap', null, h('table.consumers', { role: 'table', 'aria-label': 'Consumers' },
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, columns.map((label, index) =>
      h(
        index >= firstNumber && label ? 'th.number' : 'th',
        { scope: 'col', role: 'columnheader' },
        label || h('span.visually-hidden', null, 'Actions'))))),
    body));
  const none = h(
    'div.empty',
    { hidden: true },
    h('p', null, 'No consumer is connected to this queue.'),
    h('p', null, 'The tab Listen has snippets that connect one.'));
  const more = h('p.muted', { hidden: true });

  place.append(table, none, more);
  if (context.latest) {
    update(context.latest);
  }

  function update({ listeners, settings }) {
    const present = new Set();
    for (const consumer of listeners.consumers) {
      present.add(consumer.id);
      if (!rows.has(consumer.id)) {
        rows.set(consumer.id, new ConsumerRow(queue, consumer));
      }

      rows.get(consumer.id).update(consumer, settings?.policy === 'roundrobin');
    }

    for (const id of rows.keys()) {
      if (!present.has(id)) {
        rows.delete(id);
      }
    }

    arrange(body, listeners.consumers.map(consumer => rows.get(consumer.id).element));
    table.hidden = rows.size === 0;
    none.hidden = rows.size > 0;
    more.hidden = listeners.total <= rows.size;
    text(more, `And ${plural(listeners.total - rows.size, 'more consumer')}.`);
  }

  return { update };
}

class ConsumerRow {
  #cells = {};
  #credit = h('meter', { min: 0 });

  constructor(queue, consumer) {
    const number = (name, label, ...extra) =>
      h('td.number', { role: 'cell', 'data-label': label }, ...extra, this.#cells[name] = h('span'));
    const name = consumer.worker ?? consumer.remoteAddress ?? 'unknown';
    this.#credit.setAttribute('aria-label', `Credit of consumer ${consumer.id}`);
    this.element = h('tr', { role: 'row' },
      h('th', { scope: 'row', role: 'rowheader' },
        h('span.consumer-name', null, name), h(
          'span.badges',
          null,
          h('span.badge', null, consumer.transport),
          h('span.muted', null, `#${consumer.id}${consumer.worker ? ` ${consumer.remoteAddress ?? ''}` : ''}`))),
      h('td', { role: 'cell', 'data-label': 'Ack' }, consumer.ack),
      number('credit', 'Credit', this.#credit), number('inFlight', 'In flight'), number('delivered', 'Delivered'), number('acked', 'Acked'),
      number('failed', 'Failed'), number('lag', 'Lag'), number('since', 'For'),
      h('td.row-actions', { role: 'cell' }, h('button.quiet', {
        type: 'button', 'aria-label': `Disconnect consumer ${consumer.id}`, onclick: () => disconnect(queue, consumer.id, name),
      }, 'Disconnect')));
  }

  /** Credit bounds what roundrobin pushes ahead; a broadcast does not use it. */
  update(consumer, hasCredit) {
    const cells = this.#cells;
    for (const name of ['inFlight', 'delivered', 'acked', 'failed']) {
      text(cells[name], count(consumer[name]));
    }

    text(cells.credit, hasCredit ? `${count(consumer.credit)} of ${count(consumer.prefetch)}` : '–');
    this.#credit.hidden = !hasCredit;
    this.#credit.max = consumer.prefetch;
    this.#credit.value = consumer.credit;
    text(cells.lag, consumer.waitingBytes > 0 ? `${count(consumer.lag)} (${bytes(consumer.waitingBytes)})` : count(consumer.lag));
    text(cells.since, age(consumer.since));
  }
}

function disconnect(queue, id, name) {
  confirmDialog({
    title: `Disconnect ${name}?`,
    sentences: [
      'Its stream ends with the reason "disconnected"; a client that gets it does not reconnect automatically. '
        + 'Others get the messages that it held.'
    ],
    verb: 'Disconnect',
    danger: true,
    async act() {
      await json('DELETE', paths.consumer(queue, id));
      toast(`Consumer ${id} is disconnected.`);
    },
  });
}
