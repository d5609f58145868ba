// The servers of both arms.
import { html } from './dom.js';
import { Icon } from './icons.js';
import { usePolled } from './hooks.js';
import { now } from './store.js';
import { count, span } from './fmt.js';

const states = {
  up: ['healthy', 'pass', 'check'], unknown: ['not checked', 'calm', 'dashed'], warming: ['warming', 'calm', 'ring'],
  draining: ['draining', 'calm', 'down'], down: ['down', 'fail', 'alert'], ejected: ['ejected', 'warn', 'pause'],
};

export function Servers({ r }) {
  const { data } = usePolled('/v1/upstreams', 2000);
  const pools = ['stable', 'canary'].map((arm) => [arm, data?.upstreams.find((u) => u.name === r.upstreams?.[arm])]).filter(([, u]) => u);
  return html`
    <section class="section" aria-labelledby="servers">
      <div class="section-head"><h2 id="servers">Servers</h2></div>
      ${pools.length === 0 ? html`<p class="quiet">${data ? 'The pools of this rollout are not in force.' : 'Asking.'}</p>` : html`
        <div class="scroll" tabindex="0" role="region" aria-label="Table of servers"><table class="servers">
          <thead><tr><th scope="col">Server</th><th scope="col">State</th><th scope="col" class="r">In flight</th><th scope="col" class="r">Requests/s</th>
            <th scope="col" class="r">Errors</th><th scope="col" class="r">Ejections</th><th scope="col">Last check</th></tr></thead>
          ${pools.map(([arm, u]) => html`
            <tbody>
              <tr class="pool"><th scope="rowgroup" colspan="7"><span class=${`k-${arm}`}><b>${arm}</b></span> ${u.name} <code>${u.revision}</code>
                ${u.draining && html` <span class="tag">draining</span>`}${u.queued > 0 && html` <span class="tag">${count(u.queued)} queued</span>`}</th></tr>
              ${u.servers.map((s) => html`<${Server} key=${s.name} s=${s} />`)}
            </tbody>`)}
        </table></div>`}
    </section>`;
}

function Server({ s }) {
  const [word, tone, icon] = states[s.state] ?? [s.state, 'calm', 'dot'];
  const errors = Object.entries(s.errors ?? {}).filter(([, n]) => n > 0);
  const check = s.last_check;
  return html`
    <tr>
      <th scope="row"><code>${s.address}</code></th>
      <td><span class=${`tone-${tone}`}><${Icon} name=${icon} /><b>${word}</b></span></td>
      <td class="r">${count(s.in_flight)}</td>
      <td class="r">${s.rate.toFixed(1)}</td>
      <td class="r">${count(errors.reduce((n, [, k]) => n + k, 0))}${errors.length > 0 && html`<small>${errors.map(([why, n]) => `${count(n)} ${why.replaceAll('_', ' ')}`).join(', ')}</small>`}</td>
      <td class="r">${count(s.ejections)}</td>
      <td>${check ? `${check.ok ? 'ok' : check.detail || 'failed'}, ${span((now() - new Date(check.at)) / 1000)} ago` : 'none configured'}</td>
    </tr>`;
}
