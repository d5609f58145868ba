// Every state a rollout can be in, drawn by the real page from the stand: nothing against the CSP, nothing for axe to say in
// light and dark, no sideways scroll at any width.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, launch, open, shoot, sideways, stand } from './browser.mjs';
import { play, states } from './states.mjs';

let browser, server;
before(async () => { browser = await launch(); server = await stand(); });
after(async () => { await browser?.close(); await server?.stop(); });

async function show(state, options) {
  const { answers, events } = play(state);
  await server.put('silent', false);
  await server.put('answers', answers);
  await server.put('events', events);
  const page = await open(browser, { ...options, url: undefined });
  if (state.token) await page.addInitScript((t) => sessionStorage.setItem('serin.token', t), state.token);
  await page.goto(`${server.url}/${state.hash ?? ''}`);
  await page.waitForSelector('h1:not(.quiet)');
  if (state.silent) {
    await server.put('silent', true);
    await page.waitForSelector('main.is-stale', { timeout: 12000 });
  }
  if (state.rollouts.length && /rollouts/.test(state.hash ?? '') && !/chekout/.test(state.hash)) await page.waitForSelector('.chart canvas, .charts .quiet');
  return page;
}

const only = process.env.STATE?.split(',');
for (const [name, state] of Object.entries(states).filter(([n]) => !only || only.includes(n))) {
  test(`state ${name} is drawn cleanly in light and dark, on a phone and on a desk`, async () => {
    const phone = await show(state, { width: 320, height: 900 });
    try {
      await phone.waitForTimeout(300);
      await shoot(phone, `${name}-light-320`);
      assert.deepEqual(await accessible(phone), [], `${name}, light, 320`);
      for (const width of [320, 700, 1000, 1280]) {
        await phone.setViewportSize({ width, height: 900 });
        await phone.waitForTimeout(120);
        assert.equal(await sideways(phone), 0, `${name} scrolls sideways at ${width}`);
      }
      await shoot(phone, `${name}-light-1280`, { fullPage: true });
      assert.deepEqual(await accessible(phone), [], `${name}, light, 1280`);
      assert.deepEqual(phone.faults, []);
    } finally { await phone.context().close(); }
    const desk = await show(state, { width: 1280, height: 1040, dark: true });
    try {
      await desk.waitForTimeout(300);
      assert.deepEqual(await accessible(desk), [], `${name}, dark, 1280`);
      await shoot(desk, `${name}-dark-1280`);
      await desk.setViewportSize({ width: 320, height: 900 });
      await desk.waitForTimeout(150);
      await shoot(desk, `${name}-dark-320`);
      assert.deepEqual(await accessible(desk), [], `${name}, dark, 320`);
      assert.deepEqual(desk.faults, []);
    } finally { await desk.context().close(); }
  });
}

test('an alert, what the pools carry and business signals have a line each', async () => {
  const page = await show(states.beside);
  try {
    const lines = (await page.locator('.beside').allInnerTexts()).map((l) => l.replace(/\s+/g, ' ').replace(/at .*\d\d:\d\d/, 'at 15:02').trim());
    assert.deepEqual(lines, [
      'Hold told at 15:02: nobody looks yet, serin ack checkout',
      '20.12 requests a second; the canary’s pool carries 40, at most 75 %, stable’s –',
      'checkout: mean (count) canary 0.916 (131), stable 0.9223 (412)',
      'basket: mean (count) canary – (0), stable 41.5 (40)',
    ]);
  } finally { await page.context().close(); }
});

test('the dialog says what it does, sends the version it was opened at, and shows a refusal in the API’s words', async () => {
  const decided = { id: 'checkout-1-18', at: new Date().toISOString(), action: 'promote', from: .25, to: 1, actor: 'ana', reason: 'manual', sentence: 'Promoted to 100 % by ana.', evidence: {} };
  const refusal = { status: 412, body: { error: 'checkout is at version 18, not 17', hint: 'something was decided meanwhile: look at the status' } };
  const answers = { 'POST /v1/rollouts/checkout/promote': refusal, 'POST /v1/rollouts/checkout/rollback': decided };
  const state = { ...states.progressing, answers };
  await server.asked();
  for (const [width, dark] of [[320, false], [1280, true]]) {
    const page = await show(state, { width, height: 800, dark });
    try {
      await page.getByRole('button', { name: 'Promote to' }).click();
      const dialog = page.getByRole('dialog');
      assert.match(await dialog.textContent(), /About 1,900 users more, before the evidence is in/);
      await dialog.getByRole('button', { name: 'Promote to' }).click();
      await dialog.getByText('checkout is at version 18, not 17').waitFor();
      assert.deepEqual(await accessible(page), []);
      assert.equal(await sideways(page), 0);
      await dialog.getByRole('button', { name: 'Keep as it is' }).click();
      await page.locator('.acts > ul').getByRole('button', { name: 'Roll back' }).click();
      assert.match(await dialog.textContent(), /661 users return to stable/);
      await shoot(page, `dialog-${dark ? 'dark' : 'light'}-${width}`);
      await dialog.getByLabel(/Reason/).fill('pager');
      await dialog.getByRole('button', { name: 'Roll back' }).click();
      await page.locator('.said').getByText('Promoted').waitFor();
      const [promote, rollback] = (await server.asked()).slice(-2);
      assert.deepEqual(promote, { if_version: 17 });
      assert.equal(rollback.if_version, 17);
      assert.equal(rollback.reason, 'pager');
      assert.deepEqual(page.faults, []);
    } finally { await page.context().close(); }
  }
});

test('everything is paused, resumed and rolled back from the page, and one arm of an experiment stopped', async () => {
  const nothing = { freeze: null, decisions: [] };
  const stopped = { id: 'button-1-2', action: 'stop', sentence: 'Stopped green by ana.' };
  const answers = { 'POST /v1/pause': nothing, 'POST /v1/resume': nothing, 'POST /v1/rollback': nothing, 'POST /v1/experiments/button/stop': stopped };
  const act = async (state, button, reason, options = {}) => {
    const page = await show({ ...state, answers: { ...play(state).answers, ...answers } }, { width: 1280, height: 900, ...options });
    try {
      if (options.width) await page.locator('.side summary').click(); // the list folds
      await page.getByRole('button', { name: button }).click();
      const dialog = page.getByRole('dialog');
      assert.deepEqual(await accessible(page), []);
      assert.equal(await sideways(page), 0);
      await shoot(page, `dialog-${button.replaceAll(' ', '-')}`);
      if (reason) await dialog.getByLabel(/Reason/).fill(reason);
      await dialog.getByRole('button', { name: button }).click();
      await dialog.waitFor({ state: 'detached' });
      assert.deepEqual(page.faults, []);
      return (await server.asked()).at(-1);
    } finally { await page.context().close(); }
  };
  await server.asked();
  assert.deepEqual(await act(states.progressing, 'Pause everything'), {});
  assert.deepEqual(await act(states.frozen, 'Resume everything'), {});
  assert.deepEqual(await act(states.progressing, 'Roll back everything', 'pager', { width: 320, dark: true }), { reason: 'pager' });
  assert.deepEqual(await act(states.experiments, 'Stop green', 'worse'), { arm: 'green', reason: 'worse' });
});

test('a rollout that was rolled back waits for no evidence', async () => {
  const page = await show(states.rolled_back, { width: 1280, height: 900 });
  try {
    assert.doesNotMatch(await page.locator('.gates').innerText(), /about .* more/);
  } finally { await page.context().close(); }
});
