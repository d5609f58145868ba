// Experiments: fixed shares, no promotion. Each arm beside the control: the difference of their error rates with its interval,
// their latencies, and the guardrails that may stop the arm.
import { useState } from 'preact/hooks';
import { html } from './dom.js';
import { post } from './api.js';
import { Ask } from './confirm.js';
import { Icon } from './icons.js';
import { usePolled } from './hooks.js';
import { findingOf, metricName } from './words.js';
import { count, ms, percent, points, rate, roughly, together } from './fmt.js';

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
  if (x.reason === 'sample_ratio_mismatch') return ['warn', 'alert', 'The arms’ users are not comparable'];
  switch (x.phase) {
    case 'waiting': return ['calm', 'dashed', 'Waiting'];
    case 'completed': return ['pass', 'check', 'Over'];
    case 'rolled_back': return ['fail', 'undo', 'Stopped'];
  }
  return ['calm', 'ring', 'Running'];
}

/** Stops one arm: its users go to the control. */
function Stop({ x }) {
  const [asked, ask] = useState(null);
  const open = x.phase === 'progressing' ? x.arms.filter((a) => a.name !== x.control && !a.stopped) : [];
  const path = `/v1/experiments/${encodeURIComponent(x.name)}/stop`;
  return html`
    ${open.length > 0 && html`<p class="row-of">${open.map((a) => html`<button type="button" class="button danger" onClick=${() => ask(a)}>Stop ${a.name}</button>`)}</p>`}
    ${asked && html`<${Ask} title=${`Stop ${asked.name} of ${x.name}?`} text=${`${count(asked.users)} users go to ${x.control} at once. It cannot be started again.`}
      must=${true} stop=${true} word=${`Stop ${asked.name}`} same=${`POST ${path}`} send=${(body) => post(path, { arm: asked.name, ...body })} done=${() => ask(null)} />`}`;
}

const ratios = { ok: 'as configured', mismatch: 'not as configured', too_few: 'too few to tell', saturated: 'too many to tell apart' };

function Experiment({ x }) {
  const [tone, icon, word] = pillOf(x);
  // One scale for all arms, the control's zero in it.
  const marks = x.arms.flatMap((a) => [a.difference_low, a.difference_high]).filter((v) => v != null);
  const lo = Math.min(0, ...marks), hi = Math.max(0, ...marks), room = (hi - lo) * 0.08 || 1;
  const at = (v) => ((v - lo + room) / (hi - lo + 2 * room)) * 100;
  const guards = x.arms.flatMap((a) => (a.gates ?? []).map((g) => ({ ...g, arm: a.name })));
  return html`
    <section class="experiment" aria-labelledby=${`x-${x.name}`}>
      <div class="spread"><h2 id=${`x-${x.name}`}>${x.name}</h2><span class="quiet">${x.route}${x.audience && ` for ${x.audience} only`}</span></div>
      <p class="pills"><span class=${`pill tone-${tone}`}><${Icon} name=${icon} />${word}</span></p>
      ${x.sentence && html`<p class="lead">${together(x.sentence)}</p>`}
      <div class="scroll" tabindex="0" role="region" aria-label=${`Arms of ${x.name}`}><table>
        <thead><tr><th scope="col">Arm</th><th scope="col" class="r">Share</th><th scope="col" class="r">Users</th><th scope="col" class="r">Requests</th>
          <th scope="col" class="r">Errors</th><th scope="col" class="r">p50</th><th scope="col" class="r">p99</th><th scope="col">Errors beside ${x.control}, 95${'\u202f'}% sure</th></tr></thead>
        <tbody>${x.arms.map((a) => html`<${Arm} key=${a.name} a=${a} control=${a.name === x.control} at=${at} />`)}</tbody>
      </table></div>
      <ul class="guards">
        ${guards.map((g) => { const f = findingOf(g); return html`<li><span class=${`tone-${f.tone}`}><${Icon} name=${f.icon} /></span> Guardrail ${metricName(g.metric).toLowerCase()} of ${g.arm} <small>${f.word.toLowerCase()}</small></li>`; })}
        <li><span class=${x.sample_ratio?.verdict === 'mismatch' ? 'tone-warn' : 'tone-calm'}><${Icon} name="people" /></span> Users per arm <small>${ratios[x.sample_ratio?.verdict] ?? '–'}</small></li>
        ${x.phase === 'progressing' && x.remaining_seconds > 0 && html`<li><span class="tone-calm"><${Icon} name="clock" /></span> Ends <small>in about ${roughly(x.remaining_seconds)}</small></li>`}
      </ul>
      <${Stop} x=${x} />
    </section>`;
}

const change = (c) => (c ? html`<small>${c.low_ms > 0 || c.high_ms < 0 ? 'differs' : 'no clear difference'}: ${c.low_ms.toFixed(1).replace('-', '−')} to ${c.high_ms.toFixed(1).replace('-', '−')} ms</small>` : null);

function Arm({ a, control, at }) {
  return html`
    <tr><th scope="row"><span class=${control ? 'k-stable' : 'k-canary'}><b>${a.name}</b></span>${control && html` <span class="tag">control</span>`}${a.stopped && html` <span class="tag">stopped</span>`}</th>
      <td class="r">${percent(a.share)}</td><td class="r">${count(a.users)}</td><td class="r">${count(a.requests)}</td>
      <td class="r">${rate(a.error_rate)}<small>${count(a.errors)}</small></td><td class="r">${ms(a.p50_ms)}${change(a.p50_change)}</td><td class="r">${ms(a.p99_ms)}${change(a.p99_change)}</td>
      <td class="diff">${control ? html`<small>the others are measured against it</small>` : a.difference == null ? html`<small>nothing to compare yet</small>` : html`
        <svg class="interval" height="16" aria-hidden="true">
          <line class="axis" x1="0" x2="100%" y1="8" y2="8" /><line class="base" x1=${`${at(0)}%`} x2=${`${at(0)}%`} y1="0" y2="16" />
          <rect class="bar" x=${`${at(a.difference_low)}%`} y="4.5" width=${`${Math.max(1, at(a.difference_high) - at(a.difference_low))}%`} height="7" rx="3.5" />
          <circle class="dot" cx=${`${at(a.difference)}%`} cy="8" r="3.6" /></svg>
        <small class="reading"><b>${points(a.difference)}</b> pt, between ${points(a.difference_low)} and ${points(a.difference_high)}</small>`}</td></tr>`;
}
