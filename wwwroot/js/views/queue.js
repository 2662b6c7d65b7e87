// One queue: its figures and chart, what can be done with it, and a tab for each thing there is to look at.
import { h, show, text } from '../dom.js';
import { age, bytes, count, rate, setServerTime } from '../format.js';
import { setPolicy, setStatus } from '../api.js';
import { stream } from '../live.js';
import { attempt } from '../toast.js';
import { QueueChart } from '../chart.js';
import { Tabs } from '../tabs.js';
import { mountMessages } from '../panels/messages.js';
import { mountTail } from '../panels/tail.js';
import { mountConsumers } from '../panels/consumers.js';
import { mountPut } from '../panels/put.js';
import { mountSettings } from '../panels/settings.js';
import { mountDeadLetters } from '../panels/dead-letters.js';
import { mountListen } from '../panels/listen.js';
import { confirmDelete, confirmPurge } from '../panels/delete.js';
import { refusal, rightsOf, setAccess } from '../rights.js';

const sums = [
  ['ready', 'Ready', info => count(info.ready)], ['delayed', 'Delayed', info => count(info.delayed)], ['leased', 'In flight', info => count(info.leased)],
  ['dead', 'Dead letters', (_, item) => count(item.dead)], ['history', 'History', info => count(info.history)], ['bytes', 'Size', info => bytes(info.bytes)],
  ['oldest', 'Oldest waits', info => info.oldestAgeSeconds === null ? '–' : age(oldestAt(info))],
  ['in', 'In per second', info => rate(info.putPerSecond)], ['out', 'Out per second', info => rate(info.deliveredPerSecond)],
];
const isDead = queue => queue.endsWith('.dead') && queue.length > 5;

