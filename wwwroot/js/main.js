// The shell: routes, the state of the connection, theme, keyboard, links.
import { show, text } from './dom.js';
import { connect, onState } from './live.js';
import { json } from './api.js';
import { setUpTheme } from './theme.js';
import { askForKey, currentKey, forgetKey, wasDeclined } from './access.js';
import { mountOverview } from './views/overview.js';
import { mountQueue } from './views/queue.js';
import { mountNodes } from './views/nodes.js';
import { everywhere, keyName } from './rights.js';
import { showShortcuts } from './shortcuts.js';

const main = document.getElementById('main');
const states = {
  connecting: 'Connecting', live: 'Live', reconnecting: 'Disconnected – reconnecting', refused: 'No access without a key',
  'signed-out': 'Signed out – reload the page to sign in',
};
const everything = ['put', 'take', 'listen', 'manage', 'stats'];
let view = null;
let shown = '';

/** A part of the address. A stray % stands for itself, because an address that somebody typed must not end the page. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) {
      return part;
    }

    throw error;
  }
}

function route() {
  const [place, queue, tab] = location.hash.replace(/^#\/?/, '').split('/').map(decoded);
  if (location.hash === '#main') {
    return;
  }

  const wanted = place === 'q' && queue ? `q/${queue}` : place;
  if (view && wanted === shown && view.onTab) {
    view.onTab(tab);
    return;
  }

  view?.unmount();
  main.replaceChildren();
  shown = wanted;
  view = place === 'q' && queue ? mountQueue(main, queue, tab) : place === 'nodes' ? mountNodes(main) : mountOverview(main);
  for (const link of document.querySelectorAll('[data-nav]')) {
    if (link.dataset.nav === (place === 'nodes' ? 'nodes' : 'queues')) {
      link.setAttribute('aria-current', 'page');
    } else {
      link.removeAttribute('aria-current');
    }
  }

  document.title = queue ? `${queue} – PushQueue` : place === 'nodes' ? 'Nodes – PushQueue' : 'PushQueue';
}

function showState(state) {
  const place = document.getElementById('connection');
  place.dataset.state = state;
  text(place.querySelector('.text'), states[state]);
  document.body.classList.toggle('stale', ['reconnecting', 'refused', 'signed-out'].includes(state));
}

function showKey() {
  const key = document.getElementById('key');
  key.hidden = !currentKey() && !wasDeclined();
  text(key, currentKey() ? 'Forget key' : 'Enter key');
  const who = document.getElementById('who');
  who.hidden = !currentKey() || keyName() === null;
  text(who, keyName() ?? '');

  // The page of the nodes concerns every queue, so it needs every permission on every queue.
  document.querySelector('[data-nav=nodes]').hidden = !everywhere().may(...everything);
}

/** The version of the node that serves this page, once the server has said that the key may ask for it. */
async function showVersion() {
  const place = document.getElementById('version');
  if (!place.hidden || !everywhere().may('stats')) {
    return;
  }

  const { nodes: [node] } = await json('GET', 'nodes');
  text(place, `Version ${node.version}`);
  show(place, true);
}

async function changeKey() {
  if (currentKey()) {
    forgetKey();
    location.reload();
  } else if (await askForKey({ again: true })) {
    location.reload();
  }
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')
    || event.target.closest('input, textarea, select')) {
    return;
  }

  if (event.key === '/') {
    const search = document.querySelector('input[type=search]');
    if (search) {
      event.preventDefault();
      search.focus();
    }
  } else if (event.key === '?') {
    showShortcuts();
  } else if (event.key === 'g') {
    location.hash = '#/';
  } else if (event.key === 'n') {
    location.hash = '#/nodes';
  }
}

document.getElementById('key').addEventListener('click', changeKey);
document.addEventListener('keychange', showKey);
document.addEventListener('accesschange', showKey);
document.addEventListener('accesschange', showVersion);
document.querySelector('.skip').addEventListener('click', event => {
  event.preventDefault();
  main.focus();
});
setUpTheme(document.getElementById('theme'));
showKey();
onState(showState);
addEventListener('hashchange', () => {
  route();
  main.focus({ preventScroll: true });
});
addEventListener('keydown', onKey);
connect();
route();
