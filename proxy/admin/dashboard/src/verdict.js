// The answer: two bold words, the API's own sentence, and what happens next. Only the sentence is live for screen readers.
import { html } from './dom.js';
import { Icon } from './icons.js';
import { read } from './store.js';
import { baselineNote, isFrozen, stateOf } from './words.js';
import { span, together } from './fmt.js';

export function Verdict({ r, stale }) {
  const s = stateOf(r, stale);
  const age = (Date.now() - read().lastAt) / 1000;
  const frozen = isFrozen(r) && s.icon !== 'snow';
  return html`
    <header class="verdict">
      <div class="who"><h1>${r.name}</h1> <code class="rev">${r.revision}</code> <span>attempt ${r.attempt}</span>
        ${r.route && html`<span class="route">${r.route}</span>`}
        ${r.audience && html`<span>for ${r.audience} only</span>`}</div>
      <p class="pills">
        <span class=${`pill tone-${s.tone}`}><${Icon} name=${s.icon} />${s.label}</span>
        ${frozen && html`<span class="pill tone-ask"><${Icon} name="snow" />All rollouts are frozen</span>`}
        ${r.dry_run && html`<span class="pill tone-calm"><${Icon} name="eye" />Dry run: decides, moves nothing</span>`}
        ${r.drill && html`<span class="pill tone-warn"><${Icon} name="alert" />Drill: faults are injected on the canary</span>`}
        ${r.baseline && r.baseline !== 'concurrent' && html`<span class="pill tone-calm"><${Icon} name="clock" />Baseline: ${r.baseline.replace('_', ' ')}</span>`}
      </p>
      <p class="sentence" role="status"><b>${s.bold}</b> ${stale && html`Last seen <span aria-hidden="true">${span(age)}</span> ago. `}${together(r.sentence)}</p>
      ${!stale && r.next && html`<p class="next"><${Icon} name="arrow" /><span>${together(r.next)}</span></p>`}
      ${!stale && baselineNote(r.baseline) && html`<p class="next"><${Icon} name="clock" /><span>${baselineNote(r.baseline)}</span></p>`}
    </header>`;
}
