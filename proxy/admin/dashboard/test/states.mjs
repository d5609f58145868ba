// The states a rollout can be in, as the API tells them: the shapes are the API's, the numbers are made up but agree with
// each other. Each state is { rollouts, daemon?, answers?, hash? }.
// The states are of 14:08:29, which is now: the page shows ages.
const base = Date.now();
const at = (h, m, s = 0) => new Date(base + ((h - 14) * 3600 + (m - 8) * 60 + (s - 29)) * 1000).toISOString();

export const daemon = {
  node: 'edge-1', serin: '0.9.0', zone: 'CET', offset_seconds: 3600,
  config: { file: '/etc/serin/serin.toml', ok: true, loaded_at: at(12, 55, 40) }, journal: { ok: true }, freeze: null,
};

const rung = (index, weight, state, started, ended, more = {}) => ({
  index, weight, label: `${weight * 100} %`, state, least_seconds: 900, started_at: started ?? null, ended_at: ended ?? null, owner: null, ...more,
});

const errors = (o) => ({
  metric: 'error_rate', scale: 'points', rule: 'hold: stable + 0.5pt, rollback: stable + 2pt', verdict: 'hold', reason: 'not_enough_evidence',
  stable: .01014, canary: .01057, difference: .00043, difference_low: -.0038, difference_high: .00533, hold_limit: .005, rollback_limit: .02,
  pass_limit: .005, pass_odds: 14, pass_needs: 20, fail_odds: 0, fail_needs: 1800,
  samples: { stable: 15087, stable_bad: 153, canary: 5012, canary_bad: 53 }, expected_seconds: 340, ...o,
});
const latency = (o) => ({
  metric: 'latency_p95', scale: 'ratio', rule: 'hold: stable * 1.10, rollback: stable * 1.50', verdict: 'pass', reason: 'pass',
  stable: 146, canary: 148, difference: 1.011, difference_low: .9513, difference_high: 1.0786, hold_limit: 1.1, rollback_limit: 1.5, pass_limit: 1.1,
  pass_odds: 163, pass_needs: 20, fail_odds: 0, fail_needs: 1800, samples: { stable: 15087, stable_bad: 0, canary: 5012, canary_bad: 0 }, expected_seconds: 0, ...o,
});
const client = (o) => ({
  ...errors(), metric: 'client_error_rate', rule: 'hold: stable + 2pt', verdict: 'pass', reason: 'pass', stable: .0306, canary: .0315, difference: .001,
  difference_low: -.006, difference_high: .0085, hold_limit: .02, rollback_limit: null, pass_limit: .02, pass_odds: 4e6, fail_needs: null,
  samples: { stable: 15087, stable_bad: 461, canary: 5012, canary_bad: 158 }, expected_seconds: 0, ...o,
});

const decision = (name, n, time, action, from, to, actor, reason, sentence, evidence = {}) => ({
  id: `${name}-${n}`, at: time, action, from, to, actor, reason, sentence, evidence: { phase: 'progressing', stage: 1, ...evidence },
});

const rollout = (o) => ({
  name: 'checkout', version: 17, phase: 'progressing', revision: '2026-11-18.3', attempt: 1, route: 'shop.example.com /checkout/*',
  weight: .25, observed_weight: .2494, key_missing_ratio: .001,
  stage: { index: 3, count: 4, weight: .25, elapsed_seconds: 1000, least_seconds: 900, remaining_seconds: 340, expected_seconds: 1340 },
  stages: [rung(1, .01, 'passed', at(13, 0, 2), at(13, 36, 48)), rung(2, .05, 'passed', at(13, 36, 48), at(13, 51, 49)), rung(3, .25, 'current', at(13, 51, 49)), rung(4, 1, 'ahead')],
  verdict: 'hold', reason: 'not_enough_evidence', baseline: 'concurrent',
  sentence: 'Holding at 25 %: 5,012 canary requests are not yet enough to rule out 0.5 points more errors.',
  next: 'Advance to 100 % at about 14:14, once the error gate has its evidence.',
  gates: [errors(), latency(), client()],
  arms: { stable: { requests: 15087, errors: 153, neutral: 9, rate: 15.1, p50_ms: 46.2, p95_ms: 146, p99_ms: 235 }, canary: { requests: 5012, errors: 53, neutral: 3, rate: 5, p50_ms: 46.7, p95_ms: 148, p99_ms: 239 } },
  exposure: { users: 661, requests: 6372, failed: 66, users_failed: 47 }, users: { active: 2530, design_effect: 1.15, masked_buckets: 4, worst_bucket_share: .06 },
  window: { open: true, until: at(16, 0) }, approval: null, hold: null, allowed: ['pause', 'promote', 'rollback'], waiting_for: null,
  last_decision: decision('checkout-1', 17, at(14, 8, 29), 'hold', .25, .25, 'gate', 'not_enough_evidence', 'Error gate at odds 14 of 20.'),
  stable_healthy: true, canary_healthy: true, upstreams: { stable: 'v1', canary: 'v2' }, ...o,
});

