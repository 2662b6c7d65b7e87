// All queues: a page of them, sorted, filtered and cut by the server, which sends what changed once a second.
import { arrange, h, show, text, uniqueId } from '../dom.js';
import { count, plural, rate, setServerTime } from '../format.js';
import { stream } from '../live.js';
import { openDialog } from '../dialog.js';
import { api } from '../place.js';
import { everywhere, setAccess, somewhere } from '../rights.js';
import { whyNoQueueName } from '../queue-name.js';
import { QueueRow, columns } from './queue-row.js';

const limit = 50;
const choices = [
  ['all', 'All'], ['waiting', 'With messages'], ['busy', 'Busy'], [
    'unheard',
    'Nobody listens'
  ], ['stopped', 'Stopped'], ['dead', 'Dead letters'],
];
const sums = [
  ['queues', 'Queues', count], ['ready', 'Ready', count], ['delayed', 'Delayed', count], ['leased', 'In flight', count], [
    'dead',
    'Dead letters',
    count
  ],
  ['consumers', 'Consumers', count], ['putPerSecond', 'In per second', rate], ['deliveredPerSecond', 'Out per second', rate],
];

// Kept while the page is open, so that the list is unchanged when somebody returns from a queue.
const view = { filter: '', show: 'all', sort: 'queue', offset: 0 };

export function mountOverview(place) {
  const rows = new Map();
  const totals = Object.fromEntries(sums.map(([name]) => [name, h('dd', null, '–')]));
  const body = h('tbody', { role: 'rowgroup' });
  const headers = columns.map(column => header(column, sort));
  const empty = h('div.empty', { hidden: true });
  const status = h('p.range', { role: 'status' });
  const previous = h('button', { type: 'button', onclick: () => page(-limit) }, 'Previous');
  const next = h('button', { type: 'button', onclick: () => page(limit) }, 'Next');
  const searchId = uniqueId('search');
  const search = h(
    'input',
    {
      id: searchId,
      type: 'search',
      placeholder: 'Filter by name',
      value: view.filter,
      autocomplete: 'off',
      spellcheck: false,
      oninput: debounce(() => change({ filter: search.value }))
    });
  const sorts = columns.filter(column => column.name).map(({ name, label }) => [firstWay(name), label]);
  const sortId = uniqueId('sort');
  const sortBy = h(
    'select',
    { id: sortId, onchange: () => change({ sort: sortBy.value }) },
    sorts.map(([value, label]) => h('option', { value }, label)));
  const chips = choices.map(([name, label]) => h('button.chip', { type: 'button', onclick: () => change({ show: name }) }, label));
  const create = h('button.primary', { type: 'button', onclick: newQueue }, 'New queue');
  let list = null;
  let matching = 0;
  let watch = null;

  place.append(
    h('h1.visually-hidden', null, 'Queues'),
    h('dl.sums', null, sums.map(([name, label]) => h('div', null, h('dt', null, label), totals[name]))),
    h('div.toolbar', null,
      h('label.visually-hidden', { htmlFor: searchId }, 'Filter queues by name'), search,
      h('div.chips', { role: 'group', 'aria-label': 'Which queues' }, chips),
      h('div.narrow-only', null, h('label', { htmlFor: sortId }, 'Sort by'), sortBy),
      create),
    list = h('div.table-wrap', null,
      h('table.queues', { role: 'table', 'aria-label': 'Queues' },
        h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, headers.map(each => each.element))), body)),
    empty,
    h('nav.pager', { 'aria-label': 'Pages' }, status, previous, next));
  open();

  function open() {
    watch?.close();
    showView();
    watch = stream('WatchQueues', [{ ...view, limit }], {
      onitem: update,
      onerror: refuse,
    });
  }

  function update(item) {
    setServerTime(item.now);
    setAccess(item);
    show(create, somewhere().may('put', 'manage'));
    for (const [name, , format] of sums) {
      text(totals[name], format(item.sums[name]));
    }

    totals.dead.parentElement.classList.toggle('alarm', item.sums.dead > 0);
    const changed = new Map(item.rows.map(row => [row.queue, row]));
    for (const row of item.rows) {
      if (!rows.has(row.queue)) {
        rows.set(row.queue, new QueueRow(row.queue));
      }
    }

    if (item.order) {
      const order = new Set(item.order);
      for (const name of rows.keys()) {
        if (!order.has(name)) {
          rows.delete(name);
        }
      }

      arrange(body, item.order.map(name => rows.get(name).element));
    }

    rows.forEach((row, name) => row.update(changed.get(name), item.points));
    ({ matching } = item);
    showRange(item.sums.queues);
  }

  /** The server's sentence in place of the list. */
  function refuse(sentence) {
    rows.clear();
    arrange(body, []);
    show(list, false);
    show(empty, true);
    delete empty.dataset.all;
    empty.replaceChildren(h('p', { role: 'alert' }, sentence), h('button', { type: 'button', onclick: open }, 'Try again'));
  }

  function showRange(all) {
    const first = Math.min(view.offset + 1, matching);
    const last = Math.min(view.offset + limit, matching);
    text(status, matching <= limit ? plural(matching, 'queue') : `${count(first)}–${count(last)} of ${plural(matching, 'queue')}`);
    previous.disabled = view.offset === 0;
    next.disabled = last >= matching;
    show(previous, matching > limit);
    show(next, matching > limit);
    show(empty, matching === 0);
    show(list, matching > 0);
    show(status, matching > 0);
    if (matching === 0 && empty.dataset.all !== String(all === 0)) {
      empty.dataset.all = String(all === 0);
      empty.replaceChildren(
        ...(
          all > 0
            ? [h('p', null, 'No queue matches.')]
            : everySeen()
            ? firstSteps()
            : [h('p', null, 'There is no queue yet that this key can see.')]));
    }

    if (matching > 0 && view.offset >= matching) {
      change({ offset: 0 });
    }
  }

  function change(part) {
    Object.assign(view, { offset: 0 }, part);
    open();
  }

  function page(by) {
    change({ offset: Math.max(0, view.offset + by) });
    place.querySelector('table').scrollIntoView({ block: 'nearest' });
  }

  function sort(name) {
    const first = firstWay(name);
    const other = first === name ? `-${name}` : name;
    change({ sort: view.sort === first ? other : first });
  }

  function showView() {
    sortBy.value = firstWay(view.sort.replace('-', ''));
    chips.forEach((chip, index) => chip.setAttribute('aria-pressed', String(choices[index][0] === view.show)));
    for (const { element, name } of headers) {
      if (name) {
        const direction = view.sort === name ? 'ascending' : view.sort === `-${name}` ? 'descending' : 'none';
        element.setAttribute('aria-sort', direction);
      }
    }
  }

  return { unmount: () => watch.close() };
}

