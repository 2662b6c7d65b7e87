// The permissions of the key, which the hub's streams send at first and after each change. A page offers the allowed actions and names the
// missing permission of the others.
import { h } from './dom.js';

/** A set of permissions on something. */
class Rights {
  #words;

  constructor(words) {
    this.#words = new Set(words);
  }

  /** Whether the set contains one of these permissions. */
  may(...anyOf) {
    return anyOf.some(word => this.#words.has(word));
  }

  get words() {
    return [...this.#words];
  }
}

let access = { key: null, everywhere: null, somewhere: null };

/** The name of the key; null if the server has no keys. */
export const keyName = () => access.key;

/** The permissions on every queue, and on at least one queue. All of them until the server has sent the first item. */
export const everywhere = () => new Rights(access.everywhere ?? ['put', 'take', 'listen', 'manage', 'stats']);
export const somewhere = () => new Rights(access.somewhere ?? ['put', 'take', 'listen', 'manage', 'stats']);

/** Takes the permissions from an item of a stream, if it has them. */
export function setAccess(item) {
  if (item.access) {
    ({ access } = item);
    document.dispatchEvent(new Event('accesschange'));
  }
}

/** The permissions on a queue and on its dead letters. */
export const rightsOf = ({ queue, deadLetters }) => ({ queue: new Rights(queue), deadLetters: new Rights(deadLetters) });

const list = new Intl.ListFormat('en', { type: 'disjunction' });

/** Replaces a panel that the key does not allow, and names the missing permission. */
export function refusal(what, needs) {
  return h('div.empty.refusal', null,
    h('p', null, `The key${access.key ? ` “${access.key}”` : ''} may not ${what}.`),
    h('p', null, `That needs the permission ${list.format(needs)} on this queue.`));
}
