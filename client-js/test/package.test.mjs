// The published package: its content, its size, its types, and whether it works from an empty folder.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { Server } from './support/server.mjs';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const client = join(here, '..');
let folder;

before(async () => { folder = await mkdtemp(join(tmpdir(), 'pushqueue-pack-')); });
after(() => rm(folder, { recursive: true }));

test('Bundled, minified and gzipped it is under 12 KB', async () => {
  const { outputFiles } = await build({
    stdin: { contents: 'export * from "pushqueue";', resolveDir: client }, bundle: true, minify: true, format: 'esm', write: false,
  });

  const bytes = gzipSync(outputFiles[0].contents).length;
  assert.ok(bytes < 12_000, `It is ${bytes} bytes.`);
});

test('No module imports itself by way of others, types included', async () => {
  const source = join(client, 'src');
  const imports = new Map();
  for (const file of await readdir(source, { recursive: true })) {
    if (file.endsWith('.ts')) {
      const text = await readFile(join(source, file), 'utf8');
      imports.set(file, [...text.matchAll(/from "(\.[^"]+)\.js"/g)].map(([, path]) => `${join(dirname(file), path)}.ts`));
    }
  }

  const visit = (file, path) =>
    path.includes(file) ? assert.fail([...path, file].join(' -> ')) : imports.get(file).forEach(next => visit(next, [...path, file]));
  imports.forEach((_, file) => visit(file, []));
});

test('Types let what is right pass and catch what is wrong', async () => {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  await run(process.execPath, [compiler, '-p', join(here, 'types')]).catch(({ stdout }) => assert.fail(stdout));
});

test('The packed package has what it needs and no more, and works in an empty folder', async () => {
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: client });
  const packed = JSON.parse(stdout);
  const [{ filename, files }] = Array.isArray(packed) ? packed : Object.values(packed);
  const paths = files.map(({ path }) => path);
  for (const needed of ['README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts', 'dist/index.js.map', 'dist/signalr.js',
    'dist/pushqueue.min.js', 'dist/pushqueue.min.js.map', 'src/index.ts']) {
    assert.ok(paths.includes(needed), `${needed} is missing.`);
  }

  assert.deepEqual(paths.filter(path => !/^(README\.md|package\.json|dist\/.*|src\/.*\.ts)$/.test(path)), []);
  await writeFile(join(folder, 'package.json'), '{"type":"module","private":true}');
  await run('npm', ['install', '--no-audit', '--no-fund', '--offline', '--legacy-peer-deps', join(folder, filename)], { cwd: folder });
  assert.deepEqual((await readdir(join(folder, 'node_modules'))).filter(name => !name.startsWith('.')), ['pushqueue']);
  for (const path of paths.filter(path => path.endsWith('.js.map'))) {
    const map = JSON.parse(await readFile(join(folder, 'node_modules', 'pushqueue', path), 'utf8'));
    for (const source of map.sources) {
      await readFile(join(folder, 'node_modules', 'pushqueue', dirname(path), source));
    }
  }

  const server = await Server.start();
  try {
    await writeFile(join(folder, 'use.mjs'), `
      import { PushQueueClient } from 'pushqueue';
      import { signalR } from 'pushqueue/signalr';
      const client = new PushQueueClient(process.argv[2]);
      await client.put('orders', { order: 7 });
      for await (const { body } of client.consume('orders')) {
        console.log(body.order, typeof signalR);
        break;
      }
    `);
    const used = await run(process.execPath, ['use.mjs', server.url], { cwd: folder });
    assert.equal(used.stdout.trim(), '7 function');
  } finally {
    await server.close();
  }
});