const everySeen = () => everywhere().words.length > 0;

/** The useful first order: numbers descending, names ascending. */
const firstWay = name => name === 'queue' ? name : `-${name}`;

function header({ name, label, number }, sort) {
  const element = h(number ? 'th.number' : 'th', { scope: 'col', role: 'columnheader' },
    name ? h('button.sort', { type: 'button', onclick: () => sort(name) }, label) : h('span', null, label));
  return { element, name };
}

function newQueue() {
  const inputId = uniqueId('name');
  const input = h('input', {
    id: inputId, type: 'text', autocomplete: 'off', spellcheck: false, 'aria-describedby': `${inputId}-problem`, oninput: () =>
      show(problem, false),
  });
  const problem = h('p.problem', { id: `${inputId}-problem`, role: 'alert', hidden: true });
  const dialog = openDialog('New queue', h('form', {
    noValidate: true,
    onsubmit(event) {
      event.preventDefault();
      const whyNot = whyNoQueueName(input.value);
      if (whyNot) {
        problem.textContent = whyNot;
        show(problem, true);
        input.setAttribute('aria-invalid', 'true');
        input.focus();
        return;
      }

      dialog.close();
      location.hash = `#/q/${encodeURIComponent(input.value)}/put`;
    },
  },
    h('p', null, 'The first message that is put into a queue, or its first setting, creates it.'),
    h('label', { htmlFor: inputId }, 'Name'), input, problem,
    h('div.actions', null, h('button.primary', { type: 'submit' }, 'Continue'))));
  input.focus();
}

function firstSteps() {
  return [
    h('h2', null, 'No queue yet'),
    h('p', null, 'The first message creates one. Try it from a shell:'),
    h('pre', { tabIndex: 0 }, h('code', null, `curl -d value=hello ${new URL('q/test', api)}`)),
  ];
}

function debounce(action) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, 150);
  };
}