const search = rollout({
  name: 'search', version: 9, phase: 'holding', revision: 'b41f9e2', route: 'shop.example.com /search', weight: .05, observed_weight: .0503, reason: 'worse_than_stable',
  stage: { index: 2, count: 4, weight: .05, elapsed_seconds: 732, least_seconds: 900, remaining_seconds: null, expected_seconds: null },
  stages: [rung(1, .01, 'passed', at(13, 20), at(13, 35)), rung(2, .05, 'current', at(13, 35)), rung(3, .25, 'ahead'), rung(4, 1, 'ahead')],
  sentence: 'Held at 5 %: the canary fails 1.51 % of requests, stable 0.80 %. That is over your hold limit, under your rollback limit.',
  next: 'Roll back at 14:47 unless the canary recovers or someone decides before.', hold: { reason: 'worse_than_stable', since: at(13, 47), until: at(14, 47), then: 'roll back' },
  gates: [errors({ reason: 'worse_than_stable', confirmed: true, stable: .00804, canary: .01512, difference: .00708, difference_low: .0046, difference_high: .01036, pass_limit: .02, pass_odds: 0, fail_odds: 1e6, samples: { stable: 432710, stable_bad: 3478, canary: 22824, canary_bad: 345 }, expected_seconds: null }), latency({ stable: 38, canary: 39, difference: 1.028, difference_low: .99, difference_high: 1.0588, pass_odds: 1e7 }), client()],
  arms: { stable: { requests: 432710, errors: 3478, neutral: 31, rate: 210, p50_ms: 12, p95_ms: 38, p99_ms: 61 }, canary: { requests: 22824, errors: 345, neutral: 2, rate: 11.1, p50_ms: 12.3, p95_ms: 39, p99_ms: 63 } },
  exposure: { users: 1204, requests: 24764, failed: 365, users_failed: 171 }, users: { active: 23900, design_effect: 1.1, masked_buckets: 11, worst_bucket_share: .03 },
  allowed: ['pause', 'promote', 'step-back', 'rollback'], waiting_for: 'a person',
});

const profile = rollout({
  name: 'profile', phase: 'awaiting_approval', revision: '2026.47', route: 'shop.example.com /me/*', verdict: 'pass', reason: 'awaiting_approval', weight: .25, observed_weight: .2507,
  stage: { index: 3, count: 4, weight: .25, elapsed_seconds: 2400, least_seconds: 900, remaining_seconds: null, expected_seconds: null },
  stages: [rung(1, .01, 'passed', at(12, 58), at(13, 13)), rung(2, .05, 'passed', at(13, 13), at(13, 28)), rung(3, .25, 'current', at(13, 28)), rung(4, 1, 'ahead', null, null, { owner: 'product', approval_required: true })],
  sentence: 'Ready for 100 %: every gate passes, and the last stage asks the product role to say yes.', next: 'Waits until 15:43, then holds and reminds. A rollback can still fire.',
  gates: [errors({ verdict: 'pass', reason: 'pass', stable: .0031, canary: .0026, difference: -.0005, difference_low: -.0011, difference_high: .0003, pass_odds: 2e6, samples: { stable: 219146, stable_bad: 683, canary: 72902, canary_bad: 188 }, expected_seconds: 0 }), latency({ stable: 104, canary: 97, difference: .93, difference_low: .86, difference_high: .99, pass_odds: 2e6 })],
  approval: { since: at(13, 43), until: at(15, 43), then: 'hold' }, allowed: ['pause', 'approve', 'rollback'], waiting_for: 'approval by product',
  exposure: { users: 3380, requests: 90000, failed: 207, users_failed: 166 }, users: { active: 13400, design_effect: 1.05, masked_buckets: 0, worst_bucket_share: .02 },
});

