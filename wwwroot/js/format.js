// Numbers, times and sizes in readable form.

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** 1234 as "1,234", 1234567 as "1.23M". */
export function count(value) {
  if (value < 100_000) {
    return grouped.format(value);
  }

  const [divisor, unit] = value < 1e6 ? [1e3, 'k'] : value < 1e9 ? [1e6, 'M'] : [1e9, 'G'];
  return `${(value / divisor).toPrecision(3)}${unit}`;
}

/** A rate per second. */
export function rate(value) {
  return value === 0 ? '0' : value < 10 ? value.toFixed(1) : count(value);
}

export function bytes(value) {
  if (value === null || value === undefined) {
    return '–';
  }

  if (value < 1024) {
    return `${value} B`;
  }

  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let scaled = value / 1024;
  let unit = 0;
  while (scaled >= 1024 && unit < units.length - 1) {
    scaled /= 1024;
    unit++;
  }

  return `${scaled < 10 ? scaled.toFixed(1) : Math.round(scaled)} ${units[unit]}`;
}

/** A length of time in its two largest units. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) {
    return '–';
  }

  const s = Math.max(0, Math.round(seconds));
  if (s < 60) {
    return `${s} s`;
  }

  if (s < 3600) {
    return `${Math.floor(s / 60)} m ${pad(s % 60)} s`;
  }

  return s < 86_400
    ? `${Math.floor(s / 3600)} h ${pad(Math.floor(s / 60) % 60)} m`
    : `${Math.floor(s / 86_400)} d ${pad(Math.floor(s / 3600) % 24)} h`;
}

const pad = value => String(value).padStart(2, '0');

/** The server's clock minus this machine's, in milliseconds; ages follow the server's clock. */
let clockOffset = 0;

export function setServerTime(iso) {
  clockOffset = Date.parse(iso) - Date.now();
}

/** Seconds since a time of the server's clock; null without a time. */
export function ageOf(iso) {
  return iso ? Math.max(0, (Date.now() + clockOffset - Date.parse(iso)) / 1000) : null;
}

export const age = iso => duration(ageOf(iso));

export function clock(iso) {
  const time = new Date(iso);
  return `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

export function dateTime(iso) {
  return iso ? new Date(iso).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' }) : '–';
}

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
