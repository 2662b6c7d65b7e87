// Chromium of the system, driven from here: one process for the tests of a file, a profile of its own for each.
import { after } from 'node:test';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
const executablePath = process.env.PUSHQUEUE_TEST_CHROMIUM ?? '/usr/bin/chromium';
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
];
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Where screenshots go: out of the repository's own files, kept for who wants to look at them. */
export const screenshots = join(here, '..', '..', '..', 'artifacts', 'dashboard-screenshots');

let running = null;

/** The browser starts with its first test and has a folder of its own, which is gone with it. */
function launched() {
  running ??= chromium.launch({ executablePath, args, headless: true });
  return running;
}

after(async () => (await running)?.close());

export class Browser {
  #context;
  problems = [];

  /** @param allow patterns of console errors and failed requests that a test causes on purpose. */
  static async open({ width = 1280, height = 860, theme = 'light', allow = [] } = {}) {
    const browser = new Browser();
    browser.#context = await (await launched()).newContext({
      viewport: { width, height }, colorScheme: theme, reducedMotion: 'reduce', hasTouch: width < 600, permissions: [
        'clipboard-read',
        'clipboard-write'
      ],
    });
    await browser.#context.addInitScript({ content: axe });
    browser.page = await browser.#context.newPage();
    browser.page.setDefaultTimeout(15_000);
    const note = sentence => {
      if (!allow.some(pattern => pattern.test(sentence))) {
        browser.problems.push(sentence);
      }
    };
    browser.page.on('console', message => ['error', 'warning'].includes(message.type()) && note(`console: ${message.text()}`));
    browser.page.on('pageerror', error => note(`page: ${error.message}`));
    browser.page.on('request', request => {
      browser.origin ??= new URL(request.url()).origin;
      if (!request.url().startsWith(browser.origin) && !request.url().startsWith('blob:')) {
        note(`elsewhere: ${request.url()}`);
      }
    });
    return browser;
  }

  async screenshot(name) {
    await mkdir(screenshots, { recursive: true });
    await this.page.evaluate(() => scrollTo(0, 0));
    await this.page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
  }

  /** The violations that axe finds, a line each: serious and critical ones, or all. */
  async violations({ all = false } = {}) {
    const found = await this.page.evaluate(async () => {
      const result = await globalThis.axe.run(document, { resultTypes: ['violations'] });
      return result.violations.map(
        ({ id, impact, help, nodes }) =>
          ({ id, impact, help, where: nodes.slice(0, 3).map(node => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`) }));
    });
    return found.filter(
      ({ impact }) =>
        all || impact === 'serious' || impact === 'critical').map(({ id, help, where }) => `${id}: ${help} (${where.join('; ')})`);
  }

  async close() {
    await this.#context.close();
  }
}
