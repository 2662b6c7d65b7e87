// Message bodies as bytes, and their forms for people.

/** The bytes of the field `start` (text, or base64 if `encoding` says so). */
export function bytesOfStart({ start, encoding }) {
  return encoding === 'base64' ? Uint8Array.from(atob(start), char => char.charCodeAt(0)) : new TextEncoder().encode(start);
}

/** The bytes as text; null if they are not valid UTF-8. */
export function asText(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** One line for a list. */
export function preview({ start, encoding, bytes }) {
  if (encoding === 'base64') {
    return [...bytesOfStart({ start, encoding }).slice(0, 24)].map(hexByte).join(' ') + (bytes > 24 ? ' …' : '');
  }

  const line = start.replace(/\s+/g, ' ').trim();
  return line.length > 160 || start.length < bytes / 4 ? `${line.slice(0, 160)} …` : line;
}

const hexByte = byte => byte.toString(16).padStart(2, '0');

/** Sixteen bytes a line: offset, hex, printable characters. */
export function hexDump(bytes, bytesMax = 16 * 1024) {
  const lines = [];
  const shown = bytes.slice(0, bytesMax);
  for (let at = 0; at < shown.length; at += 16) {
    const row = [...shown.slice(at, at + 16)];
    const hex = row.map(hexByte).join(' ').padEnd(47);
    const printed = row.map(byte => byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·').join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.slice(0, 23)}  ${hex.slice(24)}  ${printed}`);
  }

  if (bytes.length > bytesMax) {
    lines.push(`… ${bytes.length - bytesMax} more bytes`);
  }

  return lines.join('\n');
}

/**
 * JSON on many lines, as [kind, text] pieces for colouring; null if the text is not JSON. Works on the text itself, so that numbers keep
 * all their digits.
 */
export function prettyJson(source) {
  try {
    JSON.parse(source);
  } catch {
    return null;
  }

  const pieces = [];
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
  const tokens = source.match(token) ?? [];
  let depth = 0;
  const line = () => pieces.push(['space', `\n${'  '.repeat(depth)}`]);
  tokens.forEach((piece, index) => {
    const next = tokens[index + 1];
    if (piece === '{' || piece === '[') {
      pieces.push(['mark', piece]);
      if (next !== '}' && next !== ']') {
        depth++;
        line();
      }
    } else if (piece === '}' || piece === ']') {
      if (tokens[index - 1] !== '{' && tokens[index - 1] !== '[') {
        depth--;
        line();
      }

      pieces.push(['mark', piece]);
    } else if (piece === ',') {
      pieces.push(['mark', ',']);
      line();
    } else if (piece === ':') {
      pieces.push(['mark', ': ']);
    } else {
      pieces.push([piece[0] === '"' ? (next === ':' ? 'name' : 'string') : /^[-\d]/.test(piece) ? 'number' : 'word', piece]);
    }
  });
  return pieces;
}
