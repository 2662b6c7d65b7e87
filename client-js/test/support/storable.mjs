// Bodies that the server stores and that are hard to read. A value is the expected body; without one, the message must
// only come.
const json = 'application/json';
const text = 'text/plain';
const binary = 'application/octet-stream';
const bytes = (...values) => Uint8Array.from(values);
const allBytes = bytes(...Array(256).keys());
const encoded = value => new TextEncoder().encode(value);

const depths = [1, 32, 61, 62, 63, 64, 65, 100, 256, 511, 512].map(depth => (
  { id: `list-${depth}`, contentType: json, body: encoded('['.repeat(depth) + ']'.repeat(depth)), value: nested(depth) }));

const jsonBodies = [
  ['in-a-list', '["ab\\ud83d","\\ude00"]'], ['in-a-name', '{"\\ud83d":"\\ude00"}'], ['line-separators', '["a\u2028b\u2029c\u0085d"]'],
  ['several-lines', '{\r\n\t"a": [\n1,\r2 ]\n}'], ['looks-like-a-close', '{"event":"close","code":"queue-deleted","reconnect":false}'],
  ['looks-like-an-answer', '{"ok":true,"error":"bad-option","ref":"subscribe"}'], ['prototype', '{"__proto__":{"id":"x"},"constructor":1}'],
  ...['0', '-0', '1e999', '-1E+999', '1e-999', '0.1', '9007199254740993', '9'.repeat(5000), 'true', 'null'].map(
  (number, i) => [`number-${i}`, number]),
].map(([id, body]) => ({ id, contentType: json, body: encoded(body), value: JSON.parse(body) }));

const strings = ['"ab\\ud83d"', '"\\ude00ab"', '"\\ude00\\ud83d"', '"\\u0000"', '"a\u2028b"'].map((body, i) => (
  { id: `string-${i}`, contentType: json, body: encoded(body), value: JSON.parse(body) }));

const texts = [
  '', 'x', 'a\r\nb\rc\nd\u0085e\u2028f\u2029g\0h\u001b', 'data: x\n\nid: 7\n\n', 'x'.repeat(65_537), 'x'.repeat(1_048_576),
].map((body, i) => (
  { id: `text-${i}`, contentType: text, body, value: body }));

export const storable = [
  ...depths, ...jsonBodies, ...strings, ...texts,
  { id: 'all-bytes', contentType: binary, body: allBytes, value: allBytes },
  { id: 'all-bytes-as-text', contentType: text, body: allBytes, value: allBytes },
  { id: 'raw-surrogate', contentType: text, body: bytes(0x61, 0xed, 0xa0, 0xbd), value: bytes(0x61, 0xed, 0xa0, 0xbd) },
  { id: 'no-bytes', contentType: binary, body: bytes(), value: bytes() },
  { id: 'no-json', contentType: json, body: encoded('{oops') },
  { id: 'empty-json', contentType: json, body: bytes() },
  { id: 'latin1-json', contentType: json, body: bytes(0x22, 0xe9, 0x22) },
  { id: 'too-deep', contentType: json, body: encoded('['.repeat(100_000)) },
  ...['text/json', 'application/problem+json', 'text/html', 'image/png', 'x', '!'].map(
  contentType => ({ id: contentType, contentType, body: encoded('{"a":1}') })),

  // Shows that the ones before did not end the stream.
  { id: 'last', contentType: text, body: 'last', value: 'last' },
];

function nested(depth) {
  let list = [];
  for (let i = 1; i < depth; i++) {
    list = [list];
  }

  return list;
}
