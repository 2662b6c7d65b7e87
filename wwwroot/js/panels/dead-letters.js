// Messages that ran out of attempts: the reasons, and the actions that replay or drop them.
import { h, text } from '../dom.js';
import { json, paths } from '../api.js';
import { preview } from '../body.js';
import { count, dateTime, plural } from '../format.js';
import { confirmDialog } from '../dialog.js';
import { cancelMessage, showMessage } from '../message-dialog.js';
import { attempt, toast } from '../toast.js';

const limit = 50;
const heads = ['Id', 'Body', 'Why', 'Attempts', 'Last worker', 'Died', ''];

export function mountDeadLetters(place, deadQueue, context) {
  const source = deadQueue.slice(0, -'.dead'.length);
  const pages = [null];
  const mayReplay = context.rights.deadLetters.may('manage');
  const mayDrop = context.rights.deadLetters.may('put', 'take', 'manage');
  let seen = null;
  const rows = h('tbody', { role: 'rowgroup' });
  const none = h('p.empty', { hidden: true }, 'No dead letters. Messages come here when they run out of attempts.');
  const previous = h('button', { type: 'button', onclick: () => { pages.pop(); load(); } }, 'Previous');
  const next = h('button', { type: 'button' }, 'Next');
  const pager = h('nav.pager', { 'aria-label': 'Pages of dead letters', hidden: true }, previous, next);
  const all = h('button.primary', { type: 'button', onclick: replayAll }, 'Replay all');
  const summary = h('p.muted.grow', null);

  place.append(
    h('div.toolbar', null, summary, h('button', { type: 'button', onclick: load }, 'Refresh'), mayReplay && all),
    h('div.table-wrap', null, h('table.messages', { role: 'table', 'aria-label': 'Dead letters' },
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, heads.map((label, index) =>
        h(index === 3 ? 'th.number' : 'th', { scope: 'col', role: 'columnheader' }, label || h('span.visually-hidden', null, 'Actions'))))),
      rows)),
    none,
    pager);
  load();

  async function load() {
    await attempt(async () => {
      const page = await json('GET', paths.messages(deadQueue), { query: { state: 'dead', after: pages.at(-1), limit, preview: 400 } });
      rows.replaceChildren(...page.messages.map(row));
      none.hidden = page.messages.length > 0;
      all.disabled = page.messages.length === 0;
      previous.disabled = pages.length === 1;
      next.disabled = page.next === null;
      pager.hidden = previous.disabled && next.disabled;
      next.onclick = () => {
        pages.push(page.next);
        load();
      };
      seen = number(context.latest);
      text(summary, `These messages are in ${deadQueue}; a replay returns them to ${source}.`);
    });
  }

  const replay = async id => {
    await json('POST', paths.replay(deadQueue), { query: { id } });
    toast(`Message ${id} is back in '${source}'.`);
  };
  const drop = async id => {
    await cancelMessage(deadQueue, id);
    toast(`Dead letter ${id} is dropped.`);
  };

  const actions = [...(mayDrop ? [['Drop', drop, true]] : []), ...(mayReplay ? [['Replay', replay, false]] : [])];

  function row(message) {
    const dead = message.deadLetter;
    return h('tr', { role: 'row' },
      h('th', { scope: 'row', role: 'rowheader' }, h('button.link', {
        type: 'button',
        onclick: () => showMessage(deadQueue, message, { actions, changed: load }),
      }, message.id)),
      h('td.preview', { role: 'cell' }, preview(message)),
      h('td', { role: 'cell', 'data-label': 'Why' }, h('span.badge.bad', null, dead.reason), ' ', message.lastError ?? ''),
      h('td.number', { role: 'cell', 'data-label': 'Attempts' }, count(dead.attempts)),
      h('td', { role: 'cell', 'data-label': 'Last worker' }, message.lastWorker ?? '–'),
      h('td.time', { role: 'cell', 'data-label': 'Died' }, dateTime(dead.at)),
      h('td.row-actions', { role: 'cell' }, mayReplay && h('button.quiet', {
        type: 'button', 'aria-label': `Replay message ${message.id}`, onclick: async () =>
          await attempt(() => replay(message.id)) && load(),
      }, 'Replay')));
  }

  function replayAll() {
    confirmDialog({
      title: 'Replay all dead letters?',
      sentences: [`All of them go back to '${source}' with their attempts at zero.`],
      verb: 'Replay all',
      async act() {
        const result = await json('POST', paths.replay(deadQueue));
        toast(`${plural(result.replayed, 'message')} back in '${source}'.`);
        load();
      },
    });
  }

  return {
    update: latest => {
      if (seen !== null && number(latest) !== seen) {
        seen = number(latest);
        load();
      }
    },
  };

  /** The number of dead letters in the latest item of the queue's stream. */
  function number(latest) {
    return latest ? (latest.info?.queue === deadQueue ? latest.info.ready : latest.dead) : 0;
  }
}
