// Experiments: fixed shares, no promotion. The signal's interval per arm, on one scale; guardrails beneath.
import { html } from './dom.js';
import { Icon } from './icons.js';
import { usePolled } from './hooks.js';
import { findingOf, metricName, reasonWord, upper } from './words.js';
import { count, ms, percent, rate } from './fmt.js';

export function Experiments() {
  const { data, error } = usePolled('/v1/experiments', 2000);
  const list = data?.experiments ?? [];
  return html`
    <div class="page">
      <h1>Experiments</h1>
      ${error && !data ? html`<p class="lead">${error.status === 404 ? 'This serin knows no experiments yet.' : error.message}</p>`
        : !data ? html`<p class="lead">Asking.</p>`
        : list.length === 0 && html`<p class="lead">None is configured. An experiment gives fixed shares to two or more arms and stops by its guardrails: <code>[experiment.NAME]</code> in the file.</p>`}
      ${list.map((x) => html`<${Experiment} key=${x.name} x=${x} />`)}
    </div>`;
}

function pillOf(x) {
  if (x.phase === 'stopped') return ['fail', 'undo', 'Stopped by a guardrail'];
  if (x.phase === 'completed' || x.phase === 'ended') return ['pass', 'check', 'Ended'];
  return ['calm', 'ring', upper(reasonWord(x.reason || x.phase || 'running'))];
}

function Experiment({ x }) {
  const [tone, icon, word] = pillOf(x);
  const arms = x.arms ?? [];
  const signal = x.signal?.name ? x.signal : null;
  const marks = arms.flatMap((a) => [a.signal_low, a.signal_high]).filter((v) => v != null);
  const lo = Math.min(...marks), hi = Math.max(...marks), room = (hi - lo) * 0.06 || 1;
  const at = (v) => ((v - lo + room) / (hi - lo + 2 * room)) * 100;
  return html`
    <section class="experiment" aria-labelledby=${`x-${x.name}`}>
      <div class="spread"><h2 id=${`x-${x.name}`}>${x.name}</h2><span class="quiet">${x.route}</span></div>
      <p class="pills"><span class=${`pill tone-${tone}`}><${Icon} name=${icon} />${word}</span></p>
      ${x.sentence && html`<p class="lead">${x.sentence}</p>`}
      <div class="scroll" tabindex="0" role="region" aria-label=${`Arms of ${x.name}`}><table>
        <thead><tr><th scope="col">Arm</th><th scope="col" class="r">Share asked</th><th scope="col" class="r">Observed</th><th scope="col" class="r">Users</th>
          <th scope="col" class="r">Errors</th><th scope="col" class="r">p95</th>${marks.length > 0 && html`<th scope="col">${signal?.unit ?? signal?.name ?? 'signal'}, 95${'\u202f'}% sure</th>`}</tr></thead>
        <tbody>${arms.map((a, i) => html`
          <tr><th scope="row"><span class=${i ? 'k-canary' : 'k-stable'}><b>${a.name}</b></span>${a.stopped && html` <span class="tag">stopped</span>`}</th>
            <td class="r">${percent(a.weight)}</td><td class="r">${percent(a.observed_weight)}</td><td class="r">${count(a.users)}</td>
            <td class="r">${rate(a.error ?? a.error_rate ?? null)}</td><td class="r">${ms(a.p95_ms)}</td>
            ${marks.length > 0 && html`<td class="diff">${a.signal_low != null && html`<svg class="interval" height="16" aria-hidden="true">
                <line class="axis" x1="0" x2="100%" y1="8" y2="8" />
                <rect class=${i ? 'bar' : 'bar plain'} x=${`${at(a.signal_low)}%`} y="4.5" width=${`${Math.max(1, at(a.signal_high) - at(a.signal_low))}%`} height="7" rx="3.5" />
                <circle class="dot" cx=${`${at(a.signal)}%`} cy="8" r="3.600" /></svg>
              <small class="reading">${a.signal}, ${a.signal_low} to ${a.signal_high}</small>`}</td>`}</tr>`)}</tbody>
      </table></div>
      <ul class="guards">${(x.guardrails ?? x.gates ?? []).map((g) => {
        const f = findingOf(g);
        return html`<li><span class=${`tone-${f.tone}`}><${Icon} name=${f.icon} /></span> Guardrail ${metricName(g.metric).toLowerCase()}${g.arm && ` of ${g.arm}`} <small>${f.word.toLowerCase()}</small></li>`;
      })}</ul>
    </section>`;
}
