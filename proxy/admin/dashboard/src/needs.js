// What is still missing for the next stage, each with its answer; after the end, what to do next.
import { html } from './dom.js';
import { Icon } from './icons.js';
import { read, now } from './store.js';
import { findingOf, isFrozen, metricName, reasonWord, stageName } from './words.js';
import { count, roughly, span, when } from './fmt.js';

export function Needs({ r }) {
  if (r.phase === 'rolled_back') return html`<${Steps} title="What to do next" list=${afterRollback(r)} />`;
  if (r.phase === 'completed') return html`<${Steps} title="Before you go" list=${afterCompletion(r)} />`;
  const next = r.stages[r.stage.index];
  const title = r.phase === 'waiting' ? 'Needed to start' : next ? `Needed for ${stageName(next)}` : 'Needed to complete';
  return html`
    <section class="needs" aria-label=${title}>
      <h2>${title}</h2>
      <ul>${needsOf(r).map((n) => html`
        <li class=${n.done ? 'done' : 'open'}>
          <span class=${`tone-${n.tone}`}><${Icon} name=${n.icon} /></span>
          <span class="what">${n.what}</span>
          <span class="how">${n.how}</span>
        </li>`)}</ul>
    </section>`;
}

const done = (what, how) => ({ what, how, done: true, tone: 'pass', icon: 'check' });
const open = (what, how, tone = 'calm', icon = 'ring') => ({ what, how, done: false, tone, icon });

/** The checklist, what stops us first. */
function needsOf(r) {
  const list = [];
  const left = (t) => (new Date(t) - now()) / 1000;
  if (r.hold?.until) list.push(open(`Decide within ${roughly(left(r.hold.until))}`, `then: ${r.hold.then}`, 'warn', 'clock'));
  if (isFrozen(r)) list.push(open('The freeze to end', 'serin resume --all', 'ask', 'snow'));
  else if (r.phase === 'paused') list.push(open('Somebody to resume', r.last_decision?.action === 'pause' ? `paused by ${r.last_decision.actor}` : 'paused', 'ask', 'person'));
  const daemon = read().daemon;
  if (daemon && !daemon.journal.ok) list.push(open('A journal that can be written', 'nothing widens without', 'warn', 'alert'));
  if (r.phase === 'waiting') {
    if (r.reason === 'manual') list.push(open('A start', `serin start ${r.name}`, 'ask', 'person'));
    if (r.reason === 'stable_outdated') list.push(open('Another stable in the file', 'the completed version serves everybody', 'warn', 'alert'));
  } else {
    list.push(leastTime(r));
    for (const g of r.gates) {
      const f = findingOf(g);
      const eta = g.expected_seconds > 0 ? `, about ${roughly(g.expected_seconds)}` : '';
      list.push(g.verdict === 'pass' ? done(metricName(g.metric), 'pass')
        : open(metricName(g.metric) + (g.dry_run ? ' (dry run)' : ''), f.word.toLowerCase() + eta, f.tone, f.icon));
    }
  }
  list.push(r.canary_healthy ? done('Canary servers', 'healthy') : open('Canary servers', 'none takes traffic', 'warn', 'alert'));
  if (r.window.open) {
    list.push(done('Window', r.window.until ? `open until ${when(r.window.until, now())}` : 'always open'));
  } else {
    list.push(open('Window', r.window.until ? `opens ${when(r.window.until, now())}` : reasonWord('window_closed'), 'calm', 'clock'));
  }
  if (r.approval) {
    const owner = r.stages[r.stage.index]?.owner ?? 'a person';
    const since = r.approval.since ? `, asked ${roughly((now() - new Date(r.approval.since)) / 1000)} ago` : '';
    list.push(open('Approval', owner + since, 'ask', 'person'));
  }
  return list;
}

function leastTime(r) {
  const { elapsed_seconds: spent, least_seconds: least } = r.stage;
  const what = `Least time ${span(least)}`;
  if (spent >= least) return done(what, 'done');
  const stopped = r.phase === 'holding' || r.phase === 'paused';
  return open(what, stopped ? `clock stopped at ${span(spent)}` : `${span(least - spent)} left`);
}

const Steps = ({ title, list }) => html`
  <section class="needs" aria-label=${title}>
    <h2>${title}</h2>
    <ol>${list.map((item) => html`<li>${item}</li>`)}</ol>
  </section>`;

const afterRollback = (r) => [
  html`Look at the evidence: <code>serin why ${r.name}</code>`,
  html`Fix it and set a new <code>revision</code>: attempt ${r.attempt + 1} starts with the same users, so they see the fix first.`,
  html`Or try ${r.revision} again with Retry, if the cause was outside of it.`,
];

const afterCompletion = (r) => [
  html`Keep the old pool until a rollback need no longer be instant.`,
  html`Make ${r.upstreams?.canary ? html`<code>${r.upstreams.canary}</code>` : 'this version'} the stable upstream in the file.`,
  html`Remove the flag, if the release had one. ${count(r.exposure.users)} users met it on the way.`,
];