export function mountQueue(place, queue, tab) {
  const totals = Object.fromEntries(sums.map(([name]) => [name, h('dd', null, '–')]));
  const status = h('span.badge', { hidden: true });
  const missing = h('p.note', { hidden: true }, 'This queue does not exist yet: the first message put into it, or its first setting, makes it.');
  const policies = ['broadcast', 'roundrobin'].map(policy => h('button', {
    type: 'button', onclick: () => attempt(() => setPolicy(queue, policy), `'${queue}' is ${policy} now.`),
  }, policy));
  const startStop = h('button', { type: 'button', onclick: toggle }, 'Stop');
  const chartPlace = h('div.chart', { role: 'img', 'aria-label': 'Messages put, delivered and acked per second, and messages waiting, over the last minutes' });
  const chart = new QueueChart(chartPlace);
  const context = { queue, latest: null, rights: null };
  const dead = isDead(queue);
  const look = ['take', 'listen', 'manage'];
  const deadLetters = {
    name: 'dead', label: 'Dead letters', of: 'deadLetters', needs: look, what: 'look at its dead letters',
    mount: panel => mountDeadLetters(panel, dead ? queue : `${queue}.dead`, context),
  };
  const entries = [
    ...(dead ? [deadLetters] : []),
    { name: 'messages', label: 'Messages', needs: look, what: 'look at its messages', mount: panel => mountMessages(panel, queue, context) },
    { name: 'tail', label: 'Live tail', needs: look, what: 'watch its messages pass', mount: panel => mountTail(panel, queue) },
    { name: 'consumers', label: 'Consumers', needs: ['manage'], what: 'see who its consumers are', mount: panel => mountConsumers(panel, queue, context) },
    { name: 'put', label: 'Put', needs: ['put'], what: 'put messages', mount: panel => mountPut(panel, queue) },
    ...(dead ? [] : [deadLetters]),
    { name: 'listen', label: 'Listen', needs: ['listen'], what: 'listen', mount: panel => mountListen(panel, queue, context) },
    { name: 'settings', label: 'Settings', mount: panel => mountSettings(panel, queue, context) },
  ];
  const tabs = new Tabs('Parts of the queue', entries.map(guarded), name => history.replaceState(null, '', `#/q/${encodeURIComponent(queue)}/${name}`));
  const actions = h('div.actions', { hidden: true },
    h('div.segments', { role: 'group', 'aria-label': 'Policy' }, policies),
    startStop,
    h('button.danger.outline', { type: 'button', onclick: () => confirmPurge(queue, context) }, 'Purge'),
    h('button.danger.outline', { type: 'button', onclick: () => confirmDelete(queue, context) }, 'Delete'));
  const policyBadge = h('span.badge', { hidden: true });
  const content = h('div.queue-parts');
  const reason = h('p', { role: 'alert' });
  const closed = h('div.empty', { hidden: true }, reason, h('button', { type: 'button', onclick: () => watch.open() }, 'Try again'));
  let wanted = tab ?? '';
  let counters = null;

  content.append(
    missing,
    h('dl.sums', null, sums.map(([name, label]) => h('div', null, h('dt', null, label), totals[name]))),
    chartPlace,
    tabs.element);
  place.append(
    h('div.queue-head', null,
      h('div.title', null, h('a.back', { href: '#/', 'aria-label': 'All queues' }, '←'), h('h1', null, queue), policyBadge, status),
      actions),
    content, closed);
  const watch = stream('WatchQueue', [queue], {
    onopen: () => { counters = null; },
    onitem: update,
    onerror: refuse,
  });

  /** A panel that the key does not allow says so instead. */
  function guarded({ needs, what, of = 'queue', ...entry }) {
    return {
      ...entry,
      mount(panel) {
        if (needs && !context.rights[of].may(...needs)) {
          panel.append(refusal(what, needs));
          return {};
        }

        return entry.mount(panel);
      },
    };
  }

  /** The queue may not be seen at all, or no longer. */
  function refuse(sentence) {
    actions.hidden = true;
    content.hidden = true;
    closed.hidden = false;
    text(reason, sentence);
  }

  function setRights(rights) {
    context.rights = rightsOf(rights);
    const manage = context.rights.queue.may('manage');
    actions.hidden = !manage;
    policyBadge.hidden = manage;
    if (wanted === null) {
      tabs.mountAgain();
    } else {
      // Not before it is known what may be asked for.
      tabs.select(wanted);
      wanted = null;
    }
  }

  function update(item) {
    setServerTime(item.now);
    setAccess(item);
    show(content, true);
    show(closed, false);
    const now = Math.floor(Date.parse(item.now) / 1000);
    if (item.history) {
      chart.begin(item.history, now);
    }

    context.latest = {
      ...context.latest, ...item,
      settings: item.settings ?? context.latest?.settings,
      listeners: item.listeners ?? context.latest?.listeners,
    };
    if (item.rights) {
      setRights(item.rights);
    }

    show(missing, item.info === null);
    showSettings(context.latest.settings);
    if (item.info) {
      showInfo(item, now);
    }

    tabs.badge('consumers', context.latest.listeners.total);
    tabs.badge('dead', dead ? item.info?.ready ?? 0 : item.dead);
    tabs.update(context.latest);
  }

  function showInfo(item, now) {
    for (const [name, , format] of sums) {
      text(totals[name], format(item.info, item));
    }

    totals.dead.parentElement.classList.toggle('alarm', item.dead > 0);
    const latest = item.info.counters;
    const since = (name, before) => Math.max(0, latest[name] - before[name]);
    if (counters) {
      const { ready, delayed, leased } = item.info;
      chart.add(now, [since('put', counters), since('delivered', counters), since('acked', counters), ready + delayed + leased]);
    }

    counters = latest;
  }

  function showSettings(settings) {
    const stopped = settings.status === 'stopped';
    show(status, true);
    text(status, settings.status);
    text(policyBadge, settings.policy);
    status.classList.toggle('warn', stopped);
    policies.forEach(button => button.setAttribute('aria-pressed', String(button.textContent === settings.policy)));
    text(startStop, stopped ? 'Start' : 'Stop');
  }

  function toggle() {
    const stopped = context.latest?.settings.status === 'stopped';
    attempt(() => setStatus(queue, stopped ? 'start' : 'stop'), stopped ? `'${queue}' gives messages out again.` : `'${queue}' is stopped: it takes messages and gives none out.`);
  }

  return {
    onTab(name) {
      if (wanted === null) {
        tabs.select(name);
      } else {
        wanted = name;
      }
    },
    unmount() {
      watch.close();
      tabs.close();
      chart.close();
    },
  };
}

/** The info tells an age, which the display counts on from. */
function oldestAt(info) {
  return new Date(Date.now() - info.oldestAgeSeconds * 1000).toISOString();
}
