// One row of the overview. It is created once; later only changed cells are set.
import { h, show, text } from '../dom.js';
import { ageOf, count, duration, rate } from '../format.js';
import { Sparkline } from '../sparkline.js';

export const columns = [
  { name: 'queue', label: 'Queue' },
  { name: 'ready', label: 'Ready', number: true },
  { name: 'delayed', label: 'Delayed', number: true },
  { name: 'leased', label: 'In flight', number: true },
  { name: 'dead', label: 'Dead', number: true },
  { name: 'put', label: 'In/s', number: true },
  { name: 'delivered', label: 'Out/s', number: true },
  { name: null, label: 'Last minute' },
  { name: 'oldest', label: 'Oldest', number: true },
  { name: 'consumers', label: 'Consumers', number: true },
];

export class QueueRow {
  #cells = {};
  #spark = new Sparkline();
  #policy = h('span.badge', null);
  #stopped = h('span.badge.warn', { hidden: true }, 'stopped');
  #row = null;

  constructor(queue) {
    const number = (name, label) => (this.#cells[name] = h('td.number', { role: 'cell', 'data-label': label }));
    this.element = h('tr', { role: 'row' },
      h('th', { scope: 'row', role: 'rowheader' },
        h('a', { href: `#/q/${encodeURIComponent(queue)}` }, queue), h('span.badges', null, this.#policy, this.#stopped)),
      number('ready', 'Ready'), number('delayed', 'Delayed'), number('leased', 'In flight'), number('dead', 'Dead'),
      number('in', 'In/s'), number('out', 'Out/s'),
      h('td.spark-cell', { role: 'cell' }, this.#spark.element),
      number('oldest', 'Oldest'), number('consumers', 'Consumers'));
  }

  /** Takes the row as the server sent it, or nothing if it did not change, and the seconds since the last update. */
  update(row, seconds) {
    this.#row = row ?? this.#row;
    this.#spark.push(seconds, row?.in, row?.out);
    const cells = this.#cells;
    const oldest = ageOf(this.#row.oldestAt);
    text(cells.oldest, duration(oldest));
    cells.oldest.classList.toggle('zero', oldest === null);
    if (!row) {
      return;
    }

    text(this.#policy, row.policy);
    show(this.#stopped, row.status === 'stopped');
    for (const name of ['ready', 'delayed', 'leased', 'dead', 'consumers']) {
      text(cells[name], count(row[name]));
      cells[name].classList.toggle('zero', row[name] === 0);
    }

    cells.dead.classList.toggle('alarm', row.dead > 0);
    text(cells.in, rate(row.putPerSecond));
    text(cells.out, rate(row.deliveredPerSecond));
    cells.in.classList.toggle('zero', row.putPerSecond === 0);
    cells.out.classList.toggle('zero', row.deliveredPerSecond === 0);
  }
}
