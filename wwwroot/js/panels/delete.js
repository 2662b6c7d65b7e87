// Purge and delete, which cannot be undone: each asks for the queue's name.
import { json, paths } from '../api.js';
import { confirmDialog } from '../dialog.js';
import { plural } from '../format.js';
import { toast } from '../toast.js';

const waiting = info => info.ready + info.delayed + info.leased;

/** Empties the queue, which stays. */
export function confirmPurge(queue, context) {
  const { info } = context.latest ?? {};
  confirmDialog({
    title: 'Purge the queue',
    sentences: [
      info
        ? `${plural(waiting(info), 'message')} – ready, delayed and in flight – `
          + `${waiting(info) === 1 ? 'is' : 'are'} removed. This cannot be undone.`
        : 'The queue does not exist; there is nothing to purge.',
      'Settings, history, dead letters and consumers stay as they are.',
    ],
    verb: 'Purge now',
    danger: true,
    typed: queue,
    async act() {
      const { purged } = await json('POST', paths.purge(queue));
      toast(`'${queue}' is purged: ${plural(purged, 'message')} removed.`);
    },
  });
}

/** Deletes the queue with everything in it. */
export function confirmDelete(queue, context) {
  const { info, listeners } = context.latest ?? {};
  confirmDialog({
    title: 'Delete the queue',
    sentences: [
      info
        ? `${plural(waiting(info), 'message')}, ${plural(info.history, 'message')} of history and all settings `
          + 'are removed. This cannot be undone.'
        : 'The queue does not exist; there is nothing to delete.',
      ...(listeners?.total ? [`The streams of ${plural(listeners.total, 'consumer')} end.`] : []),
    ],
    verb: 'Delete now',
    danger: true,
    typed: queue,
    async act() {
      await json('DELETE', paths.queue(queue));
      toast(`'${queue}' is deleted.`);
      location.hash = '#/';
    },
  });
}
