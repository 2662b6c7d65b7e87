// The rules for queue names, checked before a page of a queue is opened. The server has the last word.

const bytesMax = 255;

/** A sentence that says why a text cannot be the name of a queue; null if it can. */
export function whyNoQueueName(name) {
  if (name === '') {
    return 'Give a name of 1 to 255 bytes.';
  }

  if (name.includes('/')) {
    return "A queue name cannot contain '/'. Use another separator, such as '.' or '-'.";
  }

  if (name === '.' || name === '..') {
    return `The name '${name}' means a folder in addresses. Choose another name.`;
  }

  if (/\p{Cc}/u.test(name) || !name.isWellFormed()) {
    return 'A queue name cannot contain control characters or half a surrogate pair.';
  }

  const bytes = new TextEncoder().encode(name).length;
  return bytes > bytesMax ? `The name is ${bytes} bytes long; the limit is ${bytesMax}.` : null;
}