const none = { requests: 0, errors: 0, neutral: 0, rate: 0, p50_ms: null, p95_ms: null, p99_ms: null };
const exports_ = rollout({
  name: 'exports', revision: 'r88', route: 'admin.example.com /exports', reason: 'no_canary_traffic', weight: .01, observed_weight: 0,
  stage: { index: 1, count: 3, weight: .01, elapsed_seconds: 399, least_seconds: 900, remaining_seconds: null, expected_seconds: null },
  stages: [rung(1, .01, 'current', at(14, 1, 50)), rung(2, .1, 'ahead'), rung(3, 1, 'ahead')],
  sentence: 'Nothing to judge yet: no request has reached the canary in 6 min 39 s. At 1 % of 0.4 requests a second, one is due about every 4 minutes.',
  next: 'Stays at 1 %. No traffic is never a pass. Widening to 10 % would give about 2.5 requests a minute.',
  gates: [errors({ reason: 'no_canary_traffic', canary: 0, difference: 0, difference_low: -1, difference_high: 1, pass_odds: 0, samples: { stable: 164, stable_bad: 1, canary: 0, canary_bad: 0 }, expected_seconds: null }), latency({ verdict: 'hold', reason: 'no_canary_traffic', canary: 0, difference: 0, difference_low: 0, difference_high: 0, pass_odds: 0, samples: { stable: 164, stable_bad: 0, canary: 0, canary_bad: 0 } })],
  arms: { stable: { ...none, requests: 164, errors: 1, rate: .4, p50_ms: 80, p95_ms: 300, p99_ms: 500 }, canary: none }, exposure: { users: 0, requests: 0, failed: 0, users_failed: 0 }, users: { active: 60, design_effect: 1, masked_buckets: 0, worst_bucket_share: 0 },
});

const ledger = rollout({
  name: 'ledger', phase: 'rolled_back', revision: '7.4.0', attempt: 2, route: 'api.example.com /ledger/*', weight: 0, observed_weight: 0, verdict: 'fail', reason: 'worse_than_stable',
  stage: { index: 2, count: 4, weight: .05, elapsed_seconds: 126, least_seconds: 900, remaining_seconds: null, expected_seconds: null },
  stages: [rung(1, .01, 'passed', at(13, 2), at(13, 32)), rung(2, .05, 'failed', at(13, 32), at(13, 34, 6)), rung(3, .25, 'ahead'), rung(4, 1, 'ahead')],
  sentence: 'Everyone is on stable. 7.4.0 was rolled back at 13:34:06: it failed 4.1 % of requests, stable 1.0 %.', next: 'Nothing moves by itself. A new revision, or retry, starts attempt 3 with the same users.',
  gates: [errors({ verdict: 'fail', reason: 'worse_than_stable', canary: .0749, difference: .0648, difference_low: .03, difference_high: .09, fail_odds: 2400, pass_odds: 0, samples: { stable: 10900, stable_bad: 109, canary: 561, canary_bad: 42 } }), latency({ verdict: 'hold', reason: 'not_enough_evidence', difference_low: .8, difference_high: 1.3 })],
  arms: { stable: { ...none, requests: 10900, errors: 109 }, canary: { ...none, requests: 561, errors: 42 } }, exposure: { users: 553, requests: 900, failed: 42, users_failed: 40 }, users: { active: 11000, design_effect: 1.1, masked_buckets: 0, worst_bucket_share: .1 }, allowed: ['retry'],
});

