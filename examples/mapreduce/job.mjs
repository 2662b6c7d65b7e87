// The names and rules that mappers, reducers and the starter of a job share.

/** The names of a job's queues. */
export const queuesOf = (job, reducers) => ({
  texts: `${job}.texts`,
  counts: Array.from({ length: reducers }, (_, i) => `${job}.counts.${i}`),
  results: `${job}.results`,
});

export const wordsOf = text => text.split(/\s+/).filter(word => word !== '');

/** Adds counts, as pairs of a word and how often it came, to sums. */
export function add(sums, counts) {
  for (const [word, count] of counts) {
    sums.set(word, (sums.get(word) ?? 0) + count);
  }

  return sums;
}

/** Which reducer counts a word: always the same one. */
export function reducerOf(word, reducers) {
  let hash = 0;
  for (const character of word) {
    hash = (Math.imul(hash, 31) + character.codePointAt(0)) >>> 0;
  }

  return hash % reducers;
}
