// One rollout, in the order of a person's questions: is it safe, where are we, what is missing, what can I do, why, since when.
import { html } from './dom.js';
import { Verdict } from './verdict.js';
import { Stairs } from './stairs.js';
import { Needs } from './needs.js';
import { Facts } from './facts.js';
import { Beside } from './beside.js';
import { Actions } from './actions.js';
import { Story } from './story.js';
import { Gates } from './gates.js';
import { Charts } from './charts.js';
import { Log } from './log.js';
import { Servers } from './servers.js';
import { useDecisions } from './decisions.js';

// When a rollout ends its windows begin anew and its gates fall silent; what they said last is in the decision that ended it.
function withLastGates(r, decisions) {
  if (r.gates.length > 0 || (r.phase !== 'rolled_back' && r.phase !== 'completed')) return r;
  const said = [r.last_decision, ...decisions].find((d) => d?.evidence.gates?.length > 0);
  return said ? { ...r, gates: said.evidence.gates } : r;
}

export function Rollout({ r: now, stale, decision }) {
  const past = useDecisions(now);
  const r = withLastGates(now, past.list);
  return html`
    <article class="rollout" aria-label=${`Rollout ${r.name}`}>
      <${Verdict} r=${r} stale=${stale} />
      <div class="hero">
        <div class="where"><${Stairs} r=${r} /><${Needs} r=${r} /></div>
        <${Facts} r=${r} />
        <${Beside} r=${r} />
        <${Actions} r=${r} stale=${stale} />
      </div>
      ${r.phase === 'rolled_back' && html`<${Story} r=${r} decisions=${past.list} />`}
      <${Gates} r=${r} />
      <${Charts} r=${r} />
      <${Log} r=${r} past=${past} chosen=${decision} />
      <${Servers} r=${r} />
    </article>`;
}
