// One rollout, in the order of a person's questions: is it safe, where are we, what is missing, what can I do, why, since when.
import { html } from './dom.js';
import { Verdict } from './verdict.js';
import { Stairs } from './stairs.js';
import { Needs } from './needs.js';
import { Facts } from './facts.js';
import { Actions } from './actions.js';
import { Story } from './story.js';
import { Gates } from './gates.js';
import { Charts } from './charts.js';
import { Log } from './log.js';
import { Servers } from './servers.js';
import { useDecisions } from './decisions.js';

export function Rollout({ r, stale, decision }) {
  const past = useDecisions(r);
  return html`
    <article class="rollout" aria-label=${`Rollout ${r.name}`}>
      <${Verdict} r=${r} stale=${stale} />
      <div class="hero">
        <div class="where"><${Stairs} r=${r} /><${Needs} r=${r} /></div>
        <${Facts} r=${r} />
        <${Actions} r=${r} stale=${stale} />
      </div>
      ${r.phase === 'rolled_back' && html`<${Story} r=${r} decisions=${past.list} />`}
      <${Gates} r=${r} />
      <${Charts} r=${r} />
      <${Log} r=${r} past=${past} chosen=${decision} />
      <${Servers} r=${r} />
    </article>`;
}
