// The acts: what each costs, what it is called on its button, why it cannot be done now. Pure, so that it can be tested.
import { about, count, percent } from './fmt.js';
import { isFrozen, stageName } from './words.js';

// What belongs to a phase; a verb outside its list is shown only when the API allows it.
const usual = {
  waiting: ['start', 'rollback'],
  progressing: ['promote', 'pause', 'rollback'],
  awaiting_approval: ['approve', 'pause', 'rollback'],
  holding: ['promote', 'pause', 'rollback'],
  paused: ['resume', 'promote', 'rollback'],
  completed: ['promote', 'pause', 'rollback'],
  rolled_back: ['retry', 'promote', 'pause', 'rollback'],
};
const order = ['start', 'approve', 'resume', 'retry', 'promote', 'pause', 'step-back', 'rollback'];

export const verbsOf = (r) => order.filter((v) => (usual[r.phase] ?? []).includes(v) || r.allowed.includes(v));

/** The verbs that move things on as asked; the rest is an exception. */
export const isMain = (verb, r) => ['start', 'approve', 'retry'].includes(verb) || (verb === 'resume' && r.phase === 'paused');

const next = (r) => r.stages[r.stage.index];
const last = (r) => r.stages[r.stages.length - 1];
const before = (r) => r.stages[r.stage.index - 2];

export function buttonText(verb, r) {
  const to = next(r);
  switch (verb) {
    case 'promote': return r.allowed.includes('promote') ? (to ? `Promote to ${stageName(to)}` : 'Complete now') : 'Promote';
    case 'approve': return to ? `Approve ${stageName(to)}` : 'Approve completion';
    case 'start': return 'Start';
    case 'retry': return `Retry ${r.revision}`;
    case 'step-back': return 'Step back';
    case 'rollback': return 'Roll back';
  }
  return verb[0].toUpperCase() + verb.slice(1);
}

/** About how many users more would meet the canary at a weight. */
const usersMore = (r, weight) => Math.max(0, (r.users?.active ?? 0) * (weight - r.weight));

function evidence(r) {
  if (r.verdict === 'pass') return 'every gate passes';
  if (r.phase === 'holding' || r.reason === 'worse_than_stable') return 'against a finding';
  return 'before the evidence is in';
}

const more = (r, weight) => {
  const n = usersMore(r, weight);
  return n >= 1 ? `About ${about(n)} users more` : 'Nobody more as of now';
};

/** What the act does, in one or two sentences. */
export function consequence(verb, r, { full = false } = {}) {
  const at = percent(r.weight);
  const to = full ? last(r) : next(r);
  switch (verb) {
    case 'start': return `Begins at ${stageName(r.stages[0])}${r.users.active > 0 && r.stages[0].weight > 0 ? `: about ${about(r.users.active * r.stages[0].weight)} users` : ''}.`;
    case 'promote': return to ? `${more(r, to.weight)}, ${evidence(r)}. Recorded as an override.` : `Ends the bake now, ${evidence(r)}. Recorded as an override.`;
    case 'approve': return to ? `${more(r, to.weight)}, at once. Every gate passes.` : 'Completes the release. Every gate passes.';
    case 'pause': return `Stays at ${at}, the clock stops. A rollback can still fire.`;
    case 'resume': return `${r.phase === 'holding' ? 'Lets go of the hold' : 'Goes on'} at ${at}; the clock runs again.`;
    case 'step-back': {
      const to = before(r);
      const less = Math.max(0, r.users.active * (r.weight - (to?.weight ?? 0)));
      return `${less >= 1 ? `About ${about(less)} users return to stable` : 'One stage down'}; evidence at ${to ? stageName(to) : percent(0)} begins anew.`;
    }
    case 'retry': {
      const first = r.stages[0];
      const n = (r.users?.active ?? 0) * (first?.weight ?? 0);
      return `Attempt ${r.attempt + 1} at ${stageName(first)}: the same users first${n >= 1 ? `, about ${about(n)}` : ''}.`;
    }
    case 'rollback':
      if (r.phase === 'completed') return `All ${about(Math.max(r.users.active, r.exposure.users))} users return to the old version at once.`;
      if (!(r.exposure.users > 0)) return 'Nobody is on the canary yet; it stops being offered.';
      return `${count(r.exposure.users)} users return to stable within a second.`;
  }
  return '';
}

/** Why a verb cannot be used; empty when it can. */
export function obstacle(verb, r, { stale, token }) {
  if (stale) return 'No connection. The state may have changed.';
  if (r.allowed.includes(verb)) return '';
  if (isFrozen(r)) return 'Everything is paused: end that first.';
  if (r.phase === 'rolled_back') {
    return { promote: 'A rolled-back revision never continues by itself.', pause: 'Nothing is running.', rollback: 'Already at 0\u202f%.' }[verb] ?? 'Not possible now.';
  }
  if (r.phase === 'completed') {
    return { promote: `Already at ${percent(r.weight)}.`, pause: 'Nothing is left to pause.', rollback: 'The old pool is no longer kept.' }[verb] ?? 'Not possible now.';
  }
  if (r.phase === 'waiting' && verb === 'rollback') return 'Nobody is on the canary.';
  if (token) return `The token ${r.you ?? ''} may not, or not now.`;
  if (verb === 'promote' && !r.window.open) return 'Outside the release window.';
  if (verb === 'start') return 'Starts by itself when it can.';
  return 'Not possible now.';
}

/** Whether the log needs to know why. */
export const needsReason = (verb, full) => verb === 'rollback' || verb === 'retry' || (verb === 'promote' && full);

/** The same act in a terminal. */
export const command = (verb, r, { full = false, reason = true } = {}) =>
  `serin ${verb} ${r.name}${full ? ' --full' : ''}${reason ? ' --reason "…"' : ''}`;

/** Whether there is more than one stage left to jump over. */
export const canGoFull = (r) => r.stages.length - r.stage.index > 1;
