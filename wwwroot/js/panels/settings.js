// The settings of the queue. Only what was changed is sent.
import { h, uniqueId } from '../dom.js';
import { json, paths } from '../api.js';
import { keyName } from '../rights.js';

const fields = [
  [
    'policy',
    'Policy',
    'Broadcast: every connected consumer gets each message. Roundrobin: one of them, in turn.',
    ['broadcast', 'roundrobin']
  ],
  ['status', 'Status', 'A stopped queue accepts messages and delivers none.', ['started', 'stopped']],
  ['ttr', 'Lease', 'The length of a lease that does not give its own, such as 30s or 5m.'],
  ['maxAttempts', 'Attempts', 'Leases before a message is dead-lettered, 1 to 1000.'],
  ['retryDelay', 'Retry delay', 'The wait after a failed attempt: 5s, or exponential:1s..5m.'],
  ['dedupWindow', 'Dedup window', 'How long an id stays known after its put; 0 while the message lives.'],
  ['maxMessages', 'Message limit', 'The most messages in the queue; empty for no limit.'],
  ['maxBytes', 'Byte limit', 'The most bytes of all bodies together; empty for no limit.'],
  ['overflow', 'When full', 'Refuse the put, or drop the oldest message.', ['reject', 'drop-oldest']],
  ['historyMessages', 'History', 'Broadcast messages kept for resuming.'],
  ['historyAge', 'History age', 'How long broadcast messages are kept for resuming.'],
  [
    'historyPerKey',
    'Newest per key',
    'Keep the newest broadcast message of each key beyond these limits, or not.',
    ['true', 'false'],
    ['keep', 'do not keep']
  ],
  [
    'deadLetter',
    'Dead letters',
    'Keep messages that ran out of attempts in the queue’s .dead queue, or drop them.',
    ['true', 'false'],
    ['keep', 'drop']
  ],
  ['expires', 'Expires', 'How long the queue stays without use, such as 1h; 0 until it is deleted.'],
  ['keyInFlight', 'In flight per key', 'How many messages of one key may be leased at once; 0 for no limit.'],
  ['fair', 'Turns of keys', 'Whether the keys take turns; the messages without a key are one key.', ['false', 'true'], ['off', 'on']],
];
const limits = ['maxMessages', 'maxBytes'];

export function mountSettings(place, queue, context) {
  const id = uniqueId('setting');
  const inputs = {};
  const answer = h('p.answer', { role: 'status' });
  let saved = null;
  for (const [name, , , choices, labels] of fields) {
    inputs[name] = choices
      ? h(
        'select',
        { id: `${id}-${name}`, 'aria-describedby': `${id}-${name}-hint` },
        choices.map((value, index) => h('option', { value }, labels?.[index] ?? value)))
      : h('input', { id: `${id}-${name}`, type: 'text', autocomplete: 'off', spellcheck: false, 'aria-describedby': `${id}-${name}-hint` });
  }

  const mayChange = context.rights.queue.may('manage');
  Object.values(inputs).forEach(input => { input.disabled = !mayChange; });
  place.append(h('form.settings', { onsubmit: submit },
    !mayChange
      && h(
        'p.note',
        null,
        `The key${keyName() ? ` “${keyName()}”` : ''} may see these settings; `
        + 'to change them it needs the permission manage on this queue.'),
    h('div.fields', null, fields.map(([name, label, hint]) => h('div.field', null,
      h('label', { htmlFor: `${id}-${name}` }, label), inputs[name], h('p.hint', { id: `${id}-${name}-hint` }, hint)))),
    mayChange && h('div.actions', null, h('button.primary', { type: 'submit' }, 'Save settings'), answer)));
  if (context.latest) {
    update(context.latest);
  }

  /** Shows settings that another client changed, except in fields with input. */
  function update({ settings }) {
    if (!settings || settings === saved) {
      return;
    }

    const now = flat(settings);
    const before = saved ? flat(saved) : null;
    for (const [name] of fields) {
      if (!before || inputs[name].value === before[name]) {
        inputs[name].value = now[name];
      }
    }

    saved = settings;
  }

  async function submit(event) {
    event.preventDefault();
    answer.classList.remove('problem');
    Object.values(inputs).forEach(input => input.removeAttribute('aria-invalid'));
    try {
      const now = flat(saved);
      const changed = Object.fromEntries(
        fields.map(([name]) => [name, inputs[name].value.trim()]).filter(([name, value]) => value !== now[name]));
      if (Object.keys(changed).length === 0) {
        answer.textContent = 'Nothing has changed.';
        return;
      }

      const settings = await json(
        'PATCH',
        paths.settings(queue),
        { body: JSON.stringify(patchOf(changed)), contentType: 'application/json' });
      saved = settings;
      Object.entries(flat(settings)).forEach(([name, value]) => { inputs[name].value = value; });
      answer.textContent = 'Saved.';
    } catch (error) {
      const field = fieldIn(error.message);
      answer.textContent = field ? `${field.label}: ${error.message}` : error.message;
      answer.classList.add('problem');
      inputs[field?.name]?.setAttribute('aria-invalid', 'true');
      inputs[field?.name]?.focus();
    }
  }

  return { update };
}

/** The field that a sentence of the server names in quotation marks, by the name of the setting. */
function fieldIn(sentence) {
  const named = /'([\w.]+)'/.exec(sentence)?.[1].replace('history.messages', 'historyMessages').replace('history.age', 'historyAge')
    .replace('history.perKey', 'historyPerKey');
  const [name, label] = fields.find(([each]) => each === named) ?? [];
  return name ? { name, label } : null;
}

function flat({ history, ...settings }) {
  const all = { ...settings, historyMessages: history.messages, historyAge: history.age, historyPerKey: history.perKey };
  return Object.fromEntries(fields.map(([name]) => [name, all[name] === null ? '' : String(all[name])]));
}

function patchOf({ historyMessages, historyAge, historyPerKey, deadLetter, fair, ...changed }) {
  const patch = Object.fromEntries(
    Object.entries(changed).map(([name, value]) => [name, limits.includes(name) ? value === '' ? null : Number(value) : value]));
  if (historyMessages !== undefined || historyAge !== undefined || historyPerKey !== undefined) {
    patch.history = {
      ...(historyMessages === undefined ? {} : { messages: Number(historyMessages) }),
      ...(historyAge === undefined ? {} : { age: historyAge }),
      ...(historyPerKey === undefined ? {} : { perKey: historyPerKey === 'true' }),
    };
  }

  if (deadLetter !== undefined) {
    patch.deadLetter = deadLetter === 'true';
  }

  if (fair !== undefined) {
    patch.fair = fair === 'true';
  }

  for (const name of ['maxAttempts', 'keyInFlight']) {
    if (patch[name] !== undefined) {
      patch[name] = Number(patch[name]);
    }
  }

  return patch;
}
