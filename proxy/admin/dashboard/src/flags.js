// Flags: the bucket that picks the version also picks the flag.
import { html } from './dom.js';
import { Icon } from './icons.js';
import { usePolled } from './hooks.js';
import { linkTo } from './route.js';
import { now, read } from './store.js';
import { percent, when } from './fmt.js';

export function Flags() {
  const { data, error } = usePolled('/v1/flags', 2000);
  const list = data?.flags ?? [];
  return html`
    <div class="page">
      <h1>Flags</h1>
      <p class="lead">The bucket that picks the version also picks the flag: a user never sees one without the other.</p>
      ${error && !data ? html`<p class="quiet">${error.status === 404 ? 'This serin knows no flags yet.' : error.message}</p>`
        : !data ? html`<p class="quiet">Asking.</p>`
        : list.length === 0 ? html`<p class="quiet">None is configured: <code>[flag.NAME]</code> in the file.</p>` : html`
        <div class="scroll" tabindex="0" role="region" aria-label="Table of flags"><table class="flags">
          <thead><tr><th scope="col">Flag</th><th scope="col">Follows</th><th scope="col">Value</th><th scope="col">Share of the users</th><th scope="col">Header</th><th scope="col">Settled</th></tr></thead>
          ${list.map((f) => html`<${Flag} key=${f.name} f=${f} />`)}
        </table></div>`}
    </div>`;
}

/** A line a variant: the flag's name spans them. */
function Flag({ f }) {
  const follows = f.rollout || f.experiment || '';
  const rows = f.variants.length || 1;
  return html`<tbody>${f.variants.map((v, i) => html`
    <tr>
      ${i === 0 && html`<th scope="rowgroup" rowspan=${rows}>${f.name}${f.stale && html`<small class="tone-warn"><${Icon} name="alert" /> stale: take it out of the code</small>`}</th>
        <td rowspan=${rows}>${!follows ? '–' : html`<a href=${f.rollout && read().rollouts.has(f.rollout) ? linkTo(f.rollout) : '#/experiments'}>${follows}</a>`}</td>`}
      <td><span class="quiet">${v.name}</span> <code>${JSON.stringify(v.value)}</code></td>
      <td class="share"><span class="odds-bar" aria-hidden="true"><i class="bg-canary" style=${{ width: `${v.share * 100}%` }} /></span> ${percent(v.share)}</td>
      ${i === 0 && html`<td rowspan=${rows}>${f.header ? html`<code>${f.header}</code>` : '–'}</td><td rowspan=${rows}>${f.settled_at ? `since ${when(f.settled_at, now())}` : 'no'}</td>`}
    </tr>`)}</tbody>`;
}
