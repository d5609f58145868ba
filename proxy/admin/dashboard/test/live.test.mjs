// The page on the real daemon: the demo's rollback seen happening, hold and approve, a restart survived, everything by keyboard.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, host, launch, open, shoot } from './browser.mjs';
import { admin, answering, release, serin } from './release.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

const pill = (page) => page.locator('.pill').first();

const steady = `
[rollout.shop]
stable = "v1"
canary = "v2"
key    = ["header:X-User-Id"]
ladder = ["5%", "25%", "50%", "100%"]
every  = "10m"
[[rollout.shop.gate]]
metric   = "error_rate"
hold     = "stable + 0.5pt"
rollback = "stable + 30pt"
`;

test('the demo: a bad canary is seen being rolled back', { timeout: 150000 }, async () => {
  const demo = await serin(['demo', '--stay', '--scenario', 'errors', '--listen', `${host}:8180`, '--admin', admin(9181)]);
  try {
    await answering(`http://${admin(9181)}/healthz/live`);
    const page = await open(browser, { url: `http://${admin(9181)}/`, height: 1040 });
    await page.waitForSelector('.verdict');
    await pill(page).filter({ hasText: 'Progressing' }).waitFor({ timeout: 30000 });
    await page.locator('.charts canvas').first().waitFor({ timeout: 30000 });
    await shoot(page, 'demo-progressing-1280');
    await page.getByText('Safe now.').waitFor({ timeout: 90000 });
    await shoot(page, 'demo-rolled-back-1280');
    assert.deepEqual(page.faults, []);
    await page.context().close();
  } finally { await demo.stop(); }
});

// The demo ends soon after its rollback; this one stays to be read.
test('a rollback is told: what happened, what it cost, which gate, and what to do next', { timeout: 120000 }, async () => {
  const r = await release({ port: 8280, errors: '25%', toml: steady.replace('ladder = ["5%", ', 'ladder = ["30%", ').replace('"25%", ', '').replace('stable + 30pt', 'stable + 2pt') });
  try {
    const page = await open(browser, { url: r.url });
    await page.getByText('Safe now.').waitFor({ timeout: 90000 });
    await page.locator('.story .moments .tone-fail').waitFor();
    assert.match(await page.locator('.log .act').first().textContent(), /30.% → 0.%/);
    assert.equal(await page.locator('.facts b').first().textContent(), '0\u202f%');
    assert.ok(Number(await page.locator('.toll b').first().textContent()) > 0, 'users saw an error');
    await page.locator('.gates .finding').filter({ hasText: 'Fail' }).waitFor();
    await page.getByRole('button', { name: /^Retry/ }).waitFor();
    await shoot(page, 'live-rolled-back-1280', { fullPage: true });
    assert.deepEqual(await accessible(page), []);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  } finally { await r.end(); }
});