const images = rollout({
  name: 'images', phase: 'completed', revision: '3.12.0', route: 'img.example.com /*', weight: 1, observed_weight: 1, verdict: 'pass', reason: 'pass',
  stage: { index: 4, count: 4, weight: 1, elapsed_seconds: 900, least_seconds: 900, remaining_seconds: null, expected_seconds: null },
  stages: [rung(1, .01, 'passed', at(12, 21), at(12, 36)), rung(2, .05, 'passed', at(12, 36), at(12, 51)), rung(3, .25, 'passed', at(12, 51), at(13, 6)), rung(4, 1, 'passed', at(13, 6), at(13, 21))],
  sentence: '3.12.0 serves everyone since 13:06 and baked for 15 min. Every gate passed.', next: 'The old version stays warm until 14:21: until then a rollback is instant.',
  gates: [errors({ verdict: 'pass', reason: 'pass', pass_odds: 5e6 })], exposure: { users: 38900, requests: 133632, failed: 453, users_failed: 421 }, users: { active: 39000, design_effect: 1, masked_buckets: 0, worst_bucket_share: .01 }, allowed: ['rollback'],
});

const all = [search, profile, rollout(), exports_, ledger, images];

/** Two hours of points: a canary that begins at 1 %, then 5 %, then 25 %. */
export function series(r, n = 145) {
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const start = base - (n - 1) * 30000;
  const points = [], marks = [];
  const starts = r.stages.filter((s) => s.started_at).map((s) => [Date.parse(s.started_at), s.weight]);
  const ended = r.phase === 'rolled_back' ? Date.parse(r.stages.find((s) => s.state === 'failed').ended_at) : Infinity;
  for (const [i, [t, w]] of starts.entries()) marks.push({ at: new Date(t).toISOString(), action: i ? 'advance' : 'start', from: i ? starts[i - 1][1] : 0, to: w });
  if (ended < Infinity) marks.push({ at: new Date(ended).toISOString(), action: 'rollback', from: starts.at(-1)[1], to: 0 });
  const arm = (requests, p, ms) => {
    let bad = 0;
    for (let i = 0; i < Math.min(requests, 4000); i++) if (random() < p) bad++;
    if (!requests) return { requests: 0, errors: 0, error_rate: null, error_low: null, error_high: null, p50_ms: null, p95_ms: null, p99_ms: null };
    const noise = 1 + (random() - .5) * Math.min(.5, 8 / Math.sqrt(requests));
    return { requests, errors: bad, error_rate: bad / requests, error_low: 0, error_high: 1, p50_ms: 46 * ms * noise, p95_ms: 146 * ms * noise, p99_ms: 235 * ms * noise };
  };
  for (let i = 0; i < n; i++) {
    const t = start + i * 30000;
    const weight = t >= ended ? 0 : starts.filter(([s]) => s <= t).at(-1)?.[1] ?? 0;
    const total = r.name === 'exports' ? 12 : 600;
    const bad = r.phase === 'rolled_back' ? .041 : r.phase === 'holding' ? .0151 : .0105;
    points.push({ at: new Date(t).toISOString(), seconds: 30, weight, stable: arm(Math.round(total * (1 - weight)), .0101, 1), canary: arm(r.name === 'exports' ? 0 : Math.round(total * weight), bad, 1.01) });
  }
  return { recent: points, attempt: points, live: [], marks };
}

