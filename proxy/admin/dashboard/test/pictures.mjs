// The pictures of README, taken from real releases: a canary on its way, one rolled back, on a desk and on a phone, light and
// dark. Usage: node pictures.mjs FOLDER
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { launch, open } from './browser.mjs';
import { release } from './release.mjs';

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
const phone = { width: 360, height: 780, deviceScaleFactor: 2 };

const good = await release({ port: 8250, rps: 500, users: 2000, ...usual, errors: '0.3%', toml: demo('["5%", "25%", "50%", "100%"]', 'stable + 2pt') });
try {
  const page = await open(browser, { url: good.url });
  await page.getByText('25\u202f%', { exact: true }).and(page.locator('.weight.big')).waitFor({ timeout: 180000 });
  await page.waitForTimeout(9000);
  await page.context().close();
  await take(good.url, 'dashboard-progressing-light', desk);
  await take(good.url, 'dashboard-progressing-dark', { ...desk, dark: true });
  await take(good.url, 'dashboard-phone', { ...phone, dark: true });
} finally { await good.end(); }

const bad = await release({ port: 8260, rps: 500, users: 2000, ...usual, errors: '5%', toml: demo('["5%", "25%", "100%"]', 'stable + 2pt') });
try {
  const page = await open(browser, { url: bad.url });
  await page.getByText('Safe now.').waitFor({ timeout: 120000 });
  await page.waitForTimeout(8000);
  await page.context().close();
  await take(bad.url, 'dashboard-rolled-back-light', { ...desk, height: 1640 });
  await take(bad.url, 'dashboard-rolled-back-dark', { ...desk, dark: true });
} finally { await bad.end(); }
await browser.close();
