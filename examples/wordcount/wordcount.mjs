// A text collection through every kind of consumer: each line is put as a message, four consumers count the words at the same time, and
// in the end the counts are compared with `wc -w`. Exit code 1 when anything disagrees.
import { parseArgs } from 'node:util';
import { startCurl } from './consumers/curl.mjs';
import { startDotNet } from './consumers/dotnet.mjs';
import { startSignalR } from './consumers/signalr.mjs';
import { startWebSocket } from './consumers/websocket.mjs';
import { Ledger } from './ledger.mjs';
import { Queue } from './queue.mjs';
import { readText, wcWords } from './text.mjs';

const usage = `node wordcount.mjs [--server URL] [--folder DIR] [--policy broadcast|roundrobin] [--batch N] [--dotnet-consumer DLL]

  --server URL            the server (http://127.0.0.1:8080)
  --folder DIR            whose files are read, subfolders too (/usr/share/common-licenses)
  --policy P              broadcast: each consumer gets every line; roundrobin: together they get each line once (broadcast)
  --batch N               put N lines per request instead of one
  --dotnet-consumer DLL   the .NET consumer, built already; without it, it is built first`;

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        server: { type: 'string', default: 'http://127.0.0.1:8080' },
        folder: { type: 'string', default: '/usr/share/common-licenses' },
        policy: { type: 'string', default: 'broadcast' },
        batch: { type: 'string', default: '1' },
        'dotnet-consumer': { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }

    if (!['broadcast', 'roundrobin'].includes(values.policy)) {
      throw new Error(`--policy is '${values.policy}'; give broadcast or roundrobin.`);
    }

    const batch = Number(values.batch);
    if (!Number.isInteger(batch) || batch < 1) {
      throw new Error(`--batch is '${values.batch}'; give a number of lines.`);
    }

    return { ...values, batch };
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

/** Starts the consumers, puts the lines, and ends the queue; what the consumers saw is in the ledger. */
async function run(queue, text, ledger, options) {
  const starts = [
    ['curl (SSE)', startCurl],
    ['WebSocket', startWebSocket],
    ['SignalR (JavaScript)', startSignalR],
    ['SignalR (.NET)', startDotNet],
  ];
  const consumers = [];
  try {
    // One after the other: the rotation of roundrobin begins with the first to come.
    for (const [name, start] of starts) {
      const record = ledger.open(name);
      consumers.push(await start(queue, event => record.add(event), options));
    }

    const failure = Promise.race(consumers.map(consumer => consumer.failed));
    const began = performance.now();
    await Promise.race([queue.put(text.lines, options.batch, ids => ledger.addIds(ids)), failure]);
    ledger.putSeconds = (performance.now() - began) / 1000;
    await Promise.race([ledger.whenComplete(), failure]);

    // Whatever still waits for a consumer is written before its stream ends, so a line too many would be seen, too.
    await queue.delete();
    await Promise.race([ledger.whenClosed(), failure]);
  } finally {
    await Promise.all(consumers.map(consumer => consumer.stop()));
    await queue.delete();
  }
}

const options = readOptions();
const queue = new Queue(options.server, `wordcount-${process.pid}-${Date.now()}`);
try {
  const text = await readText(options.folder);
  const expectedWords = await wcWords(text.files);
  console.log(`${text.files.length} files in ${options.folder}: ${text.lines.length} lines, ${expectedWords} words`);
  const ledger = new Ledger(text.lines, options.policy);
  await queue.setPolicy(options.policy);
  await run(queue, text, ledger, options);
  process.exitCode = ledger.report(expectedWords) ? 0 : 1;
} catch (error) {
  console.error(`wordcount: ${error.message}`);
  process.exitCode = 1;
}
