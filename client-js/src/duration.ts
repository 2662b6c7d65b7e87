/** A number of seconds, or a number with its unit: `30`, `1.5`, `"500ms"`, `"30s"`, `"5m"`, `"2h"`, `"7d"`. */
export type Duration = number | `${number}${"" | "ms" | "s" | "m" | "h" | "d"}`;

const units: Record<string, number> = { ms: 1, "": 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** In milliseconds. Throws a TypeError for any other text. */
export function milliseconds(duration: Duration): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|)$/.exec(String(duration)) ?? [];
  if (digits === undefined) {
    throw new TypeError(`'${duration}' is not a duration; give seconds, or a text like '500ms', '30s' or '5m'.`);
  }

  return Number(digits) * units[unit!]!;
}
