// The keys of the queue that have messages, with their backlog.
import { h, text } from '../dom.js';
import { json, paths } from '../api.js';
import { count, duration, plural } from '../format.js';
import { attempt } from '../toast.js';

const limit = 100;
const heads = ['Key', 'Ready', 'Delayed', 'In flight', 'Oldest waits'];

export function mountKeys(place, queue, context) {
  const pages = [null];
  const rows = h('tbody', { role: 'rowgroup' });
  const none = h('p.empty', { hidden: true }, 'No message of this queue has a key. A put gives one with the option key.');
  const summary = h('p.muted.grow', null);
  const previous = h('button', { type: 'button', onclick: () => { pages.pop(); load(); } }, 'Previous');
  const next = h('button', { type: 'button' }, 'Next');
  const pager = h('nav.pager', { 'aria-label': 'Pages of keys', hidden: true }, previous, next);
  const table = h('div.table-wrap', null, h('table.keys', { role: 'table', 'aria-label': 'Keys' },
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, heads.map((label, index) =>
      h(index > 0 ? 'th.number' : 'th', { scope: 'col', role: 'columnheader' }, label)))),
    rows));

  place.append(h('div.toolbar', null, summary, h('button', { type: 'button', onclick: load }, 'Refresh')), table, none, pager);
  load();

  async function load() {
    await attempt(async () => {
      const page = await json('GET', paths.keys(queue), { query: { after: pages.at(-1), limit } });
      rows.replaceChildren(...page.keys.map(row));
      none.hidden = page.keys.length > 0;
      table.hidden = page.keys.length === 0;
      previous.disabled = pages.length === 1;
      next.disabled = page.next === null;
      pager.hidden = previous.disabled && next.disabled;
      next.onclick = () => {
        pages.push(page.next);
        load();
      };
      update(context.latest);
    });
  }

  /** The sums follow the queue; the table is read when somebody asks, because a queue may have a million keys. */
  function update(item) {
    if (item?.info) {
      const { keys, blockedKeys } = item.info;
      text(summary, `${plural(keys, 'key')} with messages; ${count(blockedKeys)} of them wait for a message in flight.`);
    }
  }

  return { update };
}

function row({ key, ready, delayed, inFlight, blocked, oldestAgeSeconds }) {
  const number = (label, value) => h('td.number', { role: 'cell', 'data-label': label }, value);
  return h('tr', { role: 'row' },
    h('th', { scope: 'row', role: 'rowheader' }, h('span.key-name', null, key), blocked && h('span.badge', null, 'blocked')),
    number('Ready', count(ready)),
    number('Delayed', count(delayed)),
    number('In flight', count(inFlight)),
    number('Oldest waits', oldestAgeSeconds === null ? '–' : duration(oldestAgeSeconds)));
}
