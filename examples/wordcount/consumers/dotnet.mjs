// The .NET hub client: a process that writes one JSON object per line.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startProcess } from './process.mjs';

const project = fileURLToPath(new URL('../DotNetConsumer', import.meta.url));

export async function startDotNet(queue, onEvent, options) {
  const assembly = options['dotnet-consumer'] ?? await build();
  return startProcess('dotnet', [assembly, new URL('.', queue.hubUrl).href, queue.name], line => {
    const event = JSON.parse(line);
    if (event.event !== 'subscribed') {
      onEvent(event);
    }

    return event.event === 'subscribed';
  });
}

/** Builds the consumer and tells where it is. */
async function build() {
  const { stdout } = await promisify(execFile)(
    'dotnet', ['build', project, '-c', 'Release', '-v', 'quiet', '-t:Build', '-getProperty:TargetPath']);
  return stdout.trim();
}
