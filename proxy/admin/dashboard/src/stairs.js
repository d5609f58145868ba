// The ladder as stairs: the height of a step is the square root of its share, so that 1 % can be seen beside 100 %; the fill is
// how much of the stage's time is over; the bird stands where the rollout stands. A ring, a mirror or a preview has no share:
// its step is low and dotted.
import { useEffect, useRef } from 'preact/hooks';
import { html } from './dom.js';
import { Bird, Icon } from './icons.js';
import { hm, percent, roughly, span } from './fmt.js';
import { isFrozen, stageName, stateOf } from './words.js';

const full = 130; // px of 100 %
const folded = 6; // more stages than this: only the bird's caption is shown

const heightOf = (s) => (s.weight > 0 ? Math.max(6, Math.sqrt(s.weight) * full) : 10);
const kindOf = (s) => (s.mirror > 0 ? 'mirror' : s.audience && !(s.weight > 0) ? 'ring' : !(s.weight > 0) ? 'preview' : 'share');

/** Where the bird stands: 0 is before the first stage, on the way up and after a rollback. */
export const standing = (r) => (r.phase === 'rolled_back' || r.phase === 'waiting' ? 0 : r.stage.index);

export function Stairs({ r }) {
  const here = standing(r);
  const stages = r.stages;
  const long = stages.length > folded;
  const hop = useHop(here);
  const caption = captionOf(r, here);
  return html`
    <section class="stairs-box" aria-label="Ladder">
      ${long && html`<p class="stairs-count">Stage ${here} of ${stages.length}</p>`}
      <ol class=${`stairs${long ? ' is-long' : ''}`} style=${{ '--steps': stages.length }}>
        <${Ground} r=${r} here=${here === 0} hop=${hop} />
        ${stages.map((s) => html`
          <${Step} key=${s.index} r=${r} s=${s} here=${s.index === here} hop=${hop} last=${s.index === stages.length}
            said=${!long || s.index === here || s.index === stages.length} caption=${s.index === here ? caption : null} />`)}
      </ol>
      <p class="here-line">${caption.icon && html`<${Icon} name=${caption.icon} />`}<b>${caption.word}</b> <span>${caption.lines.join(' ')}</span></p>
    </section>`;
}

/** The step of stable alone. */
const Ground = ({ r, here, hop }) => html`
  <li class=${`step ground${here ? ' here' : ''}`} aria-current=${here ? 'step' : null}>
    <div class="riser">
      <span class=${here ? 'weight big' : 'weight'}>${percent(0)}</span>
      <div class="tread" style=${{ height: '3px' }} />
      ${here && html`<span class=${`perch${hop}`} style=${{ left: '72%' }}><${Bird} /></span>`}
    </div>
    <div class="cap">${here ? html`<b>here</b>` : html`stable only`}</div>
  </li>`;

function Step({ r, s, here, hop, last, said, caption }) {
  const kind = kindOf(s);
  const height = heightOf(s);
  const done = fillOf(r, s, here);
  const left = Math.min(92, Math.max(14, done * 100));
  const name = stageName(s);
  const c = caption ?? capOf(r, s, last);
  // The bird would stand on the figure: then the figure flies above it.
  const raised = here && done < 0.62;
  return html`
    <li class=${`step is-${s.state} kind-${kind}${here ? ' here' : ''}${said ? '' : ' unsaid'}`} aria-current=${here ? 'step' : null}>
      <div class="riser">
        <span class=${`weight${here ? ' big' : ''}${raised ? ' raised' : ''}`}>
          ${kind !== 'share' && html`<${Icon} name=${kind === 'mirror' ? 'mirror' : kind === 'ring' ? 'people' : 'eye'} />`}${name}</span>
        <div class="tread" style=${{ height: `${height}px` }}>
          ${done > 0 && html`<div class="fill" style=${{ width: `${done * 100}%` }} />`}
        </div>
        ${here && html`<span class=${`perch${hop}`} style=${{ left: `${left}%`, bottom: `${height - 2}px` }}><${Bird} /></span>`}
      </div>
      <div class="cap">
        <span class=${c.tone ? `tone-${c.tone}` : ''}>${c.icon && html`<${Icon} name=${c.icon} />`}${here || c.tone ? html`<b>${c.word}</b>` : c.word}</span>
        ${c.lines.map((line) => html`<small>${line}</small>`)}
      </div>
    </li>`;
}

