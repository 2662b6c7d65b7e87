// The chart of one queue over time: put, delivered and acked per second on the left scale, waiting messages on the right one.
import uPlot from '../vendor/uPlot.esm.js';
import { count } from './format.js';
import { colour, onThemeChange } from './theme.js';

const pointsMax = 900;
const height = 220;
const secondsMin = 120;
const series = [
  { label: 'Put/s', name: 'in', scale: 'rate', fill: true },
  { label: 'Delivered/s', name: 'out', scale: 'rate' },
  { label: 'Acked/s', name: 'acked', scale: 'rate', dash: [4, 3] },
  { label: 'Waiting', name: 'waiting', scale: 'depth' },
];

export class QueueChart {
  #place;
  #plot = null;
  #columns = [[], [], [], [], []];
  #resize;
  #offTheme;

  constructor(place) {
    this.#place = place;
    this.#resize = new ResizeObserver(() => this.#plot?.setSize({ width: this.#width(), height }));
    this.#resize.observe(place);
    this.#offTheme = onThemeChange(() => this.#draw());
  }

  /** Points of the past, a second apart, the last one a second ago. */
  begin(history, now) {
    this.#columns = [[], [], [], [], []];
    history.forEach((point, index) => this.#append(now - history.length + index, point));
    this.#draw();
  }

  add(at, point) {
    this.#append(at, point);
    while (this.#columns[0].length > pointsMax) {
      this.#columns.forEach(column => column.shift());
    }

    if (this.#plot) {
      this.#plot.setData(this.#columns);
      this.#showLatest(this.#plot);
    } else {
      this.#draw();
    }
  }

  close() {
    this.#resize.disconnect();
    this.#offTheme();
    this.#plot?.destroy();
  }

  #append(at, point) {
    this.#columns[0].push(at);
    point.forEach((value, index) => this.#columns[index + 1].push(value));
  }

  /** The legend shows the latest values while the pointer is elsewhere. */
  #showLatest(plot) {
    if (plot.cursor.left < 0 && this.#columns[0].length > 0) {
      plot.setLegend({ idx: this.#columns[0].length - 1 });
    }
  }

  #width() {
    return Math.max(240, this.#place.clientWidth);
  }

  #draw() {
    this.#plot?.destroy();
    this.#plot = null;
    if (this.#columns[0].length === 0) {
      return;
    }

    const [ink, line] = [colour('muted'), colour('line')];
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: '12px system-ui', size: 48 };
    const whole = (_, values) => values.map(value => Number.isInteger(value) ? count(value) : '');
    this.#plot = new uPlot({
      width: this.#width(),
      height,
      cursor: { points: { size: 6 }, drag: { x: false, y: false } },
      legend: { live: true, markers: { fill: (plot, index) => plot.series[index].stroke(plot, index) } },
      scales: {
        x: { range: (_, first, last) => [Math.min(first, last - secondsMin), last] },
        rate: { range: (_, low, high) => [0, Math.max(4, high * 1.1)] },
        depth: { range: (_, low, high) => [0, Math.max(4, high * 1.1)] }
      },
      axes: [
        { ...axis, size: 28, grid: { show: false }, values: '{HH}:{mm}:{ss}', space: 80, incrs: [10, 15, 30, 60, 120, 300, 600] },
        { ...axis, scale: 'rate', values: whole },
        { ...axis, scale: 'depth', side: 1, stroke: colour('waiting'), grid: { show: false }, values: whole },
      ],
      series: [
        { value: '{HH}:{mm}:{ss}', label: 'Time' },
        ...series.map(({ label, name, scale, dash, fill }) => ({
          label,
          scale,
          dash,
          stroke: colour(name),
          fill: fill ? colour(`${name}-fill`) : undefined,
          width: 1.75,
          points: { show: false },
          value: (_, value) => value === null || value === undefined ? '–' : count(value),
        })),
      ],
      hooks: { ready: [plot => this.#showLatest(plot)] },
    }, this.#columns, this.#place);
  }
}