test('approval: the page waits, says who is asked, and a click lets the release in', { timeout: 120000 }, async () => {
  const r = await release({ port: 8190, toml: `
[rollout.shop]
stable = "v1"
canary = "v2"
key    = ["header:X-User-Id"]
warmup = "0s"
judge  = "plain"
plain  = { window = "5s", min_requests = 5, failures = 2 }
[[rollout.shop.stage]]
weight = "50%"
for    = "4s"
[[rollout.shop.stage]]
weight  = "100%"
for     = "4s"
owner   = "product"
approve = { timeout = "2h", on_timeout = "hold" }
[[rollout.shop.gate]]
metric = "error_rate"
hold   = "stable + 10pt"
` });
  try {
    const page = await open(browser, { url: r.url });
    await page.getByText('Your turn.').waitFor({ timeout: 60000 });
    assert.match(await page.locator('.needs').textContent(), /Approval/);
    await shoot(page, 'live-approval-1280');
    await page.getByRole('button', { name: /Approve/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(/Reason/).fill('looks good');
    await dialog.getByLabel(/Your name/).fill('ana');
    assert.match(await dialog.locator('.same').textContent(), /serin approve shop/);
    assert.deepEqual(await accessible(page), []);
    await dialog.getByRole('button', { name: /Approve/ }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('Done.').waitFor({ timeout: 60000 });
    await page.locator('.log').getByText('ana', { exact: true }).waitFor();
    assert.deepEqual(page.faults, []);
    await page.context().close();
  } finally { await r.end(); }
});

test('a confirmed finding holds: the page says needs a look, and until when', { timeout: 120000 }, async () => {
  const r = await release({ port: 8200, errors: '12%', toml: steady.replace('ladder = ["5%", ', 'ladder = ["30%", ').replace('"25%", ', '') });
  try {
    const page = await open(browser, { url: r.url });
    await page.getByText('Needs a look.').waitFor({ timeout: 90000 });
    await page.locator('.gates .finding').filter({ hasText: 'Worse than stable' }).first().waitFor({ timeout: 30000 });
    await shoot(page, 'live-holding-1280');
    assert.deepEqual(await accessible(page), []);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  } finally { await r.end(); }
});

test('a restart of the daemon: the page says what it lost, and comes back by itself', { timeout: 90000 }, async () => {
  const r = await release({ port: 8210, toml: steady });
  try {
    const page = await open(browser, { url: r.url });
    await pill(page).filter({ hasText: 'Progressing' }).waitFor({ timeout: 30000 });
    const again = await r.restart('SIGKILL');
    await page.getByText('This page lost its connection').waitFor({ timeout: 15000 });
    assert.equal(await page.getByText('Unknown.').count(), 1);
    for (const b of await page.locator('.acts button').all()) assert.ok(await b.isDisabled());
    assert.match(await page.locator('.acts').textContent(), /serin rollback shop/);
    assert.deepEqual(await accessible(page), []);
    await again();
    await pill(page).filter({ hasText: 'Progressing' }).waitFor({ timeout: 15000 });
    assert.equal(await page.getByText('This page lost its connection').count(), 0);
    assert.ok(await page.getByRole('button', { name: 'Pause' }).isEnabled());
    assert.deepEqual(page.faults, []);
    await page.context().close();
  } finally { await r.end(); }
});

test('keyboard only: from the skip link to a pause, a chart, a filter, and a rollback that asks why', { timeout: 90000 }, async () => {
  const r = await release({ port: 8220, toml: steady });
  try {
    const page = await open(browser, { url: r.url });
    await pill(page).filter({ hasText: 'Progressing' }).waitFor({ timeout: 30000 });
    await page.locator('.chart').first().waitFor({ timeout: 30000 });
    const key = (k) => page.keyboard.press(k);
    const focused = () => page.evaluate(() => document.activeElement.textContent || document.activeElement.getAttribute('aria-label'));
    /** Tabs until what has the focus says the text. */
    const to = async (text) => {
      for (let i = 0; i < 80; i++) {
        await key('Tab');
        if (text.test(await focused() ?? '')) return;
      }
      assert.fail(`the keyboard does not reach ${text}`);
    };
    await key('Tab');
    assert.match(await focused(), /Skip/);
    await key('Enter');
    await to(/^Pause$/);
    await key('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.type('lunch');
    await key('Enter'); // in the field: the form's own way
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.waitForFunction(() => document.activeElement.classList.contains('said')); // what was decided; the next acts follow
    await pill(page).filter({ hasText: 'Paused' }).waitFor({ timeout: 15000 });
    await to(/^Resume$/);
    await key('Space');
    await page.getByRole('dialog').waitFor();
    await key('Escape');
    assert.equal(await page.getByRole('dialog').count(), 0);
    assert.match(await focused(), /^Resume$/, 'the focus returns to the button');
    await to(/Error rate over time/);
    const before_ = await page.locator('.readout').first().textContent();
    await key('Home');
    await page.waitForFunction((old) => document.querySelector('.readout').textContent !== old && !document.querySelector('.readout').textContent.startsWith('now'), before_);
    assert.match(await page.evaluate(() => document.activeElement.getAttribute('aria-valuetext')), /canary .*stable/);
    await to(/^People$/);
    await key('Space');
    assert.equal(await page.locator('.log > li').count(), 1, 'one decision of a person');
    await page.evaluate(() => document.querySelector('main').focus());
    await to(/^Roll back$/);
    await key('Enter');
    await page.getByRole('dialog').waitFor();
    await key('Enter'); // no reason yet
    assert.equal(await page.getByRole('dialog').count(), 1, 'a rollback needs a reason');
    await page.keyboard.type('keyboard run');
    await key('Tab');
    await key('Tab');
    await key('Tab');
    assert.match(await focused(), /^Roll back$/);
    await key('Enter');
    await page.getByText('Safe now.').waitFor({ timeout: 15000 });
    assert.deepEqual(page.faults, []);
    await page.context().close();
  } finally { await r.end(); }
});

test('a link to a decision opens it, and a stale version is refused in the dialog', { timeout: 90000 }, async () => {
  const r = await release({ port: 8230, toml: steady });
  try {
    const page = await open(browser, { url: r.url });
    await pill(page).filter({ hasText: 'Progressing' }).waitFor({ timeout: 30000 });
    const id = await page.locator('.log .links a').first().textContent();
    await page.goto(`${r.url}#/rollouts/shop/${id}`);
    await page.locator('.log .target details[open]').waitFor();
    await page.getByRole('button', { name: 'Promote to' }).click();
    await page.getByRole('dialog').waitFor();
    const act = (verb) => fetch(`${r.url}v1/rollouts/shop/${verb}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"actor":"ben"}' });
    assert.equal((await act('pause')).status, 200);
    await page.getByText('Something was decided meanwhile').waitFor({ timeout: 10000 });
    assert.ok(await page.getByRole('dialog').getByRole('button', { name: /^Promote/ }).isDisabled());
    await page.getByRole('button', { name: 'I have seen it' }).click();
    await page.getByRole('dialog').getByRole('radio').nth(1).check();
    assert.match(await page.getByRole('dialog').textContent(), /--full/);
    await page.getByRole('dialog').getByRole('button', { name: /end/ }).click();
    assert.equal(await page.getByRole('dialog').count(), 1, 'a full promotion needs a reason');
    assert.deepEqual(page.faults, []);
    await page.context().close();
  } finally { await r.end(); }
});

test('tokens: the page asks for one, shows all to a reader and lets who may act', { timeout: 90000 }, async () => {
  const r = await release({
    port: 8270, files: { 'reader.token': 'r'.repeat(40), 'ops.token': 'o'.repeat(40) }, toml: `${steady}
[token.reader]
secret = { file = "reader.token" }
may    = ["read"]
[token.ops]
secret = { file = "ops.token" }
may    = ["read", "pause", "resume", "rollback"]
`,
  });
  try {
    const page = await open(browser, { url: r.url });
    await page.getByText('A token is needed').waitFor({ timeout: 30000 });
    assert.deepEqual(await accessible(page), []);
    const enter = async (token) => {
      await page.getByLabel('Token').fill(token);
      await page.getByRole('button', { name: 'Open' }).click();
    };
    await enter('wrong'.repeat(8));
    await page.getByText('This token is not accepted').waitFor({ timeout: 15000 });
    await enter('r'.repeat(40));
    await page.getByText('Read only').waitFor({ timeout: 30000 });
    for (const b of await page.locator('.acts button').all()) assert.ok(await b.isDisabled());
    assert.ok(await page.locator('.log > li').count() > 0, 'a reader sees the log');
    await page.getByRole('button', { name: 'Forget the token' }).click();
    await page.getByText('A token is needed').waitFor();
    await enter('o'.repeat(40));
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await page.locator('.pill').filter({ hasText: 'Paused' }).waitFor({ timeout: 15000 });
    await page.locator('.log').getByText('ops', { exact: true }).first().waitFor();
    assert.equal(await page.evaluate(() => Object.values(localStorage).join().includes('ooo')), false, 'the token is not kept beyond the tab');
    assert.deepEqual(page.faults, []);
    await page.context().close();
  } finally { await r.end(); }
});
