// Flags: the bucket that picks the version also picks the flag.
import { html } from './dom.js';
import { usePolled } from './hooks.js';
import { linkTo } from './route.js';
import { read } from './store.js';
import { count, percent } from './fmt.js';

// A value may come as JSON text or as the value itself.
const shown = (v) => (v === undefined ? '–' : typeof v === 'string' ? v : JSON.stringify(v));

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
          <thead><tr><th scope="col">Flag</th><th scope="col">Follows</th><th scope="col">On</th><th scope="col">Off</th><th scope="col" class="r">Share on</th>
            <th scope="col" class="r">Evaluations/s</th><th scope="col" class="r">Forced</th><th scope="col">Header</th></tr></thead>
          <tbody>${list.map((f) => {
            const follows = f.rollout || f.experiment || '';
            const values = f.values ? Object.entries(f.values) : null;
            return html`
            <tr><th scope="row">${f.name}</th>
              <td>${read().rollouts.has(follows) ? html`<a href=${linkTo(follows)}>${follows}</a>` : follows ? html`<a href="#/experiments">${follows}</a>` : '–'}</td>
              ${values && f.on === undefined ? html`<td colspan="2">${values.map(([arm, v]) => html`<code>${arm}: ${shown(v)}</code> `)}</td>`
                : html`<td><code>${shown(f.on)}</code></td><td><code>${shown(f.off)}</code></td>`}
              <td class="r share"><span class="odds-bar" aria-hidden="true"><i class="bg-canary" style=${{ width: `${(f.share ?? 0) * 100}%` }} /></span> ${percent(f.share)}</td>
              <td class="r">${f.evaluations == null ? '–' : f.evaluations.toFixed(1)}</td><td class="r">${count(f.forced)}</td><td><code>${f.header || '–'}</code></td></tr>`;
          })}</tbody>
        </table></div>`}
    </div>`;
}
