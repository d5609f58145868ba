// The rollout's past for the charts: fetched whole once, then only what is newer; rolled over a window and given intervals.
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, rolloutPath } from './api.js';

/** The ranges one can look at: which list of the API it is, and how long its rolling window is. */
export const ranges = {
  live: { text: '10 min', part: 'live', roll: 30, keep: 300, words: 'Rolling 30 seconds.' },
  recent: { text: '2 h', part: 'recent', roll: 300, keep: 240, words: 'Rolling 5 minutes.' },
  attempt: { text: 'Attempt', part: 'attempt', roll: 300, keep: Infinity, words: 'The whole attempt, rolling 5 minutes at least.' },
};

/** The range that shows a young attempt finely and an old one whole. */
export function fitting(past) {
  if (!past) return 'recent';
  const points = past.attempt.length;
  const seconds = past.attempt.reduce((s, p) => s + p.seconds, 0);
  if (points < 3 || seconds < 480) return 'live';
  return seconds < 7000 ? 'recent' : 'attempt';
}

const period = 2000;
const wholeAgain = 150; // polls: the attempt is thinned on the server, so ours is replaced now and then

/** { live, recent, attempt, marks } of a rollout; null before the first answer. */
export function usePast(name, attempt) {
  const [past, set] = useState(null);
  const kept = useRef(null);
  useEffect(() => {
    let timer = 0;
    let over = false;
    let n = 0;
    kept.current = null;
    set(null);
    const ask = async () => {
      try {
        const newest = kept.current?.live.at(-1)?.at ?? kept.current?.recent.at(-1)?.at;
        const whole = !newest || n % wholeAgain === 0;
        if (!document.hidden || whole) {
          const query = whole ? '' : `?since=${encodeURIComponent(newest)}`;
          const answer = await get(`${rolloutPath(name)}/series${query}`);
          if (over) return;
          kept.current = whole ? answer : join(kept.current, answer);
          set(kept.current);
          n++;
        }
      } catch { /* the banner tells; what is drawn stays */ }
      if (!over) timer = setTimeout(ask, period);
    };
    ask();
    return () => { over = true; clearTimeout(timer); };
  }, [name, attempt]);
  return past;
}

/** Adds what is newer than what we have. */
export function join(old, more) {
  const list = (part, keep = Infinity) => {
    const last = old[part].at(-1)?.at ?? '';
    return old[part].concat(more[part].filter((p) => Date.parse(p.at) > (Date.parse(last) || 0))).slice(-keep);
  };
  return { live: list('live', ranges.live.keep), recent: list('recent', ranges.recent.keep), attempt: list('attempt'), marks: list('marks') };
}

/** x of n with its 95 % score interval (Wilson 1927). */
export function wilson(bad, n) {
  const z = 1.959963985;
  const p = bad / n;
  const mid = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return [p, Math.max(0, mid - half), Math.min(1, mid + half)];
}

/**
 * rolled sums the points of a window before each point. Missing traffic stays missing: null, never 0.
 * Columns: t (s), weight, and of each arm n, rate, low, high, p50, p95, p99.
 */
export function rolled(points, seconds) {
  const out = { t: [], weight: [], stable: columns(), canary: columns() };
  let from = 0;
  points.forEach((p, i) => {
    const t = Date.parse(p.at) / 1000;
    while (from < i && t - Date.parse(points[from].at) / 1000 >= seconds) from++;
    out.t.push(t);
    out.weight.push(p.weight);
    for (const arm of ['stable', 'canary']) push(out[arm], points, from, i, arm);
  });
  return out;
}

const columns = () => ({ n: [], bad: [], rate: [], low: [], high: [], p50: [], p95: [], p99: [] });

function push(c, points, from, to, arm) {
  let n = 0, bad = 0, timed = 0;
  const q = { p50: 0, p95: 0, p99: 0 };
  for (let i = from; i <= to; i++) {
    const a = points[i][arm];
    n += a.requests;
    bad += a.errors;
    if (a.p50_ms == null) continue;
    const w = Math.max(1, a.requests);
    timed += w;
    q.p50 += w * a.p50_ms; q.p95 += w * a.p95_ms; q.p99 += w * a.p99_ms;
  }
  const [rate, low, high] = n ? wilson(bad, n) : [null, null, null];
  c.n.push(n); c.bad.push(bad); c.rate.push(rate); c.low.push(low); c.high.push(high);
  for (const k of ['p50', 'p95', 'p99']) c[k].push(timed ? q[k] / timed : null);
}

/** A gate's limits along stable's line: [hold, rollback], null where there is none. */
export function limitLines(gate, stable) {
  if (!gate) return [stable.map(() => null), stable.map(() => null)];
  const along = (limit) => stable.map((v) => {
    if (limit == null) return null;
    if (gate.absolute) {
      // Of an absolute latency gate the limits are ratios to its own hold limit.
      return gate.scale === 'ratio' ? (gate.difference > 0 ? (gate.canary / gate.difference) * limit : null) : limit;
    }
    if (v == null) return null;
    return gate.scale === 'ratio' ? v * limit : v + limit;
  });
  return [along(gate.hold_limit), along(gate.rollback_limit)];
}
