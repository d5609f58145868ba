// The pure parts of the page: words, numbers, the stream's parser, intervals and windows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { about, count, odds, percent, points, span, together } from '../src/fmt.js';
import { parser } from '../src/stream.js';
import { layout } from '../src/interval.js';
import { join, limitLines, rolled, wilson } from '../src/past.js';
import { actorKind, byNeed, findingOf, stageName, stateOf } from '../src/words.js';
import { consequence, needsReason, obstacle, verbsOf } from '../src/verbs.js';
import { states } from './states.mjs';

const one = (name) => states[name].rollouts.find((r) => states[name].hash.endsWith(r.name));

test('numbers are written as people read them', () => {
  assert.equal(percent(.2494), '24.94\u202f%');
  assert.equal(percent(0), '0\u202f%');
  assert.equal(percent(null), '–');
  assert.equal(percent(.0001), '0.01\u202f%');
  assert.equal(count(5012), '5,012');
  assert.equal(about(1937), '1,900');
  assert.equal(points(-.0038), '−0.38');
  assert.equal(points(.0000001), '0.00');
  assert.equal(odds(2e6), 'over 1\u202fM');
  assert.equal(odds(14), '14');
  assert.equal(span(1000), '16 min 40 s');
  assert.equal(span(59.4), '59 s');
  assert.equal(span(90000), '1 d 1 h');
  assert.equal(together('at 25 % in 6 min'), 'at 25\u202f% in 6\u202fmin');
});

test('a stream cut anywhere gives the same events', () => {
  const text = 'id: a-1\nevent: snapshot\ndata: {"x":1}\n\n: alive\n\nevent: rollout\ndata: {"y":\ndata: 2}\n\n';
  const whole = [];
  parser((e) => whole.push(e))(text);
  assert.deepEqual(whole.map((e) => [e.type, e.data, e.id]), [['snapshot', '{"x":1}', 'a-1'], ['rollout', '{"y":\n2}', null]]);
  for (let cut = 0; cut <= text.length; cut++) {
    const got = [];
    const feed = parser((e) => got.push(e));
    feed(text.slice(0, cut));
    feed(text.slice(cut));
    assert.deepEqual(got, whole, `cut at ${cut}`);
  }
});

test('every phase and reason has words, a tone and an icon; waiting for evidence is no warning', () => {
  for (const phase of ['waiting', 'progressing', 'awaiting_approval', 'holding', 'paused', 'completed', 'rolled_back']) {
    for (const reason of ['', 'collecting', 'not_enough_evidence', 'worse_than_stable', 'no_canary_traffic', 'manual', 'frozen', 'something_new']) {
      const s = stateOf({ phase, reason, verdict: 'hold' });
      assert.ok(s.bold && s.label && s.icon && ['pass', 'calm', 'ask', 'warn', 'fail'].includes(s.tone), `${phase} ${reason}`);
    }
  }
  assert.equal(stateOf(one('progressing')).tone, 'calm');
  assert.equal(stateOf(one('holding')).tone, 'warn');
  assert.equal(stateOf(one('rolled_back')).bold, 'Safe now.');
  assert.equal(findingOf({ verdict: 'hold', reason: 'collecting' }).tone, 'calm');
});

test('who needs a person comes first', () => {
  assert.deepEqual([...states.progressing.rollouts].reverse().sort(byNeed).map((r) => r.name), ['search', 'profile', 'checkout', 'exports', 'ledger', 'images']);
});

test('stages without a share are called by what they are', () => {
  assert.equal(stageName({ weight: 0, mirror: .1 }), 'mirror 10\u202f%');
  assert.equal(stageName({ weight: .05, audience: 'beta' }), 'beta + 5\u202f%');
  assert.equal(stageName({ weight: 0, audience: 'staff' }), 'staff');
  assert.equal(stageName({ weight: 0, label: 'preview' }), 'preview');
});

