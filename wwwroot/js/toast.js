// Short notices about actions. Screen readers announce them; errors stay until they are closed.
import { h } from './dom.js';

const showMs = 4000;

export function toast(sentence, { error = false } = {}) {
  const place = document.getElementById('toasts');
  const item = h(error ? 'div.toast.error' : 'div.toast', null,
    h('span', null, sentence),
    h('button.quiet.icon', { type: 'button', 'aria-label': 'Dismiss', onclick: () => item.remove() }, '✕'));
  place.append(item);
  while (place.children.length > 4) {
    place.firstElementChild.remove();
  }

  if (!error) {
    setTimeout(() => item.remove(), showMs);
  }
}

/** Runs an action and shows its result; true if it succeeded. */
export async function attempt(action, done) {
  try {
    await action();
    if (done) {
      toast(done);
    }

    return true;
  } catch (error) {
    toast(error.message, { error: true });
    return false;
  }
}
