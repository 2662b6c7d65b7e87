// Puts a message by hand, with all options of a put.
import { h, uniqueId } from '../dom.js';
import { json, paths } from '../api.js';
import { plural } from '../format.js';
import { fieldsOf, headersOf } from '../headers.js';

const options = [
  ['id', 'Id', 'the next number'], ['delay', 'Delay', '5m'], ['ttl', 'Time to live', 'for ever'], ['priority', 'Priority', '0 to 9'],
  ['key', 'Key', 'none'], ['unique', 'Unique key', 'none'], ['maxAttempts', 'Attempts', 'as set'], ['retryDelay', 'Retry delay', 'as set'],
];
const types = [['application/json', 'JSON'], ['text/plain', 'Text'], ['application/octet-stream', 'Bytes, as hex']];
const copiesMax = 10_000;

export function mountPut(place, queue) {
  const id = uniqueId('put');
  const body = h('textarea', {
    id: `${id}-body`, rows: 8, spellcheck: false, value: '{\n  "hello": "world"\n}', 'aria-describedby': `${id}-keys`,
    onkeydown(event) {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        form.requestSubmit();
      }
    },
  });
  const type = h('select', { id: `${id}-type` }, types.map(([value, label]) => h('option', { value }, label)));
  const copies = h('input', { id: `${id}-copies`, type: 'number', min: 1, max: copiesMax, value: '1' });
  const inputs = Object.fromEntries(options.map(([name, , placeholder]) =>
    [name, h('input', { id: `${id}-${name}`, type: 'text', placeholder, autocomplete: 'off', spellcheck: false })]));
  const headers = h(
    'textarea',
    { id: `${id}-headers`, rows: 2, spellcheck: false, placeholder: 'none', 'aria-describedby': `${id}-headers-hint` });
  const answer = h('p.answer', { role: 'status' });
  const field = (forId, label, input) => h('div.field', null, h('label', { htmlFor: forId }, label), input);

  const form = h('form.put', { onsubmit: submit },
    field(`${id}-body`, 'Body', body),
    h('div.fields', null,
      field(`${id}-type`, 'Send as', type),
      options.map(([name, label]) => field(`${id}-${name}`, label, inputs[name])),
      field(`${id}-copies`, 'Copies', copies)),
    h('div.field', null,
      h('label', { htmlFor: `${id}-headers` }, 'Headers'), headers,
      h('p.hint', { id: `${id}-headers-hint` },
        'One on each line, such as tenant: 7. Consumers get them with the message and can filter by them.')),
    h('div.actions', null, h('button.primary', { type: 'submit' }, 'Put message'),
      h('span.hint', { id: `${id}-keys` }, 'Ctrl+Enter in the body also puts the message.'), answer));
  place.append(form);

  async function submit(event) {
    event.preventDefault();
    say('');
    try {
      const number = Math.min(copiesMax, Math.max(1, Math.floor(Number(copies.value) || 1)));
      say(number === 1 ? await putOne() : await putMany(number));
    } catch (error) {
      say(error.message, true);
    }
  }

  async function putOne() {
    const query = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value.trim()]));
    const result = await json('POST', paths.queue(queue), {
      body: bytesOf(body.value, type.value), contentType: type.value, query, headers: fieldsOf(headersOf(headers.value)),
    });
    return result.duplicate
      ? `Message ${result.id} exists already; nothing was stored.`
      : `Message ${result.id} is stored (${result.durability}).`;
  }

  async function putMany(number) {
    const { id: givenId, unique, ...query } = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value.trim()]));
    if (givenId || unique || type.value === 'application/octet-stream') {
      throw new Error('Copies cannot share an id or a unique key, and must be JSON or text.');
    }

    const one = type.value === 'application/json'
      ? JSON.stringify(JSON.parse(body.value))
      : JSON.stringify({ body: body.value, contentType: 'text/plain' });
    const result = await json('POST', paths.batch(queue), {
      body: `${one}\n`.repeat(number),
      contentType: 'application/x-ndjson',
      query: { ...query, envelope: type.value === 'text/plain' ? 'true' : '' },
      headers: fieldsOf(headersOf(headers.value)),
    });
    return `${plural(result.ids.length, 'message')} stored, ${result.ids[0]} to ${result.ids.at(-1)}.`;
  }

  function say(sentence, isProblem = false) {
    answer.textContent = sentence;
    answer.classList.toggle('problem', isProblem);
  }

  return {};
}

function bytesOf(content, type) {
  if (type === 'application/json') {
    try {
      JSON.parse(content);
    } catch (error) {
      throw new Error(`The body is not JSON: ${error.message}`, { cause: error });
    }
  }

  if (type !== 'application/octet-stream') {
    return content;
  }

  const digits = content.replace(/\s+/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) {
    throw new Error('Write bytes as pairs of hexadecimal digits, such as 48 65 6c 6c 6f.');
  }

  return Uint8Array.from(digits.match(/../g) ?? [], pair => Number.parseInt(pair, 16));
}
