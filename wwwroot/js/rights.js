// What the key may do, as the hub's streams tell it and tell anew when it changes: a page offers that and says what is missing to the rest.
import { h } from './dom.js';

/** A set of permissions on something. */
class Rights {
  #words;

  constructor(words) {
    this.#words = new Set(words);
  }

  /** Whether one of these is there. */
  may(...anyOf) {
    return anyOf.some(word => this.#words.has(word));
  }

  get words() {
    return [...this.#words];
  }
}

let access = { key: null, everywhere: null, somewhere: null };

/** The name of the key; null where the server asks for none. */
export const keyName = () => access.key;

/** What may be done with every queue, and with some queue at least; everything until the server has said so. */
export const everywhere = () => new Rights(access.everywhere ?? ['put', 'take', 'listen', 'manage', 'stats']);
export const somewhere = () => new Rights(access.somewhere ?? ['put', 'take', 'listen', 'manage', 'stats']);

/** Takes what an item of a stream says of the key, where it says something. */
export function setAccess(item) {
  if (item.access) {
    ({ access } = item);
    document.dispatchEvent(new Event('accesschange'));
  }
}

/** What may be done with a queue and with its dead letters. */
export const rightsOf = ({ queue, deadLetters }) => ({ queue: new Rights(queue), deadLetters: new Rights(deadLetters) });

const list = new Intl.ListFormat('en', { type: 'disjunction' });

/** Says in place of a panel that the key does not allow it, and what it lacks. */
export function refusal(what, needs) {
  return h('div.empty.refusal', null,
    h('p', null, `The key${access.key ? ` “${access.key}”` : ''} may not ${what}.`),
    h('p', null, `That needs the permission ${list.format(needs)} on this queue.`));
}
