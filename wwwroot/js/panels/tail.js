// The messages of the queue, live: a line for each message, with its steps. These are copies; no consumer loses a message.
import { h, text, uniqueId } from '../dom.js';
import { bytesOfStart, preview } from '../body.js';
import { clock, count, plural } from '../format.js';
import { stream } from '../live.js';
import { showCopy } from '../message-dialog.js';

const linesMax = 200;
const words = { put: 'put', given: 'given to', done: 'done', returned: 'came back', ended: 'ended' };

export function mountTail(place, queue) {
  const lines = new Map();
  const list = h('ol.tail', { 'aria-label': 'Messages as they pass', tabIndex: 0 });
  const status = h('p.muted', { role: 'status' }, 'Watching …');
  const pause = h('button', { type: 'button', 'aria-pressed': 'false', onclick: toggle }, 'Pause');
  const filterId = uniqueId('tail');
  const filter = h(
    'input',
    {
      id: filterId,
      type: 'search',
      placeholder: 'Filter by id, key or body',
      autocomplete: 'off',
      spellcheck: false,
      oninput: () => lines.forEach(line => line.match(filter.value))
    });
  let missed = 0;
  let seen = 0;
  let watch = null;

  place.append(
    h('div.toolbar', null,
      h('label.visually-hidden', { htmlFor: filterId }, 'Filter the tail'), filter, pause,
      h('button', { type: 'button', onclick: clear }, 'Clear')),
    h('p.hint', null, 'Copies of the messages that pass through the queue from now on, at all nodes. No consumer loses a message.'),
    status, list);
  open();

  function open() {
    watch = stream('Tail', [queue], {
      onitem: update,
      onerror: sentence => text(status, sentence),
    });
  }

  function update(item) {
    missed += item.missed;
    for (const event of item.events) {
      const known = lines.get(event.id);
      if (!known || (event.event === 'put' && known.hasPut)) {
        known?.element.remove();
        lines.delete(event.id);
        const line = new TailLine(queue, event);
        lines.set(event.id, line);
        list.prepend(line.element);
        line.match(filter.value);
        seen++;
      } else {
        known.add(event);
      }
    }

    for (const id of lines.keys()) {
      if (lines.size <= linesMax) {
        break;
      }

      lines.get(id).element.remove();
      lines.delete(id);
    }

    say();
  }

  function say() {
    const paused = watch === null ? 'Paused. ' : '';
    text(
      status,
      seen === 0
        ? `${paused}No message has passed yet.`
        : `${paused}${plural(seen, 'message')} seen${missed > 0 ? `, ${count(missed)} events were too many to show` : ''}.`);
  }

  function toggle() {
    if (watch) {
      watch.close();
      watch = null;
    } else {
      open();
    }

    pause.setAttribute('aria-pressed', String(watch === null));
    text(pause, watch === null ? 'Continue' : 'Pause');
    say();
  }

  function clear() {
    lines.clear();
    list.replaceChildren();
    seen = 0;
    missed = 0;
    say();
  }

  return { unmount: () => watch?.close() };
}

class TailLine {
  hasPut = false;
  #trail = h('span.trail');
  #body = h('button.link.tail-body', { type: 'button', hidden: true, onclick: () => this.#open() });
  #queue;
  #message;

  constructor(queue, event) {
    this.#queue = queue;
    this.#message = event;
    this.element = h(
      'li',
      null,
      h('time', { dateTime: event.at }, clock(event.at)),
      h('code.tail-id', null, event.id),
      this.#body,
      this.#trail);
    this.add(event);
  }

  add(event) {
    if (event.start !== undefined) {
      this.#message = { ...this.#message, ...event };
      this.#body.hidden = false;
      text(this.#body, preview(this.#message) || '(empty)');
    }

    this.hasPut ||= event.event === 'put';
    const note = event.event === 'put' && event.availableAt ? 'for later' : event.note;
    this.#place(
      event.event,
      h(
        'span.step',
        { 'data-step': event.event, title: clock(event.at) },
        note ? `${words[event.event]} ${note}` : words[event.event].replace(' to', '')));
  }

  /** Steps may arrive out of order: 'done' before 'given', 'given' before 'put'. */
  #place(kind, step) {
    const last = this.#trail.lastElementChild;
    if (kind === 'put') {
      this.#trail.prepend(step);
    } else if (kind === 'given' && last?.dataset.step === 'done') {
      last.before(step);
    } else {
      this.#trail.append(step);
    }
  }

  match(filter) {
    const wanted = filter.toLowerCase();
    const { id, key = '', start = '' } = this.#message;
    this.element.hidden = wanted !== '' && !`${id} ${key} ${start}`.toLowerCase().includes(wanted);
  }

  #open() {
    const { event, at, note, ...message } = this.#message;
    showCopy(this.#queue, message, bytesOfStart(this.#message));
  }
}