/** How much of a stage is behind us, 0 to 1. */
function fillOf(r, s, here) {
  if (s.state === 'passed') return 1;
  if (s.state === 'failed' || s.state === 'left') {
    const ran = s.ended_at && s.started_at ? (new Date(s.ended_at) - new Date(s.started_at)) / 1000 : 0;
    return Math.min(1, ran / Math.max(s.least_seconds, 1));
  }
  if (!here) return 0;
  if (r.phase === 'completed' || r.phase === 'awaiting_approval') return 1;
  return Math.min(1, r.stage.elapsed_seconds / Math.max(r.stage.least_seconds, r.stage.expected_seconds ?? 0, 1));
}

const ran = (s) => `after ${roughly((new Date(s.ended_at) - new Date(s.started_at)) / 1000)}`;

function capOf(r, s, last) {
  const least = `at least ${span(s.least_seconds)}`;
  switch (s.state) {
    case 'passed': return { icon: 'check', word: 'passed', lines: s.ended_at ? [`${hm(s.ended_at)}, ${s.started_at ? ran(s) : ''}`] : [] };
    case 'failed': return { icon: 'undo', word: 'rolled back', tone: 'fail', lines: s.ended_at ? [`${hm(s.ended_at)}, ${s.started_at ? ran(s) : ''}`] : [] };
    case 'left': return { icon: 'down', word: 'left', lines: s.ended_at ? [`${hm(s.ended_at)}, ${s.started_at ? ran(s) : ''}`] : [] };
    case 'skipped': return { word: 'skipped', lines: [] };
  }
  if (r.phase === 'rolled_back') return { word: 'not reached', lines: [] };
  const asks = s.owner ?? (s.approval_required ? 'a person' : null);
  if (asks && r.phase === 'awaiting_approval' && s.index === r.stage.index + 1) {
    return { icon: 'person', word: `${asks} decides`, lines: r.approval?.since ? [`asked at ${hm(r.approval.since)}`] : [] };
  }
  if (asks) return { icon: 'person', word: `${asks} decides`, lines: [least] };
  return { word: last ? 'last, then bake' : 'ahead', lines: [least] };
}

/** The caption of the step the bird stands on. */
function captionOf(r, here) {
  const s = r.stages[here - 1];
  const elapsed = span(r.stage.elapsed_seconds);
  if (!s) return { word: 'here', lines: r.phase === 'rolled_back' ? ['everybody is on stable'] : ['not started'] };
  const state = stateOf(r);
  switch (r.phase) {
    case 'completed':
      return { icon: 'check', word: 'baked', lines: s.ended_at ? [`${hm(s.ended_at)}, ${s.started_at ? ran(s) : ''}`] : [] };
    case 'awaiting_approval':
      return { icon: 'person', word: 'all gates pass', lines: [`here for ${elapsed}`] };
    case 'holding': case 'paused':
      return { icon: 'pause', word: 'here', lines: [`clock stopped at ${elapsed}`] };
  }
  if (isFrozen(r)) return { icon: 'snow', word: 'here', lines: [`frozen at ${elapsed}`] };
  return { icon: state.icon, word: 'here', lines: [`${elapsed} of at least ${span(r.stage.least_seconds)}`] };
}

/** One hop of the bird when it changes its step; none at first sight. */
function useHop(here) {
  const was = useRef(here);
  const hop = was.current !== here ? ' hop' : '';
  useEffect(() => {
    const timer = setTimeout(() => { was.current = here; }, 700);
    return () => clearTimeout(timer);
  }, [here]);
  return hop;
}
