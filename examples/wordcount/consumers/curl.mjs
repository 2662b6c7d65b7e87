// `curl -N` at /sse/{queue}: a process whose output is an event stream.
import { LineReader, startProcess } from './process.mjs';

export async function startCurl(queue, onEvent) {
  // The headers by -D and not by -i, which would keep them back until the first message.
  const { process, started, consumer } = startProcess('curl', ['-sSN', '-D', '-', '--fail-with-body', queue.url('sse')]);
  let inHeaders = true;
  let data = [];
  const reader = new LineReader(line => {
    if (inHeaders) {
      // The server sends the headers when the consumer has joined; whatever is put from then on will come.
      inHeaders = line !== '\r';
      if (!inHeaders) {
        started();
      }
    } else if (line.startsWith('data: ')) {
      data.push(line.slice('data: '.length));
    } else if (line === '' && data.length > 0) {
      onEvent(JSON.parse(data.join('\n')));
      data = [];
    }
  });
  process.stdout.on('data', chunk => reader.add(chunk));
  return consumer;
}
