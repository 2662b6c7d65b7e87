// The text collection: files as lines of bytes, and their words.
import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const newline = 0x0a;

/** Every file of a folder in the order of their names, cut into lines. A line is a Buffer without its line end. */
export async function readText(folder) {
  const names = (await readdir(folder, { recursive: true })).sort();
  const files = [];
  const lines = [];
  for (const file of names.map(name => path.join(folder, name))) {
    if ((await stat(file)).isFile()) {
      files.push(file);
      addLines(lines, await readFile(file));
    }
  }

  if (lines.length === 0) {
    throw new Error(`there is no text in ${folder}.`);
  }

  return { files, lines };
}

function addLines(lines, bytes) {
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(newline, start);
    const end = found < 0 ? bytes.length : found;
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
}

export function countWords(line) {
  return line.toString().split(/\s+/).filter(word => word !== '').length;
}

/** The count of `wc -w` over all files. */
export async function wcWords(files) {
  const { stdout } = await promisify(execFile)('wc', ['-w', ...files], {
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
    maxBuffer: 64 * 1024 * 1024,
  });
  return Number.parseInt(stdout.trimEnd().split('\n').at(-1), 10);
}
