// Twenty rollouts and fifty viewers: how soon the page is painted, how fresh it stays, and what the data path feels of it. The
// viewers ask what a page asks: the stream, what is new of the series every 2 s, the servers every 2 s, the sparklines.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { host, launch, open, shoot, temp } from './browser.mjs';
import { admin, answering, serin } from './release.mjs';

const rollouts = 20;
const viewers = 49; // and a real one
const seconds = Number(process.env.CROWD_SECONDS ?? 10);
const port = 8240;
const base = `http://${admin(port + 1)}`;

const file = (dir) => `[listen]
address = "${host}:${port}"
[admin]
address = "${admin(port + 1)}"
[state]
dir = "${join(dir, 'state')}"
${Array.from({ length: rollouts }, (_, i) => `
[upstream.a${i}]
servers = ["${host}:${port + 2}"]
[upstream.b${i}]
servers = ["${host}:${port + 3}"]
[route.r${i}]
path = "/r${i}/*"
[rollout.shop${i}]
route  = "r${i}"
stable = "a${i}"
canary = "b${i}"
key    = ["header:X-User-Id"]
ladder = ["5%", "25%", "100%"]
every  = "10m"
[[rollout.shop${i}.gate]]
metric   = "error_rate"
hold     = "stable + 0.5pt"
rollback = "stable + 20pt"
`).join('')}`;

let browser, dir, all = [];
before(async () => {
  browser = await launch();
  dir = await temp();
  await writeFile(join(dir.dir, 'serin.toml'), file(dir.dir));
  all = [await serin(['demo', 'service', '--listen', `${host}:${port + 2}`, '--name', 'v1']), await serin(['demo', 'service', '--listen', `${host}:${port + 3}`, '--name', 'v2']),
    await serin(['run', '-c', join(dir.dir, 'serin.toml')])];
  await answering(`${base}/healthz/ready`);
  for (let i = 0; i < rollouts; i += 5) all.push(await serin(['demo', 'load', '--to', `http://${host}:${port}/r${i}/`, '--rps', '60', '--users', '400']));
});
after(async () => {
  await browser?.close();
  for (const p of all.reverse()) await p.stop();
  await dir?.remove();
});

/** serin's own time per request in the data path, from its own metric, and the time seen by a client that asks one by one. */
async function feel() {
  const own = async () => {
    const text = await (await fetch(`${base}/metrics`)).text();
    const value = (name) => Number(new RegExp(`^serin_overhead_seconds_${name} (\\S+)`, 'm').exec(text)?.[1]);
    return [value('sum'), value('count')];
  };
  const [sum, n] = await own();
  const times = [];
  let failed = 0;
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    const t = performance.now();
    const r = await fetch(`http://${host}:${port}/r1/`, { headers: { 'X-User-Id': `u${times.length % 300}` } });
    await r.arrayBuffer();
    if (r.status !== 200) failed++;
    times.push(performance.now() - t);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const [sum2, n2] = await own();
  times.sort((a, b) => a - b);
  const at = (q) => times[Math.floor(times.length * q)].toFixed(2);
  return { own: ((sum2 - sum) / Math.max(1, n2 - n)) * 1e6, sampled: n2 - n, requests: times.length, failed, p50: at(.5), p99: at(.99) };
}

/** What a page does, without drawing. Returns how often it heard something, and what it was refused. */
function viewer(stopped) {
  const seen = { events: 0, bytes: 0, refused: 0, longest: 0, why: new Set() };
  const get = async (path) => {
    try {
      const r = await fetch(base + path, { signal: stopped });
      seen.bytes += (await r.arrayBuffer()).byteLength;
      if (!r.ok) { seen.refused++; seen.why.add(r.status); }
    } catch (err) { if (!stopped.aborted) { seen.refused++; seen.why.add(`${err.message} ${err.cause?.code ?? ''}`); } }
  };
  const stream = async () => {
    const r = await fetch(`${base}/v1/events?heartbeat=2s`, { signal: stopped });
    if (!r.ok) { seen.refused++; return; }
    let last = performance.now();
    for await (const chunk of r.body) {
      seen.events++;
      seen.bytes += chunk.length;
      seen.longest = Math.max(seen.longest, performance.now() - last);
      last = performance.now();
    }
  };
  const poll = async () => {
    for (let i = 0; i < rollouts; i++) await get(`/v1/rollouts/shop${i}/series?part=attempt&points=48`);
    await get('/v1/rollouts/shop0/series');
    while (!stopped.aborted) {
      await get(`/v1/rollouts/shop0/series?since=${encodeURIComponent(new Date(Date.now() - 2500).toISOString())}`);
      await get('/v1/upstreams');
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  };
  const quiet = (p) => p.catch((err) => { if (!stopped.aborted) { seen.refused++; seen.why.add(`${err.message} ${err.cause?.code ?? ''}`); } });
  return { seen, done: Promise.all([quiet(stream()), quiet(poll())]) };
}

test('20 rollouts, 50 viewers: painted at once, fresh for all, and the data path does not feel it', { timeout: 180000 }, async () => {
  const alone = await feel();
  const stop = new AbortController();
  const crowd = Array.from({ length: viewers }, () => viewer(stop.signal));
  const page = await open(browser, { url: `${base}/` });
  await page.waitForSelector('.verdict');
  const paint = await page.evaluate(() => ({
    first: performance.getEntriesByName('first-contentful-paint')[0]?.startTime, answer: performance.now(),
    bytes: performance.getEntriesByType('resource').filter((e) => /assets/.test(e.name)).reduce((n, e) => n + e.encodedBodySize, 0),
  }));
  assert.equal(await page.locator('.row').count(), rollouts);
  const watched = await feel();
  const age = Number.parseFloat(await page.locator('.fresh .age').textContent());
  stop.abort();
  await Promise.all(crowd.map((v) => v.done));
  await shoot(page, 'crowd-1280');
  const events = crowd.map((v) => v.seen.events);
  const report = {
    'first contentful paint, ms': Math.round(paint.first), 'the answer on screen, ms at most': Math.round(paint.answer), 'script and style, bytes': paint.bytes,
    'own time a request, alone, µs': alone.own.toFixed(1), 'own time a request, watched, µs': watched.own.toFixed(1),
    'client p50 / p99, alone, ms': `${alone.p50} / ${alone.p99}`, 'client p50 / p99, watched, ms': `${watched.p50} / ${watched.p99}`,
    'requests alone / watched': `${alone.requests} / ${watched.requests}`,
    'longest silence of a stream, ms': Math.round(Math.max(...crowd.map((v) => v.seen.longest))),
    'bytes a viewer and second': Math.round(crowd.reduce((n, v) => n + v.seen.bytes, 0) / viewers / seconds),
  };
  for (const [what, value] of Object.entries(report)) console.log(`${what}: ${value}`);
  assert.equal(alone.failed + watched.failed, 0, 'no request of a user failed');
  assert.equal(crowd.reduce((n, v) => n + v.seen.refused, 0), 0, `no viewer was refused: ${[...new Set(crowd.flatMap((v) => [...v.seen.why]))]}`);
  assert.ok(Math.min(...events) >= seconds / 3, `every stream heard something every few seconds: ${Math.min(...events)}`);
  assert.ok(age < 5, `the page is fresh: ${age} s`);
  assert.deepEqual(page.faults, []);
});
