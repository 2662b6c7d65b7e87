// The messages in the queue, by state, a page at a time.
import { h, text, uniqueId } from '../dom.js';
import { json, paths } from '../api.js';
import { bytesOfStart, preview } from '../body.js';
import { age, bytes, count, dateTime } from '../format.js';
import { cancelMessage, findMessage, showCopy, showMessage } from '../message-dialog.js';
import { attempt, toast } from '../toast.js';

const limit = 50;

// The longest beginning of a body that the server lists.
const startMax = 16_384;

// The headers of a message that a row shows.
const labelsMax = 3;

// The last entry is the head of the column with the time.
const states = [
  ['ready', 'Ready', 'Put'], ['delayed', 'Delayed', 'Due'], ['leased', 'In flight', 'Leased until'], ['history', 'History', 'Put'],
];
const emptyTexts = {
  ready: 'No message is ready.',
  delayed: 'No message is delayed.',
  leased: 'No message is in flight.',
  history: 'No broadcast message is kept.',
};

export function mountMessages(place, queue, context) {
  const pages = [null];
  const mayCancel = context.rights.queue.may('put', 'take', 'manage');
  let state = 'ready';
  let seen = null;
  const rows = h('tbody', { role: 'rowgroup' });
  const none = h('p.empty', { hidden: true });
  const stale = h('button', { type: 'button', hidden: true, onclick: load }, 'Show what changed');
  const previous = h('button', { type: 'button', onclick: () => { pages.pop(); load(); } }, 'Previous');
  const next = h('button', { type: 'button' }, 'Next');
  const pager = h('nav.pager', { 'aria-label': 'Pages of messages', hidden: true }, previous, next);
  const chips = states.map(([name, label]) => h('button.chip', { type: 'button', onclick: () => choose(name) }, label));
  const head = (kind, label) => h(kind, { scope: 'col', role: 'columnheader' }, label);
  const timeHead = head('th', 'Put');
  const labelsHead = head('th', 'Key and headers');
  const searchId = uniqueId('id');
  const search = h('input', { id: searchId, type: 'search', placeholder: 'Message id', autocomplete: 'off', spellcheck: false });

  place.append(
    h('div.toolbar', null,
      h('div.chips', { role: 'group', 'aria-label': 'State' }, chips),
      h('form.search', {
        onsubmit(event) {
          event.preventDefault();
          find(search.value);
        },
      }, h('label.visually-hidden', { htmlFor: searchId }, 'Find a message by its id'), search, h('button', { type: 'submit' }, 'Find')),
      h('button', { type: 'button', onclick: load }, 'Refresh'), stale),
    h('div.table-wrap', null, h('table.messages', { role: 'table', 'aria-label': 'Messages' },
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' },
        head('th', 'Id'), head('th', 'Body'), labelsHead, head('th.number', 'Size'), timeHead, head('th.number', 'Attempts'),
        head('th', h('span.visually-hidden', null, 'Actions')))),
      rows)),
    none,
    pager);
  choose('ready');

  function choose(name) {
    state = name;
    pages.splice(0, pages.length, null);
    chips.forEach((chip, index) => chip.setAttribute('aria-pressed', String(states[index][0] === name)));
    load();
  }

  async function load() {
    const wanted = state;
    await attempt(async () => {
      const page = await json('GET', paths.messages(queue), { query: { state: wanted, after: pages.at(-1), limit, preview: 400 } });
      if (wanted !== state) {
        return;
      }

      text(timeHead, states.find(([name]) => name === state)[2]);
      labelsHead.hidden = !page.messages.some(hasLabels);
      rows.replaceChildren(...page.messages.map(row));
      none.hidden = page.messages.length > 0;
      text(none, emptyTexts[state]);
      previous.disabled = pages.length === 1;
      next.disabled = page.next === null;
      pager.hidden = previous.disabled && next.disabled;
      next.onclick = () => {
        pages.push(page.next);
        load();
      };
      seen = context.latest ? mark(context.latest.info) : null;
      stale.hidden = true;
    });
  }

  const cancel = async id => {
    await cancelMessage(queue, id);
    toast(`Message ${id} is cancelled.`);
  };

  async function open(message) {
    if (state !== 'history') {
      showMessage(queue, message, { actions: mayCancel ? [['Cancel message', cancel, true]] : [], changed: load });
      return;
    }

    // It is no longer live: the list has its beginning.
    await attempt(async () => {
      const page = await json('GET', paths.messages(queue), { query: { state, after: message.offset - 1, limit: 1, preview: startMax } });
      const [copy] = page.messages;
      showCopy(queue, copy, bytesOfStart(copy));
    });
  }

  function row(message) {
    const time = { ready: message.enqueuedAt, delayed: message.availableAt, leased: message.leasedUntil }[state] ?? message.enqueuedAt;
    return h('tr', { role: 'row' },
      h('th', { scope: 'row', role: 'rowheader' }, h('button.link', { type: 'button', onclick: () => open(message) }, message.id)),
      h('td.preview', { role: 'cell', title: message.contentType }, preview(message)),
      h('td.labels', { role: 'cell', 'data-label': labelsHead.textContent, hidden: labelsHead.hidden }, labels(message)),
      h('td.number', { role: 'cell', 'data-label': 'Size' }, bytes(message.bytes)),
      h('td', { role: 'cell', 'data-label': timeHead.textContent },
        h('time', { dateTime: time, title: dateTime(time) }, ['ready', 'history'].includes(state) ? `${age(time)} ago` : dateTime(time))),
      h('td.number', { role: 'cell', 'data-label': 'Attempts' }, count(message.attempt ?? 0)),
      h('td.row-actions', { role: 'cell' }, mayCancel && state !== 'history' && h('button.quiet', {
        type: 'button',
        'aria-label': `Cancel message ${message.id}`,
        onclick: async () => await attempt(() => cancel(message.id)) && load(),
      }, 'Cancel')));
  }

  function find(id) {
    attempt(async () => open(await findMessage(queue, id)));
  }

  return {
    update: latest => {
      seen ??= mark(latest.info);
      stale.hidden = seen === mark(latest.info);
    },
  };
}

const hasLabels = ({ key, headers }) => key !== undefined || headers !== undefined;

/** The key, then the headers; the message's dialog shows those that have no room here. */
function labels({ key, headers = {} }) {
  const all = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const rest = all.length - labelsMax;
  return [
    key !== undefined && h('span.badge.key', { title: `Key: ${key}` }, key),
    all.slice(0, labelsMax).map(label => h('span.badge', { title: label }, label)),
    rest > 0 && h('span.badge', { title: all.slice(labelsMax).join('\n') }, `${rest} more`),
  ].flat();
}

/** A text that changes whenever the list may have changed. */
function mark(info) {
  return info ? `${info.ready}/${info.delayed}/${info.leased}/${info.counters.put}` : '';
}