test('every act says what it costs, every impossible one why', () => {
  for (const { rollouts } of Object.values(states)) {
    for (const r of rollouts) {
      for (const verb of verbsOf(r)) {
        const why = obstacle(verb, r, { stale: false, token: '' });
        assert.equal(why === '', r.allowed.includes(verb), `${r.phase} ${verb}`);
        if (!why) assert.ok(consequence(verb, r).length > 10, `${r.phase} ${verb}`);
      }
    }
  }
  assert.ok(needsReason('rollback', false) && needsReason('promote', true) && !needsReason('promote', false) && !needsReason('pause', false));
  assert.match(consequence('promote', one('progressing')), /^About 1,900 users more, before the evidence is in/);
});

test('the interval is drawn so that the picture is the rule', () => {
  const [g] = one('progressing').gates;
  const l = layout(g);
  assert.ok(l.left < l.dot && l.dot < l.right && l.base < l.hold && l.hold < l.rollback);
  assert.ok(l.right > l.shade, 'it holds: the bar is not clear of the shade');
  const passing = layout(one('progressing').gates[1]);
  assert.ok(passing.right < passing.shade && passing.dot < passing.hold, 'it passes');
  const wide = layout({ ...g, difference_low: -1, difference_high: 1 });
  const far = layout({ ...g, difference: .3, difference_low: .0982, difference_high: .56 });
  assert.ok(far.left < 60 && far.dot > far.left && far.rollback < far.left, 'far worse than any limit, the bar is still there');
  assert.ok(wide.left === 0 && wide.right === 100 && wide.openLeft && wide.openRight);
});

test('a window sums what fell into it, and missing traffic stays missing', () => {
  const p = (s, requests, bad) => ({ at: new Date(s * 1000).toISOString(), seconds: 30, weight: .1, stable: { requests: 0, errors: 0, p50_ms: null }, canary: { requests, errors: bad, p50_ms: requests ? 10 : null, p95_ms: 20, p99_ms: 30 } });
  const out = rolled([p(0, 100, 1), p(30, 100, 3), p(60, 0, 0), p(90, 0, 0)], 60);
  assert.deepEqual(out.canary.n, [100, 200, 100, 0]);
  assert.deepEqual(out.canary.rate, [.01, .02, .03, null]);
  assert.deepEqual(out.stable.rate, [null, null, null, null]);
  assert.equal(out.canary.p50[3], null);
  const [rate, low, high] = wilson(0, 10);
  assert.ok(rate === 0 && low === 0 && high > .25 && high < .31);
});

test('what is newer is added once', () => {
  const at = (s) => ({ at: new Date(s * 1000).toISOString() });
  const old = { live: [at(1), at(2)], recent: [], attempt: [at(1)], marks: [] };
  const more = { live: [at(2), at(3)], recent: [at(3)], attempt: [at(1), at(3)], marks: [at(3)] };
  const got = join(join(old, more), more);
  assert.deepEqual([got.live.length, got.recent.length, got.attempt.length, got.marks.length], [3, 1, 2, 1]);
});

test('limits follow stable, absolute ones stand still', () => {
  assert.deepEqual(limitLines({ scale: 'points', hold_limit: .5, rollback_limit: null }, [1, null]), [[1.5, null], [null, null]]);
  assert.deepEqual(limitLines({ scale: 'ratio', hold_limit: 1.5, rollback_limit: 2 }, [100]), [[150], [200]]);
  assert.deepEqual(limitLines({ scale: 'points', absolute: true, hold_limit: .01, rollback_limit: .03 }, [null]), [[.01], [.03]]);
  assert.deepEqual(limitLines({ scale: 'ratio', absolute: true, canary: 150, difference: .5, hold_limit: 1, rollback_limit: 2 }, [9]), [[300], [600]]);
});

test('who decided is the gate, a person or serin', () => {
  assert.deepEqual(['gate', 'ana', 'config', 'serin', ''].map(actorKind), ['gate', 'people', 'serin', 'serin', 'serin']);
});
