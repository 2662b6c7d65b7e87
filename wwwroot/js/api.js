// Requests to the server. Every failure is an Error whose message is the server's own sentence.
import { authorize, askForKey } from './access.js';

/** A refusal of the server's: the stable type of the problem and its sentence. */
export class ApiError extends Error {
  constructor(status, type, sentence) {
    super(sentence);
    this.status = status;
    this.type = type;
  }
}

export async function request(method, path, { body, contentType, query } = {}) {
  const address = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') {
      address.searchParams.set(name, value);
    }
  }

  const send = () => fetch(address, {
    method,
    body,

    // No credentials of the browser's own: it would put up its own window where a key is missing.
    credentials: 'omit',
    headers: authorize(contentType ? { 'Content-Type': contentType } : {}),
  });
  let response;
  try {
    response = await send();
    while (response.status === 401 && await askForKey({ why: (await problemOf(response.clone())).message })) {
      response = await send();
    }
  } catch {
    throw new ApiError(0, 'unreachable', 'The server does not answer; try again when it is back.');
  }

  if (!response.ok) {
    throw await problemOf(response);
  }

  return response;
}

/** The JSON of an answer; null where there is none. */
export async function json(method, path, options) {
  const response = await request(method, path, options);
  return response.status === 204 ? null : response.json();
}

async function problemOf(response) {
  try {
    const problem = await response.json();
    return new ApiError(response.status, problem.type, problem.detail ?? problem.title ?? `The server answered ${response.status}.`);
  } catch {
    return new ApiError(response.status, 'unknown', `The server answered ${response.status}.`);
  }
}

/** Every parser of URLs takes dots for a way up, however they are escaped: the request would be for something else. */
function part(text) {
  if (text === '' || text === '.' || text === '..') {
    throw new ApiError(400, 'bad-request', `'${text}' is no name of a queue and no id of a message.`);
  }

  return encodeURIComponent(text);
}

/** Paths of the API. */
export const paths = {
  queue: queue => `q/${part(queue)}`,
  batch: queue => `q/${part(queue)}/batch`,
  messages: queue => `q/${part(queue)}/messages`,
  message: (queue, id) => `q/${part(queue)}/messages/${part(id)}`,
  body: (queue, id) => `q/${part(queue)}/messages/${part(id)}/body`,
  purge: queue => `q/${part(queue)}/purge`,
  replay: queue => `q/${part(queue)}/replay`,
  consumer: (queue, id) => `q/${part(queue)}/consumers/${part(id)}`,
  settings: queue => `q/${part(queue)}/settings`,
  policy: queue => `p/${part(queue)}`,
  control: queue => `control/${part(queue)}`,
};

export const setPolicy = (queue, policy) =>
  json('POST', paths.policy(queue), { body: JSON.stringify({ policy }), contentType: 'application/json' });

export const setStatus = (queue, status) =>
  json('POST', paths.control(queue), { body: JSON.stringify({ status }), contentType: 'application/json' });
