// The rollouts, who needs a person first. On narrow screens the list folds into one line.
import { html } from './dom.js';
import { Icon } from './icons.js';
import { useMedia } from './hooks.js';
import { linkTo } from './route.js';
import { read } from './store.js';
import { needsPerson, stateOf } from './words.js';
import { percent } from './fmt.js';
import { Spark } from './spark.js';
import { Everything } from './everything.js';

export function RolloutList({ list, chosen, stale }) {
  const folds = useMedia('(max-width: 960px)');
  const rows = html`<ul class="list">${list.map((r) => html`<${Row} key=${r.name} r=${r} here=${r.name === chosen} stale=${stale} />`)}</ul>
    <p class="key"><span class="k-canary">canary</span><span class="k-stable">stable, error rate</span></p>
    <${Everything} verbs=${read().daemon?.freeze ? ['rollback'] : ['pause', 'rollback']} stale=${stale} />`;
  if (!folds) return html`<nav class="side" aria-label="Rollouts">${rows}</nav>`;
  const asking = list.filter(needsPerson).length;
  return html`
    <nav class="side" aria-label="Rollouts">
      <details key=${chosen}>
        <summary><b>Rollouts</b> ${list.length}${asking > 0 && `, ${asking} need${asking === 1 ? 's' : ''} a person`}</summary>
        ${rows}
      </details>
    </nav>`;
}

function Row({ r, here, stale }) {
  const s = stateOf(r, stale);
  return html`
    <li><a href=${linkTo(r.name)} class="row" aria-current=${here ? 'true' : null}>
      <span class=${`tone-${s.tone}`}><${Icon} name=${s.icon} /></span>
      <b class="name">${r.name}</b>
      <span class="num">${percent(r.weight)}</span>
      <span class="brief">${s.brief}</span>
      <${Spark} name=${r.name} />
    </a></li>`;
}
