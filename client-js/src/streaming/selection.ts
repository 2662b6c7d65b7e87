/** Queues of one stream: some by name, others by patterns in which `*` stands for any characters. */
export interface Queues {
  queues?: readonly string[];
  match?: string | readonly string[];
}

/** The same, as the server wants it. */
export interface Selection {
  readonly queues: readonly string[];
  readonly match: readonly string[];
}

export function selectionOf(queues: readonly string[] | Queues): Selection {
  const { queues: names = [], match = [] } = Array.isArray(queues) ? { queues: queues as readonly string[] } : queues as Queues;
  const selection = { queues: [...names], match: [match].flat() };
  if (selection.queues.length === 0 && selection.match.length === 0) {
    throw new TypeError("Name a queue, or give a pattern: consume(['a', 'b']), consume({ match: 'orders.*' }).");
  }

  return selection;
}