const decisions = (r) => {
  const n = (k) => `${r.name}-${r.attempt}-${k}`;
  const d = (k, ...rest) => ({ ...decision('x', 0, ...rest), id: n(k) });
  if (r.name === 'ledger') {
    return [
      d(14, at(13, 34, 6), 'rollback', .05, 0, 'gate', 'worse_than_stable', 'Proof: 42 failures in 561 requests, odds 2,400 of 1,200. Everyone is on stable.', { phase: 'rolled_back', stage: 2, verdict: 'fail', gates: r.gates }),
      d(13, at(13, 33, 8), 'hold', .05, .05, 'gate', 'worse_than_stable', 'Held: 13 failures in 302 requests. Odds 32 of 1,200, so no rollback yet.', { stage: 2, gates: [{ ...r.gates[0], verdict: 'hold', confirmed: true }] }),
      d(12, at(13, 32), 'advance', .01, .05, 'gate', 'pass', 'The first stage had passed.', { stage: 2 }),
      d(11, at(13, 2), 'start', 0, .01, 'config', 'start', 'Revision 7.4.0 seen in serin.toml, canary pool healthy.'),
    ];
  }
  return [
    d(17, at(14, 8, 29), 'hold', .25, .25, 'gate', 'not_enough_evidence', 'Error gate at odds 14 of 20. Latency and client errors pass.', { stage: 3, baseline: 'concurrent', gates: r.gates }),
    d(14, at(13, 51, 49), 'advance', .05, .25, 'gate', 'pass', 'All three gates passed after the least time.', { stage: 3, gates: r.gates }),
    d(13, at(13, 36, 48), 'promote', .01, .05, 'ben', 'manual', 'Promoted to 5 % by ben: "launch at noon, watched".', { stage: 2, note: 'launch at noon, watched', override: true }),
    d(12, at(13, 20, 31), 'resume', .01, .01, 'ana', 'manual', 'Resumed by ana: "campaign mail is out, traffic is normal".', { note: 'campaign mail is out, traffic is normal' }),
    d(11, at(13, 14, 9), 'pause', .01, .01, 'ana', 'manual', 'Paused by ana: "campaign mail goes out".', { note: 'campaign mail goes out' }),
    d(10, at(13, 0, 2), 'start', 0, .01, 'config', 'start', `Revision ${r.revision} seen in serin.toml, canary pool healthy.`),
  ];
};

const server = (address, o) => ({ name: address, address, state: 'up', in_flight: 2, connections: 4, idle: 2, rate: 7.6, requests: 9000, retries: 0, ejections: 0, errors: {}, last_check: { at: new Date(base - 1200).toISOString(), ok: true }, ...o });
export const upstreams = { upstreams: [
  { name: 'v1', revision: '2026-11-14.1', healthy: 2, in_flight: 5, queued: 0, draining: false, errors: {}, servers: [server('10.0.0.11:9000'), server('10.0.0.12:9000')] },
  { name: 'v2', revision: '2026-11-18.3', healthy: 1, in_flight: 2, queued: 0, draining: false, errors: {}, servers: [server('10.0.0.21:9000', { rate: 2.6 }), server('https://10.0.0.22:9443', { state: 'ejected', ejections: 2, errors: { reset: 4, connect: 1 }, last_check: { at: new Date(base - 900).toISOString(), ok: false, detail: 'status 503' } })] },
] };

const arm = (name, o) => ({ name, share: .5, stopped: false, users: 4114, requests: 802331, errors: 8103, error_rate: .0101, error_low: .0099, error_high: .0103, difference: null, difference_low: null, difference_high: null, design_effect: 1.1, p50_ms: 46, p99_ms: 235, p50_change: null, p99_change: null, gates: [], ...o });
const trial = (o) => ({
  name: 'button', route: 'shop.example.com /checkout/*', version: 3, attempt: 1, phase: 'progressing', sentence: 'Day 4 of 7. Guardrails pass; the difference in errors is not yet clear.',
  elapsed_seconds: 277709, for_seconds: 604800, remaining_seconds: 327091, control: 'grey', reason: '', sample_ratio: { verdict: 'ok', odds: .4, needs: 1000, users: [4114, 4079] }, key_missing_ratio: 0,
  arms: [arm('grey'), arm('green', { difference: .0002, difference_low: -.0001, difference_high: .0005, p50_change: { ms: .2, low_ms: -.1, high_ms: .5 }, p99_change: { ms: 4, low_ms: 1, high_ms: 7 }, gates: [errors({ verdict: 'pass', reason: 'pass' }), latency()] })],
  last_decision: null, ...o,
});
const experiments = { experiments: [trial(), trial({ name: 'search-box', phase: 'rolled_back', reason: 'sample_ratio_mismatch', sample_ratio: { verdict: 'mismatch', odds: 4000, needs: 1000, users: [4114, 3079] }, sentence: 'Stopped: the arms do not meet the same people.', arms: [arm('grey'), arm('wide', { stopped: true }), arm('narrow')] })] };
const flags = { flags: [
  { name: 'new-checkout', rollout: 'checkout', header: 'X-Flag-New-Checkout', variants: [{ name: 'on', value: true, share: .25 }, { name: 'off', value: false, share: .75 }], stale: false, settled_at: null, stale_after_seconds: 604800 },
  { name: 'old-banner', rollout: 'images', header: '', variants: [{ name: 'on', value: 'v2', share: 1 }, { name: 'off', value: 'v1', share: 0 }], stale: true, settled_at: at(4, 0), stale_after_seconds: 3600 },
  { name: 'button-colour', experiment: 'button', header: 'X-Button', variants: [{ name: 'grey', value: 'grey', share: .5 }, { name: 'green', value: 'green', share: .5 }], stale: false, settled_at: null, stale_after_seconds: 604800 },
] };

