// The page's own words: what a phase, a reason code, a metric and an action are called, how they look, and how urgent they
// are. Sentences come from the API and are shown as they are.
import { percent } from './fmt.js';

/** Reason codes that people say in other words; the rest are said as they are written. */
export const reasons = {
  collecting: 'collecting evidence',
  estimate_above_hold: 'estimate above the hold limit',
  stable_unhealthy: 'stable itself is unwell',
  warmup: 'warming up',
  saturated_users: 'more requests of the same users say little new',
  canary_pool_unhealthy: 'canary servers unhealthy',
  window_closed: 'outside the release window',
  skewed_keys: 'keys are skewed',
  stable_outdated: 'stable is outdated',
  awaiting_approval: 'waiting for approval',
  journal_unavailable: 'journal not writable',
  stale_replicas: 'a replica is silent',
  restart_replayed: 'resumed after a restart',
  manual: 'by hand',
  hold_timeout: 'held too long',
  approval_timeout: 'nobody answered',
  sparse: 'too little traffic',
  start: 'started',
};
export const reasonWord = (code) => reasons[code] ?? (code ?? '').replaceAll('_', ' ');
export const upper = (s) => s.charAt(0).toUpperCase() + s.slice(1);

// Of a progressing rollout: reasons that ask for a look. Every other one is patience, and patience is not a warning.
const concerns = {
  worse_than_stable: 'Needs a look.',
  stable_unhealthy: 'Needs a look.',
  skewed_keys: 'Needs a look.',
  one_bucket_dominates: 'Needs a look.',
  canary_pool_unhealthy: 'Needs a look.',
  journal_unavailable: 'Cannot widen.',
  stale_replicas: 'Cannot widen.',
};

/** Whether somebody stopped all rollouts at once (`pause --all`). */
export const isFrozen = (r) => r.reason === 'frozen' || (r.reasons ?? []).includes('frozen');

/**
 * stateOf maps phase and reason to { bold, label, brief, tone, icon, need }. tone is pass, calm, ask, warn or fail; need sorts
 * the list: smaller needs a person sooner.
 */
export function stateOf(r, stale = false) {
  if (stale) return { bold: 'Unknown.', label: 'Disconnected', brief: upper(reasonWord(r.reason)), tone: 'warn', icon: 'lost', need: 5 };
  const word = reasonWord(r.reason);
  const look = (bold, label, tone, icon, need, brief = label) => ({ bold, label, brief, tone, icon, need });
  if (isFrozen(r) && ['progressing', 'waiting', 'paused'].includes(r.phase)) {
    return look('Standing still.', 'Frozen: everything is paused', 'ask', 'snow', 2, 'Frozen');
  }
  switch (r.phase) {
    case 'completed': return look('Done.', 'Completed', 'pass', 'check', 7);
    case 'rolled_back': return look('Safe now.', 'Rolled back', 'fail', 'undo', 6);
    case 'awaiting_approval': return look('Your turn.', 'Waiting for approval', 'ask', 'person', 1);
    case 'paused': return look('Standing still.', 'Paused', 'ask', 'pause', 2);
    case 'holding': return look('Needs a look.', `Held: ${word}`, 'warn', 'pause', 0, upper(word));
    case 'waiting': return waiting(r, word, look);
  }
  if (r.dry_run && r.verdict === 'fail') return look('Would roll back.', `Dry run: ${word}`, 'warn', 'alert', 0);
  if (concerns[r.reason]) return look(concerns[r.reason], `Progressing: ${word}`, 'warn', 'alert', 0, upper(word));
  if (r.reason === 'no_canary_traffic' || r.reason === 'no_stable_traffic') {
    return look('No harm done.', 'Waiting for traffic', 'calm', 'dashed', 4);
  }
  if (r.reason === 'window_closed') return look('Safe so far.', 'Outside the release window', 'calm', 'clock', 4, 'Window closed');
  if (r.verdict === 'pass') return look('Safe so far.', 'Progressing: every gate passes', 'pass', 'check', 3, 'Every gate passes');
  return look('Safe so far.', `Progressing: ${word || 'collecting evidence'}`, 'calm', 'ring', 3, upper(word || 'collecting evidence'));
}

