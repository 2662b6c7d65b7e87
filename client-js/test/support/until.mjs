/** Asks again until it is so; says what was not so where it never is. */
export async function until(what, condition, ms = 60_000) {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    const value = await condition();
    if (value) {
      return value;
    }

    await new Promise(resolve => setTimeout(resolve, 20));
  }

  throw new Error(`After ${ms / 1000} s this is still not so: ${what}`);
}

/** The first messages of a stream, as many as given. */
export async function first(count, stream) {
  const got = [];
  for await (const message of stream) {
    if (got.push(message) === count) {
      break;
    }
  }

  return got;
}
