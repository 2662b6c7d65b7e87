import type { Duration } from "./duration.js";
import { milliseconds } from "./duration.js";

/** How often something is tried, and how long to wait in between. */
export interface Retry {
  /** Tries in all, the first included; 1 for none again, `Infinity` for always. */
  attempts?: number;
  /** The wait after the first failure; it doubles with each. */
  min?: Duration;
  /** The longest wait. */
  max?: Duration;
}

/** Milliseconds before try number `failures + 1`: half of it is chance, so that many clients do not come back at the same moment. */
export function backoff({ min = "250ms", max = "10s" }: Retry, failures: number): number {
  const most = Math.min(milliseconds(max), milliseconds(min) * 2 ** Math.min(failures - 1, 30));
  return most * (0.5 + Math.random() / 2);
}

/** The longest time that a timer of JavaScript can wait; more would end it at once. */
const timerMsMax = 2 ** 31 - 1;

/** Calls a function after so many milliseconds, however many they are. Returns what prevents that. */
export function after(ms: number, call: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const wait = (left: number) => {
    timer = setTimeout(() => left > timerMsMax ? wait(left - timerMsMax) : call(), Math.min(left, timerMsMax));
  };
  wait(ms);
  return () => clearTimeout(timer);
}

/** Calls a function again and again, so many milliseconds apart. Returns what ends that. */
export function every(ms: number, call: () => void): () => void {
  let cancel = after(ms, function again() {
    cancel = after(ms, again);
    call();
  });
  return () => cancel();
}

/** Rejects with the signal's reason when it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = () => {
      cancel();
      reject(signal!.reason);
    };
    const cancel = after(ms, () => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    });
    if (signal?.aborted) {
      aborted();
    } else {
      signal?.addEventListener("abort", aborted, { once: true });
    }
  });
}
