// Requests to the server. Every failure is an Error whose message is the server's sentence.
import { authorize, askForKey } from './access.js';
import { api, hosted } from './place.js';

/** A refusal of the server: the stable type of the problem and its sentence. */
export class ApiError extends Error {
  constructor(status, type, sentence) {
    super(sentence);
    this.status = status;
    this.type = type;
  }
}

export async function request(method, path, { body, contentType, query, headers = {} } = {}) {
  const address = new URL(path, api);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') {
      address.searchParams.set(name, value);
    }
  }

  const send = () => fetch(address, {
    method,
    body,

    // Without credentials of the browser, which would open its own window for a missing key. An application knows its users by a cookie.
    credentials: hosted ? 'same-origin' : 'omit',
    headers: authorize(contentType ? { ...headers, 'Content-Type': contentType } : headers),
  });
  let response;
  try {
    response = await send();
    for (let refusal; response.status === 401; response = await send()) {
      refusal = await problemOf(response.clone());
      if (refusal.type === 'signed-out' || !await askForKey({ why: refusal.message })) {
        break;
      }
    }
  } catch {
    throw new ApiError(0, 'unreachable', 'The server does not answer. Try again when it is running.');
  }

  if (!response.ok || (hosted && response.redirected)) {
    throw await problemOf(response);
  }

  return response;
}

/** The JSON of an answer; null if it has no body. */
export async function json(method, path, options) {
  const response = await request(method, path, options);
  return response.status === 204 ? null : response.json();
}

/** An application that does not know the user any more answers without a problem, or with its own page. */
const isSignedOut = response => hosted && (response.redirected
  || (response.status === 401 && !response.headers.get('Content-Type')?.startsWith('application/problem+json')));

async function problemOf(response) {
  if (isSignedOut(response)) {
    return new ApiError(401, 'signed-out', 'You are signed out. Reload the page to sign in.');
  }

  try {
    const problem = await response.json();
    return new ApiError(response.status, problem.type, problem.detail ?? problem.title ?? `The server answered ${response.status}.`);
  } catch {
    return new ApiError(response.status, 'unknown', `The server answered ${response.status}.`);
  }
}

/** URL parsers treat '.' and '..' as steps between folders, even if they are escaped: the request would go to another path. */
function part(text) {
  if (text === '' || text === '.' || text === '..') {
    throw new ApiError(400, 'bad-request', `'${text}' is neither a queue name nor a message id.`);
  }

  return encodeURIComponent(text);
}

/** Paths of the API. */
export const paths = {
  queue: queue => `q/${part(queue)}`,
  info: queue => `j/${part(queue)}`,
  batch: queue => `q/${part(queue)}/batch`,
  messages: queue => `q/${part(queue)}/messages`,
  message: (queue, id) => `q/${part(queue)}/messages/${part(id)}`,
  body: (queue, id) => `q/${part(queue)}/messages/${part(id)}/body`,
  keys: queue => `q/${part(queue)}/keys`,
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
