// The messages that each consumer got, compared with those that were put.
import { countWords } from './text.mjs';

// A run in which nothing arrives for this long will not go on by itself.
const stallMs = 30_000;

/** The messages of one consumer. */
class ConsumerRecord {
  messages = [];
  problems = [];
  closed = false;
  #onEvent;

  constructor(name, onEvent) {
    this.name = name;
    this.#onEvent = onEvent;
  }

  /** Takes an envelope, or an event of the stream. */
  add(event) {
    if (event.event === 'close' && event.code === 'queue-deleted') {
      this.closed = true;
    } else if (event.event && event.event !== 'subscribed') {
      this.problems.push(`got ${JSON.stringify(event)}`);
    } else if (event.event === undefined) {
      this.messages.push({ id: event.id, body: Buffer.from(event.body, event.encoding ?? 'utf8') });
    }

    this.#onEvent();
  }

  get words() {
    return this.messages.reduce((sum, message) => sum + countWords(message.body), 0);
  }
}

export class Ledger {
  putSeconds = 0;
  #lines;
  #policy;
  #records = [];
  #places = new Map();
  #wanted = null;
  #stall = null;

  constructor(lines, policy) {
    this.#lines = lines;
    this.#policy = policy;
  }

  open(name) {
    const record = new ConsumerRecord(name, () => this.#onEvent());
    this.#records.push(record);
    return record;
  }

  /** The ids of the next lines that were put. */
  addIds(ids) {
    for (const id of ids) {
      this.#places.set(id, this.#places.size);
    }
  }

  /** Completes when every line has arrived wherever it should, or when nothing arrives any more. */
  whenComplete() {
    return this.#when(() => (this.#policy === 'broadcast'
      ? this.#records.every(record => record.messages.length >= this.#lines.length)
      : this.#records.reduce((sum, record) => sum + record.messages.length, 0) >= this.#lines.length));
  }

  /** Completes when every consumer has been told that the queue is gone, or when nothing arrives any more. */
  whenClosed() {
    return this.#when(() => this.#records.every(record => record.closed));
  }

  /** Prints the table; true where all agrees. */
  report(expectedWords) {
    const rate = Math.round(this.#lines.length / this.putSeconds);
    console.log(`${this.#policy}, put in ${this.putSeconds.toFixed(1)} s (${rate} lines/s)\n`);
    row('consumer', 'lines', 'words', 'in order');
    for (const record of this.#records) {
      row(record.name, record.messages.length, record.words, this.#check(record) ? 'yes' : 'no');
    }

    const problems = this.#records.flatMap(record => record.problems.map(problem => `${record.name}: ${problem}`));
    problems.push(...(this.#policy === 'broadcast' ? this.#checkEach(expectedWords) : this.#checkTogether(expectedWords)));
    row('wc -w', this.#lines.length, expectedWords, '');
    console.log(problems.length === 0 ? '\nAll agree.' : `\nThey do not agree:\n${problems.join('\n')}`);
    return problems.length === 0;
  }

  /** Whether the consumer's lines came in the order in which they were put, none twice; the same bytes as were put. */
  #check(record) {
    let last = -1;
    let inOrder = true;
    for (const { id, body } of record.messages) {
      const place = this.#places.get(id);
      if (place === undefined || !this.#lines[place].equals(body)) {
        record.problems.push(`message ${id} is not what was put`);
        return false;
      }

      inOrder &&= place > last;
      last = place;
    }

    if (!inOrder) {
      record.problems.push('the lines are not in order');
    }

    if (!record.closed) {
      record.problems.push('was not told that the queue was deleted');
    }

    return inOrder;
  }

  // In order and none twice, so as many as were put are all of them.
  #checkEach(expectedWords) {
    return this.#records
      .filter(record => record.messages.length !== this.#lines.length || record.words !== expectedWords)
      .map(record => `${record.name}: ${record.messages.length} lines and ${record.words} words`);
  }

  #checkTogether(expectedWords) {
    const messages = this.#records.flatMap(record => record.messages);
    const words = this.#records.reduce((sum, record) => sum + record.words, 0);
    const distinct = new Set(messages.map(message => message.id)).size;
    row('together', messages.length, words, '');
    return messages.length === this.#lines.length && distinct === messages.length && words === expectedWords
      ? []
      : [`together: ${messages.length} lines, ${distinct} of them different, and ${words} words`];
  }

  #when(wanted) {
    return new Promise(resolve => {
      this.#wanted = { wanted, resolve };
      this.#onEvent();
    });
  }

  #onEvent() {
    if (!this.#wanted) {
      return;
    }

    if (this.#wanted.wanted()) {
      this.#finish();
    } else if (this.#stall) {
      this.#stall.refresh();
    } else {
      this.#stall = setTimeout(() => this.#finish(), stallMs);
    }
  }

  #finish() {
    clearTimeout(this.#stall);
    this.#stall = null;
    this.#wanted.resolve();
    this.#wanted = null;
  }
}

function row(name, lines, words, inOrder) {
  console.log(`${name.padEnd(22)}${String(lines).padStart(8)}${String(words).padStart(10)}  ${inOrder}`.trimEnd());
}
