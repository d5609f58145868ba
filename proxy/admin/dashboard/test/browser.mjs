// What the browser tests share: Debian's Chromium under playwright-core, the stand, and serin itself. Nothing is downloaded.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const bin = process.env.SERIN_BIN ?? './serin';
export const standBin = process.env.STAND_BIN ?? './stand';
export const shots = process.env.SHOTS ?? '';
// Tests that run beside others on one machine take another loopback address.
export const host = process.env.TEST_HOST ?? '127.0.0.1';

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--hide-scrollbars'],
  });
}

/** A page that remembers everything that must not happen: CSP violations, errors, requests to elsewhere. */
export async function open(browser, { width = 1280, height = 900, dark = false, url, ...more } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce', bypassCSP: false, ...more });
  const page = await context.newPage();
  page.faults = [];
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
  });
  page.on('pageerror', (e) => page.faults.push(`error: ${e.message}`));
  page.on('console', (m) => { if (m.type() === 'error' && !/Failed to load resource|ERR_/.test(m.text())) page.faults.push(m.text()); });
  page.on('request', (r) => { if (url && !r.url().startsWith(new URL(url).origin)) page.faults.push(`request to ${r.url()}`); });
  if (url) await page.goto(url);
  return page;
}

/** Runs axe: WCAG 2.2 AA and best practice. Its script goes past the CSP through the debugger, as no page could. */
export async function accessible(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe });
  const found = await session.send('Runtime.evaluate', {
    expression: `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
      .then((r) => JSON.stringify(r.violations.map((v) => v.id + ': ' + v.help + ' | ' + v.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).join(' ; '))))`,
    awaitPromise: true, returnByValue: true,
  });
  await session.detach();
  if (found.exceptionDetails) throw new Error(found.exceptionDetails.exception?.description ?? 'axe failed');
  return JSON.parse(found.result.value);
}

/** How far the page can be scrolled sideways; 0 is right. */
export const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

export async function shoot(page, name, options = {}) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), ...options });
}

/** Starts a program and waits for the first line that matches; stop() ends it and waits. */
export async function start(command, args, { ready, cwd, env } = {}) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const ended = once(child, 'exit');
  const line = new Promise((resolve, reject) => {
    const look = (chunk) => {
      output += chunk;
      const found = ready?.exec(output);
      if (found) resolve(found);
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.on('error', reject);
    ended.then(() => reject(new Error(`${command} ${args.join(' ')} ended: ${output}`)));
  });
  line.catch(() => {});
  if (ready) await line;
  return { child, found: ready ? await line : null, output: () => output, ended, stop: async (signal = 'SIGTERM') => { if (child.exitCode === null && child.signalCode === null) { child.kill(signal); await ended; } } };
}

/** The stand with one state. */
export async function stand() {
  const process_ = await start(standBin, ['--listen', `${host}:0`], { ready: /(\S+:\d+)\n/ });
  const url = `http://${process_.found[1]}`;
  const put = async (what, body) => {
    const r = await fetch(`${url}/stand/${what}`, { method: 'PUT', body: JSON.stringify(body) });
    if (!r.ok) throw new Error(`${what}: ${await r.text()}`);
  };
  return { url, put, asked: async () => (await fetch(`${url}/stand/asked`)).json(), stop: process_.stop };
}

export async function temp() {
  const dir = await mkdtemp(join(tmpdir(), 'serin-browser-'));
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}