function waiting(r, word, look) {
  switch (r.reason) {
    case 'manual': return look('Ready.', 'Waiting for a start', 'ask', 'person', 1);
    case 'stable_outdated': return look('Needs a look.', 'Stable is outdated', 'warn', 'alert', 0);
    case 'canary_pool_unhealthy': return look('No harm done.', 'Waiting for the canary servers', 'warn', 'alert', 0);
    case 'window_closed': return look('No harm done.', 'Waiting for the window', 'calm', 'clock', 4);
  }
  return look('No harm done.', word ? `Waiting: ${word}` : 'Waiting', 'calm', 'dashed', 4);
}

/** Who needs a person first, then by name. */
export const byNeed = (a, b) => stateOf(a).need - stateOf(b).need || a.name.localeCompare(b.name, 'en', { numeric: true });
export const needsPerson = (r) => stateOf(r).need <= 1;

const metrics = {
  error_rate: 'Errors',
  timeout_rate: 'Timeouts',
  client_error_rate: 'Client errors',
  abort_rate: 'Aborts',
  mismatch_rate: 'Mismatches',
};
/** "latency_p95" -> "Latency p95", "signal.order" -> "Signal order" */
export const metricName = (m) => metrics[m]
  ?? (m.startsWith('latency_') ? `Latency ${m.slice(8)}` : upper(m.replace('.', ' ').replaceAll('_', ' ')));
export const isLatency = (m) => m.startsWith('latency_');

/** How one gate stands: { word, tone, icon }. */
export function findingOf(g) {
  if (g.verdict === 'pass') return { word: 'Pass', tone: 'pass', icon: 'check' };
  if (g.verdict === 'fail') return { word: 'Fail', tone: 'fail', icon: 'undo' };
  const word = upper(reasonWord(g.reason) || 'hold');
  if (g.reason === 'no_canary_traffic' || g.reason === 'no_stable_traffic') return { word, tone: 'calm', icon: 'dashed' };
  if (g.confirmed || g.reason === 'worse_than_stable' || g.reason === 'stable_unhealthy') return { word, tone: 'warn', icon: 'pause' };
  return { word, tone: 'calm', icon: 'ring' };
}

/** What a stage is called: its weight, or its ring, mirror or preview. */
export function stageName(s) {
  if (!s) return '';
  if (s.mirror > 0) return `mirror ${percent(s.mirror)}`;
  if (s.audience) return s.weight > 0 ? `${s.audience} + ${percent(s.weight)}` : s.audience;
  if (s.weight > 0) return percent(s.weight);
  return s.label || percent(s.weight);
}

const baselines = {
  own_past: 'The members of this ring are compared with their own past on stable.',
  frozen: 'No stable traffic is left: the canary is compared with stable’s last numbers. A finding holds; only absolute limits roll back.',
  absolute: 'Nothing to compare with: only absolute limits decide.',
};
export const baselineNote = (b) => baselines[b] ?? '';

/** Actions in the log: { icon, text(d) }. */
export function actionOf(d) {
  const move = `${percent(d.from)} → ${percent(d.to)}`;
  const at = percent(d.to);
  switch (d.action) {
    case 'start': case 'restart': case 'retry': return { icon: 'play', text: d.from === d.to ? d.action : move };
    case 'advance': case 'approve': case 'promote': case 'widen': return { icon: 'up', text: d.from === d.to ? upper(d.action) : move };
    case 'complete': return { icon: 'check', text: `completed at ${at}` };
    case 'rollback': return { icon: 'undo', text: d.from === d.to ? 'rolled back' : move, tone: 'fail' };
    case 'step_back': case 'step-back': return { icon: 'down', text: d.from === d.to ? 'stepped back' : move, tone: 'warn' };
    case 'hold': return { icon: 'pause', text: `held at ${at}` };
    case 'pause': return { icon: 'pause', text: 'paused' };
    case 'resume': return { icon: 'play', text: 'resumed' };
    case 'replan': return { icon: 'dot', text: 'plan read' };
    case 'await': return { icon: 'person', text: 'asked a person' };
    case 'freeze': return { icon: 'snow', text: 'frozen', tone: 'warn' };
    case 'withdrawn': return { icon: 'down', text: 'withdrawn' };
  }
  return { icon: 'dot', text: d.action.replaceAll('_', ' ') };
}

/** gate, person or serin: who decided. */
export function actorKind(actor) {
  if (actor === 'gate') return 'gate';
  return ['', 'serin', 'config', 'control', 'schedule', 'system'].includes(actor) ? 'serin' : 'people';
}
