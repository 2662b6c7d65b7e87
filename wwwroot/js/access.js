// The only module that knows access keys. A key is kept in this tab's session storage. Every request sends it as Authorization; streams
// send it in the query, because a browser cannot set headers there.
import { h } from './dom.js';
import { openDialog } from './dialog.js';

const storageKey = 'pushqueue-key';
let asking = null;
let declined = false;

export const currentKey = () => sessionStorage.getItem(storageKey) ?? '';

/** The headers of a request. */
export function authorize(headers = {}) {
  const key = currentKey();
  return key ? { ...headers, Authorization: `Bearer ${key}` } : headers;
}

/** An address for EventSource and WebSocket. */
export function withToken(address) {
  const key = currentKey();
  return key ? `${address}${address.includes('?') ? '&' : '?'}access_token=${encodeURIComponent(key)}` : address;
}

export function forgetKey() {
  sessionStorage.removeItem(storageKey);
  declined = false;
}

/** Whether the user declined to enter a key. The page does not ask again until the user chooses to. */
export const wasDeclined = () => declined;

/**
 * Asks for a key, once for all refused requests; resolves to whether the user entered one.
 * @param why the server's sentence about the key that was used, if any.
 */
export function askForKey({ again = false, why = '' } = {}) {
  if (declined && !again) {
    return Promise.resolve(false);
  }

  asking ??= ask(currentKey() ? why : '').then(given => {
    asking = null;
    declined = !given;
    document.dispatchEvent(new Event('keychange'));
    return given;
  });
  return asking;
}

function ask(why) {
  return new Promise(resolve => {
    const input = h('input', {
      type: 'password', id: 'access-key', autocomplete: 'off', required: true, spellcheck: false, 'aria-describedby': why
        ? 'access-key-why'
        : null,
    });
    const form = h('form', {
      onsubmit(event) {
        event.preventDefault();
        sessionStorage.setItem(storageKey, input.value.trim());
        dialog.close('given');
      },
    },
      why && h('p.problem', { id: 'access-key-why', role: 'alert' }, why),
      h('p', null, 'This server needs an access key. The page keeps it in this tab only, until you close the tab.'),
      h('label', { htmlFor: 'access-key' }, 'Access key'),
      input,
      h('div.actions', null,
        h('button', { type: 'button', onclick: () => dialog.close() }, 'Not now'),
        h('button.primary', { type: 'submit' }, 'Use this key')));
    const dialog = openDialog('Access key', form, { onclose: () => resolve(dialog.returnValue === 'given') });
    input.focus();
  });
}
