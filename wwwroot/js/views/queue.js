// One queue: its figures and chart, its actions, and a tab for each of its parts.
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
import { mountKeys } from '../panels/keys.js';
import { mountSubscriptions } from '../panels/subscriptions.js';
import { mountListen } from '../panels/listen.js';
import { confirmDelete, confirmPurge } from '../panels/delete.js';
import { whyNoQueueName } from '../queue-name.js';
import { refusal, rightsOf, setAccess } from '../rights.js';

const sums = [
  ['ready', 'Ready', info => count(info.ready)], [
    'delayed',
    'Delayed',
    info => count(info.delayed)
  ], ['leased', 'In flight', info => count(info.leased)],
  [
    'dead',
    'Dead letters',
    (_, item) => count(item.dead)
  ], ['history', 'History', info => count(info.history)], ['bytes', 'Size', info => bytes(info.bytes)],
  ['oldest', 'Oldest waits', info => info.oldestAgeSeconds === null ? '–' : age(oldestAt(info))],
  ['in', 'In per second', info => rate(info.putPerSecond)], ['out', 'Out per second', info => rate(info.deliveredPerSecond)],
];
const isDead = queue => queue.endsWith('.dead') && queue.length > 5;

export function mountQueue(place, queue, tab) {
  const totals = Object.fromEntries(sums.map(([name]) => [name, h('dd', null, '–')]));
  const status = h('span.badge', { hidden: true });
  const missing = h(
    'p.note',
    { hidden: true },
    'This queue does not exist yet. The first message that is put into it, or its first setting, creates it.');
  const policies = ['broadcast', 'roundrobin'].map(policy => h('button', {
    type: 'button', onclick: () => attempt(() => setPolicy(queue, policy), `'${queue}' is ${policy} now.`),
  }, policy));
  const startStop = h('button', { type: 'button', onclick: toggle }, 'Stop');
  const chartPlace = h('div.chart', {
    role: 'img', 'aria-label': 'Messages put, delivered and acked per second, and messages waiting, over the last minutes',
  });
  const chart = new QueueChart(chartPlace);
  const context = { queue, latest: null, rights: null };
  const dead = isDead(queue);
  const look = ['take', 'listen', 'manage'];
  const deadLetters = {
    name: 'dead', label: 'Dead letters', of: 'deadLetters', needs: look, what: 'see its dead letters',
    mount: panel => mountDeadLetters(panel, dead ? queue : `${queue}.dead`, context),
  };
  const entries = [
    ...(dead ? [deadLetters] : []),
    { name: 'messages', label: 'Messages', needs: look, what: 'see its messages', mount: panel => mountMessages(panel, queue, context) },
    { name: 'keys', label: 'Keys', needs: look, what: 'see its keys', mount: panel => mountKeys(panel, queue, context) },
    { name: 'tail', label: 'Live tail', needs: look, what: 'watch its messages', mount: panel => mountTail(panel, queue) },
    {
      name: 'consumers',
      label: 'Consumers',
      needs: ['manage'],
      what: 'see its consumers',
      mount: panel => mountConsumers(panel, queue, context)
    },
    { name: 'put', label: 'Put', needs: ['put'], what: 'put messages', keep: true, mount: panel => mountPut(panel, queue) },
    ...(dead ? [] : [deadLetters]),
    { name: 'listen', label: 'Listen', needs: ['listen'], what: 'listen', keep: true, mount: panel => mountListen(panel, queue, context) },
    ...(dead
      ? []
      : [{ name: 'subscriptions', label: 'Subscriptions', keep: true, mount: panel => mountSubscriptions(panel, queue, context) }]),
    { name: 'settings', label: 'Settings', mount: panel => mountSettings(panel, queue, context) },
  ];
  const tabs = new Tabs(
    'Parts of the queue',
    entries.map(guarded),
    name => history.replaceState(null, '', `#/q/${encodeURIComponent(queue)}/${name}`));
  const ends = [['Purge', confirmPurge], ['Delete', confirmDelete]].map(([label, confirm]) =>
    h('button.danger.outline', { type: 'button', onclick: () => confirm(queue, context) }, label));
  const actions = h('div.actions', { hidden: true },
    h('div.segments', { role: 'group', 'aria-label': 'Policy' }, policies),
    startStop,
    ends);
  const policyBadge = h('span.badge', { hidden: true });
  const sumList = h('dl.sums', null, sums.map(([name, label]) => h('div', null, h('dt', null, label), totals[name])));
  const content = h('div.queue-parts');
  const reason = h('p', { role: 'alert' });
  const again = h('button', { type: 'button', onclick: () => watch.open() }, 'Try again');
  const closed = h('div.empty', { hidden: true }, reason, again);
  let wanted = tab ?? '';
  let counters = null;
  let latestRights = null;

  content.append(
    missing,
    sumList,
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

  /** A panel that the key does not allow shows the missing permission instead. */
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

  /** The server refuses to show the queue. Trying again cannot help a name that no queue can have. */
  function refuse(sentence) {
    const badName = whyNoQueueName(queue);
    actions.hidden = true;
    content.hidden = true;
    closed.hidden = false;
    again.hidden = badName !== null;
    text(reason, badName ?? sentence);
  }

  function setRights(rights) {
    const before = JSON.stringify(latestRights);
    latestRights = rights;
    context.rights = rightsOf(rights);
    const manage = context.rights.queue.may('manage');
    actions.hidden = !manage;
    policyBadge.hidden = manage;

    // Each connection begins with the rights. Panels keep their input unless the rights differ.
    if (JSON.stringify(rights) === before) {
      return;
    }

    if (wanted === null) {
      tabs.mountAgain();
    } else {
      // The panels need the rights, so no tab is selected before they are known.
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

    const exists = item.info !== null;
    show(missing, !exists);
    show(sumList, exists);
    show(chartPlace, exists);
    ends.forEach(button => show(button, exists));
    showSettings(context.latest.settings, exists);
    if (exists) {
      showInfo(item, now);
    } else {
      counters = null;
    }

    tabs.badge('keys', item.info?.blockedKeys ?? 0);
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

  function showSettings(settings, exists) {
    const stopped = settings.status === 'stopped';
    show(status, true);
    text(status, exists ? settings.status : 'does not exist');
    text(policyBadge, settings.policy);
    status.classList.toggle('warn', stopped || !exists);
    policies.forEach(button => button.setAttribute('aria-pressed', String(button.textContent === settings.policy)));
    text(startStop, stopped ? 'Start' : 'Stop');
  }

  function toggle() {
    const stopped = context.latest?.settings.status === 'stopped';
    attempt(
      () => setStatus(queue, stopped ? 'start' : 'stop'),
      stopped ? `'${queue}' delivers messages again.` : `'${queue}' is stopped: it accepts messages and delivers none.`);
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

/** The info contains an age; the display continues to count from it. */
function oldestAt(info) {
  return new Date(Date.now() - info.oldestAgeSeconds * 1000).toISOString();
}
