// `curl -N` at /sse/{queue}: a process whose output is an event stream.
import { startProcess } from './process.mjs';

export function startCurl(queue, onEvent) {
  let inHeaders = true;
  let data = [];

  // The headers by -D and not by -i, which would keep them back until the first message.
  return startProcess('curl', ['-sSN', '-D', '-', '--fail-with-body', queue.url('sse')], line => {
    if (inHeaders) {
      // The server sends them when the consumer has joined; whatever is put from then on will come.
      inHeaders = line !== '\r';
      return !inHeaders;
    }

    if (line.startsWith('data: ')) {
      data.push(line.slice('data: '.length));
    } else if (line === '' && data.length > 0) {
      onEvent(JSON.parse(data.join('\n')));
      data = [];
    }

    return false;
  });
}