const ladder = (weights, here, more = {}) => weights.map((w, i) => rung(i + 1, w, i + 1 < here ? 'passed' : i + 1 === here ? 'current' : 'ahead', i + 1 <= here ? at(13, i) : null, i + 1 < here ? at(13, i + 1) : null, more[i + 1]));
const rings = [rung(1, 0, 'passed', at(13, 0), at(13, 10), { label: 'mirror', mirror: .1 }), rung(2, 0, 'current', at(13, 10), null, { label: 'staff', audience: 'staff' }), rung(3, .05, 'ahead', null, null, { audience: 'beta' }), rung(4, 1, 'ahead', null, null, { owner: 'product' })];
const atStage = (index, count, weight, o = {}) => ({ index, count, weight, elapsed_seconds: 400, least_seconds: 900, remaining_seconds: 500, expected_seconds: 900, ...o });
const one = (o) => ({ rollouts: [rollout(o)], hash: '#/rollouts/checkout' });

export const states = {
  progressing: { rollouts: all, hash: '#/rollouts/checkout' },
  holding: { rollouts: all, hash: '#/rollouts/search' },
  awaiting_approval: { rollouts: all, hash: '#/rollouts/profile' },
  no_traffic: { rollouts: all, hash: '#/rollouts/exports' },
  rolled_back: { rollouts: all, hash: '#/rollouts/ledger' },
  completed: { rollouts: all, hash: '#/rollouts/images' },
  stale: { rollouts: all, hash: '#/rollouts/checkout', silent: true },
  empty: { rollouts: [] },
  experiments: { rollouts: all, hash: '#/experiments' },
  flags: { rollouts: all, hash: '#/flags' },
  unknown: { rollouts: all, hash: '#/rollouts/chekout' },
  paused: one({ phase: 'paused', reason: 'paused', allowed: ['resume', 'promote', 'step-back', 'rollback'], sentence: 'Paused at 25 % by ana: campaign mail goes out.', next: 'Nothing widens until somebody resumes; it still rolls back on a fail.' }),
  frozen: { ...one({ phase: 'paused', reason: 'frozen', allowed: ['rollback'], sentence: 'Paused at 25 %, as everything is: incident 4711.', next: 'Goes on when the freeze ends.' }), daemon: { ...daemon, freeze: { actor: 'ana', reason: 'incident 4711', since: at(14, 2) } } },
  waiting_start: one({ phase: 'waiting', reason: 'manual', weight: 0, observed_weight: null, allowed: ['start'], stage: atStage(0, 4, 0, { elapsed_seconds: 0 }), stages: ladder([.01, .05, .25, 1], 0), gates: [], exposure: { users: 0, requests: 0, failed: 0, users_failed: 0 }, sentence: 'Waiting: a person starts it.', next: 'Starts with: serin start checkout.' }),
  unhealthy: one({ phase: 'waiting', reason: 'canary_pool_unhealthy', weight: 0, observed_weight: null, canary_healthy: false, allowed: ['rollback'], stage: atStage(0, 4, 0, { elapsed_seconds: 0 }), stages: ladder([.01, .05, .25, 1], 0), gates: [], sentence: 'Waiting: no server of v2 takes traffic.', next: 'Starts at 1 % once the canary’s pool is healthy.' }),
  ring: one({ weight: 0, stages: rings, stage: atStage(2, 4, 0), baseline: 'own_past', sentence: 'The ring staff is on the canary; everybody else on stable.', next: 'Advance to beta and 5 % in about 8 min.' }),
  mirror: one({ weight: 0, stages: rings.map((s) => ({ ...s, state: s.index === 1 ? 'current' : 'ahead', ended_at: null })), stage: atStage(1, 4, 0), gates: [errors({ metric: 'mismatch_rate', rule: 'hold: 1%', absolute: true, rollback_limit: null, fail_needs: null, hold_limit: .01, pass_limit: .01, difference: .004, difference_low: .004, difference_high: .004 })], baseline: 'absolute', sentence: 'Mirroring 10 % of safe requests; no user is on the canary.', next: 'Advance to staff in about 8 min.' }),
  preview: one({ weight: 0, phase: 'awaiting_approval', reason: 'awaiting_approval', stages: [rung(1, 0, 'current', at(13, 0), null, { label: 'preview' }), rung(2, 1, 'ahead')], stage: atStage(1, 2, 0), gates: [], allowed: ['approve', 'rollback'], approval: { since: at(13, 30), until: null, then: 'hold' }, sentence: 'The preview is up for forced requests.', next: 'Waits for a person.' }),
  long_ladder: one({ weight: .12, stages: ladder([.01, .02, .04, .08, .1, .12, .2, .3, .5, .7, .9, 1], 6), stage: atStage(6, 12, .12) }),
  very_long_ladder: one({ weight: .5, stages: ladder(Array.from({ length: 20 }, (_, i) => (i + 1) / 20), 10), stage: atStage(10, 20, .5) }),
  frozen_baseline: one({ weight: 1, observed_weight: 1, baseline: 'frozen', stages: ladder([.01, .25, 1], 3), stage: atStage(3, 3, 1) }),
  skewed: one({ reason: 'skewed_keys', phase: 'holding', observed_weight: .61, hold: { reason: 'skewed_keys', since: at(14, 0), until: null, then: 'hold' }, sentence: 'Held at 25 %: the canary sees 61 % of requests. Keys are skewed.', next: 'Waits for a person.' }),
  refused_file: { ...one({}), daemon: { ...daemon, journal: { ok: false, error: 'no space left on device' }, config: { ...daemon.config, ok: false, problems: [{ file: 'serin.toml', line: 12, key: 'rollout.checkout.canary', problem: 'no upstream "chekout-v2"', hint: 'did you mean "checkout-v2"?' }] } } },
  read_only: { ...one({ allowed: [], you: 'reader' }), token: 'reader' },
  drill: one({ drill: { actor: 'ana' } }),
  beside: one({
    alert: { event: 'hold', since: at(14, 2) }, capacity: { canary: 40, stable: null, rate: 20.12, most_weight: .75 },
    signals: [{ name: 'checkout', judged: true, stable: { count: 412, sum: 380, mean: .9223 }, canary: { count: 131, sum: 120, mean: .916 } }, { name: 'basket', judged: false, stable: { count: 40, sum: 1660, mean: 41.5 }, canary: { count: 0, sum: 0, mean: null } }],
  }),
  old_daemon: { rollouts: all, hash: '#/experiments', answers: { '/v1/experiments': { status: 404, body: { error: 'no such path', hint: '' } } } },
  login: { rollouts: [], answers: { '/v1/events': { error: 'a token is needed', hint: 'send Authorization: Bearer TOKEN' } } },
};

/** Everything the stand needs to play a state. */
export function play(state) {
  const answers = { '/v1/upstreams': upstreams, '/v1/experiments': experiments, '/v1/flags': flags };
  for (const r of state.rollouts) {
    answers[`/v1/rollouts/${r.name}/series`] = series(r);
    answers[`/v1/rollouts/${r.name}/decisions`] = { decisions: decisions(r) };
  }
  return { answers: { ...answers, ...state.answers }, events: [{ event: 'snapshot', data: { rollouts: state.rollouts, daemon: state.daemon ?? daemon } }] };
}
