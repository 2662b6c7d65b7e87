// One message: its properties, and its body as JSON, text or bytes.
import { h } from './dom.js';
import { json, paths, request } from './api.js';
import { asText, hexDump, prettyJson } from './body.js';
import { openDialog } from './dialog.js';
import { bytes as size, dateTime } from './format.js';
import { linesOf } from './headers.js';
import { attempt } from './toast.js';
import { copyButton } from './copy.js';

const shownBytesMax = 256 * 1024;
const facts = [
  ['state', 'State'], [
    'contentType',
    'Content type'
  ], ['bytes', 'Size', size], ['attempt', 'Attempts'], ['priority', 'Priority'], ['offset', 'Offset'],
  ['enqueuedAt', 'Put', dateTime], ['availableAt', 'Available', dateTime], ['expiresAt', 'Expires', dateTime], [
    'leasedUntil',
    'Leased until',
    dateTime
  ],
  ['key', 'Key'],
  ['headers', 'Headers', linesOf],
  ['unique', 'Unique key'], ['lastWorker', 'Last worker'], ['lastError', 'Last error'],
];

/**
 * Shows a message that is live.
 * @param actions [label, verb(id), danger] each; the dialog closes after one, and `changed` is called.
 */
export async function showMessage(queue, message, { actions = [], changed } = {}) {
  await attempt(async () => {
    const response = await request('GET', paths.body(queue, message.id));
    const body = new Uint8Array(await response.arrayBuffer());
    open(queue, message, body, { actions, changed, address: response.url });
  });
}

/** Shows the watcher's copy of a message, which may no longer exist. */
export function showCopy(queue, message, body) {
  open(queue, message, body, { note: body.length < message.bytes ? `The first ${size(body.length)} of ${size(message.bytes)}.` : null });
}

function open(queue, message, body, { actions = [], changed, note }) {
  const known = { ...message, bytes: message.bytes ?? body.length };
  const dead = message.deadLetter;
  const dialog = openDialog(`Message ${message.id}`, h('div', null,
    h('dl.facts', null,
      facts.filter(([name]) => known[name] !== undefined && known[name] !== null).map(([name, label, format]) =>
        h('div', null, h('dt', null, label), h(`dd.${name}`, null, String(format ? format(known[name]) : known[name])))),
      dead
        && h(
          'div',
          null,
          h('dt', null, 'Dead since'),
          h('dd', null, `${dateTime(dead.at)}, from ${dead.queue}: ${dead.reason}, ${dead.attempts} attempts`))),
    note && h('p.note', null, note),
    bodyViewer(body),
    h('div.actions', null,
      copyButton(() => asText(body) ?? hexDump(body, body.length), 'Copy body'),
      h('button', { type: 'button', onclick: () => download(`${queue}-${message.id}`, body, message.contentType) }, 'Download'),
      actions.map(([label, act, danger]) => h(danger ? 'button.danger' : 'button.primary', {
        type: 'button',
        onclick: async () => {
          if (await attempt(() => act(message.id))) {
            dialog.close();
            changed?.();
          }
        },
      }, label)))), { wide: true });
}

function bodyViewer(body) {
  const content = asText(body);
  const pieces = content === null || body.length > shownBytesMax ? null : prettyJson(content);
  const views = [
    ...(pieces ? [['JSON', () => pieces.map(([kind, piece]) => kind === 'space' ? piece : h(`span.json-${kind}`, null, piece))]] : []),
    ...(
      content === null
        ? []
        : [
          ['Text', () => [content.length > shownBytesMax ? `${content.slice(0, shownBytesMax)}\n… (download it for the rest)` : content]]
        ]),
    ['Hex', () => [hexDump(body)]],
  ];
  const code = h('code');
  const buttons = views.map(([label, make]) => h('button', { type: 'button', onclick: () => choose(label, make) }, label));
  const choose = (label, make) => {
    buttons.forEach(button => button.setAttribute('aria-pressed', String(button.textContent === label)));
    code.replaceChildren(...make());
  };
  choose(...views[0]);
  return h('div.body-viewer', null,
    h('div.segments', { role: 'group', 'aria-label': 'Show the body as' }, buttons),
    body.length === 0 ? h('p.muted', null, 'The body is empty.') : h('pre', { tabIndex: 0 }, code));
}

function download(name, body, type) {
  const address = URL.createObjectURL(new Blob([body], { type: type ?? 'application/octet-stream' }));
  h('a', { href: address, download: name.replace(/[^\w.-]+/g, '_') }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Finds a message by its id; throws the server's sentence if the message does not exist. */
export const findMessage = (queue, id) => json('GET', paths.message(queue, id));

export const cancelMessage = (queue, id) => json('DELETE', paths.message(queue, id));
