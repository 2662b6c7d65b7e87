// The headers of a message: a text with a line for each, and the header fields that carry them in a request.

const namePattern = /^[a-z0-9._-]{1,64}$/;
const fieldPrefix = 'PushQueue-Header-';

/** Reads lines of the form `name: value`. Throws a sentence about the first line that has another form. */
export function headersOf(lines) {
  const headers = {};
  for (const line of lines.split('\n').map(each => each.trim()).filter(Boolean)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    if (!namePattern.test(name)) {
      throw new Error(`'${line}' is not a header. Write 'name: value'; a name has 1 to 64 of a to z, 0 to 9, '.', '_' and '-'.`);
    }

    if (Object.hasOwn(headers, name)) {
      throw new Error(`The header '${name}' is given twice. Give each name once.`);
    }

    headers[name] = line.slice(colon + 1).trim();
  }

  return headers;
}

/** The header fields of a put. Values that a field cannot carry as they are have the form of RFC 8187. */
export function fieldsOf(headers) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [`${fieldPrefix}${name}`, fieldValue(value)]));
}

/** A line for each header. */
export const linesOf = headers => Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join('\n');

function fieldValue(value) {
  return /^[\x20-\x7e]*$/.test(value) && !value.startsWith("UTF-8''") ? value : `UTF-8''${encodeURIComponent(value)}`;
}
