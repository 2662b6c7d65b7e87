// Which queues feed this one and which ones it feeds, as a picture; and the form that changes the queue's subscriptions.
import { h, show, text, uniqueId } from '../dom.js';
import { json, paths } from '../api.js';
import { count } from '../format.js';
import { confirmDialog } from '../dialog.js';
import { attempt, toast } from '../toast.js';

// A queue may have more subscribers than a picture can show.
const subscribersMax = 100;

const whatItDoes = 'A subscription copies each message that is put into another queue into this one, in the same step. '
  + 'Copies are not copied again.';

export function mountSubscriptions(place, queue, context) {
  const id = uniqueId('subscription');
  const mayChange = context.rights.queue.may('manage');
  const sources = h('ul.flow-sources');
  const subscribers = h('ul.flow-subscribers');
  const noSource = h('p.hint', null, 'Nothing: only puts into this queue.');
  const noSubscriber = h('p.hint', null, 'No other queue.');
  const more = h('p.hint', { hidden: true });
  const to = h('input', {
    id: `${id}-to`, type: 'text', autocomplete: 'off', spellcheck: false, placeholder: 'orders or invoices.*', required: true,
    'aria-describedby': `${id}-to-hint`,
  });
  const where = h('textarea', {
    id: `${id}-where`, rows: 2, spellcheck: false, placeholder: 'all messages', 'aria-describedby': `${id}-where-hint`,
  });
  const earliest = h('input', { id: `${id}-earliest`, type: 'checkbox', 'aria-describedby': `${id}-earliest-hint` });
  const heading = h('h2', { id: `${id}-heading` }, 'Subscribe to a queue');
  const save = h('button.primary', { type: 'submit' }, 'Subscribe');
  const leave = h('button', { type: 'button', hidden: true, onclick: () => edit(null) }, 'Do not change it');
  const answer = h('p.answer', { role: 'status' });
  const form = h('form.subscription', { onsubmit: submit, 'aria-labelledby': `${id}-heading` },
    heading,
    h('div.fields', null,
      h('div.field', null,
        h('label', { htmlFor: to.id }, 'Queue or pattern'), to,
        h('p.hint', { id: `${id}-to-hint` }, '* stands for any characters. The queue need not exist yet.')),
      h('div.field', null,
        h('label', { htmlFor: where.id }, 'Only messages with these headers'), where,
        h('p.hint', { id: `${id}-where-hint` },
          'One condition on each line, all of which must hold: tenant=7, or tenant=7|8 for either value, or tenant for any value.')),
      h('div.field', null,
        h('label', { htmlFor: earliest.id }, earliest, ' First copy what the queue holds'),
        h('p.hint', { id: `${id}-earliest-hint` },
          'Its history and its waiting messages, once. This queue gives nothing out until all are copied.'))),
    h('div.actions', null, save, leave, answer));

  // The entry that the form changes, as text; null when the form adds one.
  let editing = null;
  let shown = null;

  place.append(
    h('div.toolbar', null, h('p.hint.grow', null, whatItDoes), h('button', { type: 'button', onclick: load }, 'Refresh')),
    h('div.flow', { role: 'group', 'aria-label': 'Who feeds whom' },
      h('section.flow-side', null, h('h2', null, 'Gets messages of'), noSource, sources),
      h('p.flow-here', null, h('strong', null, queue)),
      h('section.flow-side', null, h('h2', null, 'Gives copies to'), noSubscriber, subscribers, more)));
  if (mayChange) {
    place.append(form);
  }

  if (context.latest) {
    update(context.latest);
  }

  load();

  /** The server says who subscribes when it is asked; the queue's stream has only the queue's own settings. */
  async function load() {
    await attempt(async () => {
      const names = context.latest?.info === null ? [] : (await json('GET', paths.info(queue))).subscribers ?? [];
      subscribers.replaceChildren(...names.slice(0, subscribersMax).map(name => h('li', null, queueLink(name))));
      show(noSubscriber, names.length === 0);
      show(more, names.length > subscribersMax);
      text(more, `And ${count(names.length - subscribersMax)} more.`);
    });
  }

  function update({ settings }) {
    const latest = JSON.stringify(settings.subscriptions);
    if (latest === shown) {
      return;
    }

    shown = latest;
    show(noSource, settings.subscriptions.length === 0);
    sources.replaceChildren(...settings.subscriptions.map(source));
  }

  function source(entry) {
    const name = nameOf(entry);
    const conditions = conditionsOf(entry);
    return h('li', null,
      h('div', null,
        name.includes('*') ? h('code', { title: 'A pattern: each queue whose name fits' }, name) : queueLink(name),
        conditions.length > 0 && h('p.flow-filter', null, 'only ', conditions.map(each => h('code', null, each))),
        entry.from === 'earliest' && h('p.flow-filter', null, 'from the earliest message')),
      mayChange && h('div.row-actions', null,
        h('button.quiet', { type: 'button', 'aria-label': `Change the subscription to ${name}`, onclick: () => edit(entry) }, 'Change'),
        h('button.quiet', { type: 'button', 'aria-label': `Remove the subscription to ${name}`, onclick: () => remove(entry) }, 'Remove')));
  }

  /** Fills the form with an entry; null empties it for a new one. */
  function edit(entry) {
    editing = entry;
    to.value = entry ? nameOf(entry) : '';
    where.value = entry ? conditionsOf(entry).join('\n') : '';
    earliest.checked = entry?.from === 'earliest';
    text(heading, entry ? `Change the subscription to ${nameOf(entry)}` : 'Subscribe to a queue');
    text(save, entry ? 'Save' : 'Subscribe');
    show(leave, entry !== null);
    if (entry) {
      say('');
      to.focus();
    }
  }

  async function submit(event) {
    event.preventDefault();
    try {
      const name = to.value.trim();
      const conditions = where.value.split('\n').map(line => line.trim()).filter(Boolean);
      const before = editing && JSON.stringify(editing);
      const fields = editing && typeof editing === 'object' ? editing : {};
      const others = Object.keys(fields).some(field => !['to', 'where', 'from'].includes(field));
      const entry = conditions.length > 0 || earliest.checked || others
        ? { ...fields, to: name, where: conditions.length > 0 ? conditions : undefined, from: earliest.checked ? 'earliest' : undefined }
        : name;
      await change(entries => before === null ? [...entries, entry] : replaced(entries, before, entry));
      say(before === null ? `'${queue}' gets the messages of '${name}' from now on.` : 'Saved.');
      edit(null);
    } catch (error) {
      say(error.message, true);
    }
  }

  function remove(entry) {
    const name = nameOf(entry);
    const removed = JSON.stringify(entry);
    confirmDialog({
      title: `Remove the subscription to ${name}?`,
      sentences: [`'${queue}' gets no more messages of '${name}'. Copies that were made stay.`],
      verb: 'Remove subscription',
      danger: true,
      async act() {
        await change(entries => entries.filter(each => JSON.stringify(each) !== removed));
        toast(`The subscription to '${name}' is removed.`);
        edit(null);
      },
    });
  }

  /** A list replaces the list before, so the latest one is read first: another client may have changed it. */
  async function change(next) {
    const { subscriptions } = await json('GET', paths.settings(queue));
    const settings = await json(
      'PATCH',
      paths.settings(queue),
      { body: JSON.stringify({ subscriptions: next(subscriptions) }), contentType: 'application/json' });
    update({ settings });
  }

  function say(sentence, isProblem = false) {
    text(answer, sentence);
    answer.classList.toggle('problem', isProblem);
  }

  return { update };
}

function replaced(entries, before, entry) {
  if (!entries.some(each => JSON.stringify(each) === before)) {
    throw new Error('Another client has changed or removed this subscription. Choose it again, or add a new one.');
  }

  return entries.map(each => JSON.stringify(each) === before ? entry : each);
}

const queueLink = name => h('a', { href: `#/q/${encodeURIComponent(name)}/subscriptions` }, name);

const nameOf = entry => typeof entry === 'string' ? entry : entry.to;

/** The conditions of an entry as a filter writes them: `tenant=7|8`, or `tenant` for any value. */
const conditionsOf = entry =>
  Object.entries(entry.where ?? {}).map(([name, value]) => value === true ? name : `${name}=${value}`);
