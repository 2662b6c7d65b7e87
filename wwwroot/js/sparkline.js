// A minute of a queue in a thumbnail: what came in above the line, what went out below it.
import { svg } from './dom.js';

export const sparkPoints = 60;
const width = 120;
const half = 14;

export class Sparkline {
  #incoming = new Array(sparkPoints).fill(0);
  #outgoing = new Array(sparkPoints).fill(0);
  #above = svg('path', { class: 'spark-in' });
  #below = svg('path', { class: 'spark-out' });
  #drawn = '';

  constructor() {
    this.element = svg('svg', { class: 'spark', viewBox: `0 0 ${width} ${half * 2}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      this.#above, this.#below, svg('path', { class: 'spark-line', d: `M0 ${half}H${width}` }));
  }

  /** So many seconds have passed; their values, where there are any, else nothing happened in them. */
  push(seconds, incoming, outgoing) {
    this.#incoming = shifted(this.#incoming, seconds, incoming);
    this.#outgoing = shifted(this.#outgoing, seconds, outgoing);
    const most = Math.max(1, ...this.#incoming, ...this.#outgoing);
    const drawing = area(this.#incoming, most, -1) + area(this.#outgoing, most, 1);
    if (drawing !== this.#drawn) {
      this.#drawn = drawing;
      this.#above.setAttribute('d', area(this.#incoming, most, -1));
      this.#below.setAttribute('d', area(this.#outgoing, most, 1));
    }
  }
}

function shifted(values, seconds, latest) {
  const next = latest ?? [];
  const idle = new Array(Math.max(0, Math.min(seconds, sparkPoints) - next.length)).fill(0);
  return [...values, ...idle, ...next].slice(-sparkPoints);
}

function area(values, most, direction) {
  const step = width / (sparkPoints - 1);
  const points = values.map((value, index) =>
    `${(index * step).toFixed(1)} ${(half + direction * Math.sqrt(value / most) * (half - 1)).toFixed(1)}`);
  return `M0 ${half}L${points.join('L')}L${width} ${half}Z`;
}
