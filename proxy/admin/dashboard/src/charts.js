// Two charts over time, one cursor. Ink follows evidence: the canary's band is as pale as we are unsure, and its line stays thin
// until its interval is narrower than the rollback limit.
import { useMemo, useState } from 'preact/hooks';
import { html } from './dom.js';
import { fitting, limitLines, ranges, rolled, usePast } from './past.js';
import { Chart } from './chart.js';
import { clock, count, ms, percent, rate } from './fmt.js';

const quantiles = ['p50', 'p95', 'p99'];

export function Charts({ r }) {
  const past = usePast(r.name, r.attempt);
  const [picked, pick] = useState(null);
  const [quantile, setQuantile] = useState(() => r.gates.find((g) => g.metric.startsWith('latency_p'))?.metric.slice(8) ?? 'p95');
  const [at, setAt] = useState(null); // index of the shared cursor; null: now
  const range = picked ?? fitting(past);
  const q = quantiles.includes(quantile) ? quantile : 'p95';
  const data = useMemo(() => past && rolled(past[ranges[range].part], ranges[range].roll), [past, range]);

  const errorGate = r.gates.find((g) => g.metric === 'error_rate');
  const latencyGate = r.gates.find((g) => g.metric === `latency_${q}`);
  const errors = useMemo(() => data && errorLines(data, errorGate), [data, errorGate?.hold_limit, errorGate?.rollback_limit]);
  const latency = useMemo(() => data && latencyLines(data, q, latencyGate, errors), [data, q, latencyGate?.hold_limit, latencyGate?.rollback_limit, errors]);
  const marks = useMemo(() => (past?.marks ?? []).map((m) => ({ t: Date.parse(m.at) / 1000, text: percent(m.to), down: m.to < m.from })), [past]);
  const enough = data && data.t.length > 1;
  const i = at != null && enough ? Math.min(at, data.t.length - 1) : null;

  return html`
    <section class="section charts" aria-labelledby="over-time">
      <div class="section-head spread"><h2 id="over-time">Over time</h2>
        <p>${ranges[range].words} The band is the canary’s 95${'\u202f'}% interval; its line is thin while it says little.</p>
        <div class="segments" role="group" aria-label="Range">
          ${Object.entries(ranges).map(([id, x]) => html`<button type="button" aria-pressed=${id === range} onClick=${() => { pick(id); setAt(null); }}>${x.text}</button>`)}</div></div>
      ${!enough ? html`<p class="quiet">${past ? 'The first points come within seconds of traffic.' : 'Asking.'}</p>` : html`
        <${Panel} title="Error rate" data=${data} lines=${errors} marks=${marks} at=${i} onAt=${setAt} format=${rate} />
        <${Table} data=${data} columns=${[['Stable', (k) => rate(data.stable.rate[k])], ['Canary', (k) => rate(data.canary.rate[k])],
          ['Canary, 95 % between', (k) => (data.canary.low[k] == null ? '–' : `${rate(data.canary.low[k])} and ${rate(data.canary.high[k])}`)],
          ['Canary requests', (k) => count(data.canary.n[k])]]} title="Error rate" />
        <${Panel} title=${`Latency ${q}`} data=${data} lines=${latency} marks=${marks} at=${i} onAt=${setAt} format=${ms}>
          <div class="segments" role="group" aria-label="Quantile">
            ${quantiles.map((name) => html`<button type="button" aria-pressed=${name === q} onClick=${() => setQuantile(name)}>${name}</button>`)}</div>
        </${Panel}>
        <${Table} data=${data} columns=${quantiles.flatMap((k) => [[`Stable ${k}`, (j) => ms(data.stable[k][j])], [`Canary ${k}`, (j) => ms(data.canary[k][j])]])} title="Latency" />`}
    </section>`;
}

/** One chart with its name and the figures at the cursor, or now. */
function Panel({ title, data, lines, marks, at, onAt, format, children }) {
  const k = at ?? data.t.length - 1;
  const readout = html`${at == null ? 'now' : clock(data.t[k] * 1000)} <b class="k-canary">canary ${format(lines.canary[k])}</b> <span class="k-stable">stable ${format(lines.stable[k])}</span>`;
  const spoken = `${clock(data.t[k] * 1000)}: canary ${format(lines.canary[k])}, stable ${format(lines.stable[k])}, share ${percent(data.weight[k])}`;
  return html`
    <div class="chart-head"><h3>${title}</h3><p class="readout">${readout}</p>${children}</div>
    <${Chart} label=${title} t=${data.t} lines=${lines} marks=${marks} at=${at} onAt=${onAt} format=${format} spoken=${spoken} />`;
}

function errorLines(data, gate) {
  const [hold, rollback] = limitLines(gate, data.stable.rate);
  const narrow = gate ? (gate.scale === 'ratio' ? 0.02 : gate.rollback_limit ?? gate.hold_limit * 2) : 0.02;
  const sure = data.canary.low.map((v, i) => v != null && data.canary.high[i] - v < Math.abs(narrow));
  return { stable: data.stable.rate, canary: data.canary.rate, low: data.canary.low, high: data.canary.high, sure, narrow: Math.abs(narrow), hold, rollback, ceiling: 1, least: 0.002 };
}

// A quantile has no interval here: its line is as thick as the error rate's evidence, which is of the same requests.
function latencyLines(data, q, gate, errors) {
  const [hold, rollback] = limitLines(gate, data.stable[q]);
  return { stable: data.stable[q], canary: data.canary[q], low: null, high: null, sure: errors.sure, hold, rollback, ceiling: Infinity, least: 1 };
}

/** The same numbers as a table, thinned to what one reads. */
function Table({ data, columns, title }) {
  const [open, set] = useState(false);
  const step = Math.ceil(data.t.length / 40);
  const rows = [];
  for (let i = data.t.length - 1; i >= 0 && open; i -= step) rows.push(i);
  return html`
    <details class="as-table" onToggle=${(e) => set(e.currentTarget.open)}>
      <summary>Show as a table</summary>
      ${open && html`<div class="scroll" tabindex="0" role="region" aria-label=${`${title} as a table`}><table class="small">
        <thead><tr><th scope="col">Time</th><th scope="col" class="r">Share</th>${columns.map(([name]) => html`<th scope="col" class="r">${name}</th>`)}</tr></thead>
        <tbody>${rows.map((i) => html`<tr><th scope="row">${clock(data.t[i] * 1000)}</th><td class="r">${percent(data.weight[i])}</td>${columns.map(([, f]) => html`<td class="r">${f(i)}</td>`)}</tr>`)}</tbody>
      </table></div>`}
    </details>`;
}
