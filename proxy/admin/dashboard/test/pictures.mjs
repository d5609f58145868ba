// The pictures of README, taken from real releases: a canary on its way, one rolled back, on a desk and on a phone, light and
// dark, and on the terminal. Usage: node pictures.mjs FOLDER
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { launch, open } from './browser.mjs';
import { release } from './release.mjs';
import { onTerminal, photograph } from './terminal.mjs';

const folder = process.argv[2];
await mkdir(folder, { recursive: true });
const browser = await launch();

const demo = (ladder, rollback) => `
[rollout.shop]
stable = "v1"
canary = "v2"
key    = ["header:X-User-Id"]
ladder = ${ladder}
every  = "20s"
warmup = "2s"
[[rollout.shop.gate]]
metric   = "error_rate"
hold     = "stable + 0.5pt"
rollback = "${rollback}"
[[rollout.shop.gate]]
metric   = "latency_p95"
hold     = "stable * 1.25"
rollback = "stable * 1.5"
`;

async function take(url, name, options) {
  const page = await open(browser, { url, ...options });
  await page.waitForSelector('.chart canvas');
  await page.waitForTimeout(1200);
  await page.screenshot({ path: join(folder, `${name}.png`) });
  console.log(join(folder, `${name}.png`));
  await page.context().close();
}

const usual = { stable: '0.4%', latency: '15ms' };
const desk = { width: 1280, height: 1000 };
const story = { width: 1280, height: 1400 }; // what happened is below
const phone = { width: 360, height: 780, deviceScaleFactor: 2 };

/** Waits for a share, and for something to be seen of its stage. */
async function reached(url, share) {
  const page = await open(browser, { url });
  await page.getByText(`${share}\u202f%`, { exact: true }).and(page.locator('.weight.big')).waitFor({ timeout: 180000 });
  await page.waitForTimeout(9000);
  await page.context().close();
}

const good = await release({ port: 8250, rps: 500, users: 2000, ...usual, errors: '0.3%', toml: demo('["5%", "25%", "50%", "100%"]', 'stable + 2pt') });
const watch = onTerminal(['watch', 'shop'], { SERIN_ADMIN: good.url });
try {
  await reached(good.url, '25');
  await take(good.url, 'dashboard-progressing-light', desk);
  await take(good.url, 'dashboard-progressing-dark', { ...desk, dark: true });
  await take(good.url, 'dashboard-phone', { ...phone, dark: true });
  await reached(good.url, '50');
  const written = watch.written();
  for (const theme of ['light', 'dark']) {
    const path = join(folder, `watch-${theme}.png`);
    await photograph(browser, written, path, theme === 'dark');
    console.log(path);
  }
} finally { await watch.stop(); await good.end(); }

const bad = await release({ port: 8260, rps: 500, users: 2000, ...usual, errors: '5%', toml: demo('["5%", "25%", "100%"]', 'stable + 2pt') });
try {
  const page = await open(browser, { url: bad.url });
  await page.getByText('Safe now.').waitFor({ timeout: 120000 });
  await page.waitForTimeout(8000);
  await page.context().close();
  await take(bad.url, 'dashboard-rolled-back-light', story);
  await take(bad.url, 'dashboard-rolled-back-dark', { ...story, dark: true });
} finally { await bad.end(); }
await browser.close();
