// The decision log: newest first and open, with its evidence, a filter, a link to each entry and its JSON.
import { useEffect, useRef, useState } from 'preact/hooks';
import { html } from './dom.js';
import { Icon } from './icons.js';
import { linkTo } from './route.js';
import { now } from './store.js';
import { actionOf, actorKind, findingOf, isLatency, metricName, reasonWord } from './words.js';
import { clock, count, day, ms, odds, percent, points, rate, together } from './fmt.js';

const filters = [['all', 'All'], ['gate', 'Gate'], ['people', 'People'], ['serin', 'serin']];

export function Log({ r, past, chosen }) {
  const [filter, setFilter] = useState('all');
  const list = past.list.filter((d) => filter === 'all' || actorKind(d.actor) === filter || d.id === chosen);
  return html`
    <section class="section" aria-labelledby="log">
      <div class="section-head spread"><h2 id="log">Decisions</h2>
        <div class="segments" role="group" aria-label="Show the decisions of">
          ${filters.map(([id, text]) => html`<button type="button" aria-pressed=${id === filter} onClick=${() => setFilter(id)}>${text}</button>`)}</div></div>
      ${past.error && html`<p class="quiet">${past.error.message}. ${past.error.hint}</p>`}
      ${list.length === 0 && !past.error && html`<p class="quiet">${filter === 'all' ? 'Nothing was decided yet.' : 'None of these.'}</p>`}
      <ol class="log">${list.map((d, i) => html`<${Entry} key=${d.id} r=${r} d=${d} open=${i === 0 || d.id === chosen} target=${d.id === chosen} />`)}</ol>
      ${past.more && html`<button type="button" class="button" onClick=${past.more}>Show older decisions</button>`}
    </section>`;
}

function Entry({ r, d, open, target }) {
  const item = useRef(null);
  useEffect(() => { if (target) item.current.scrollIntoView({ block: 'center' }); }, [target]);
  const a = actionOf(d);
  return html`
    <li ref=${item} class=${target ? 'target' : ''}>
      <details open=${open}>
        <summary>
          <time datetime=${d.at}>${day(d.at) === day(now()) ? '' : html`<small>${day(d.at)}</small> `}${clock(d.at)}</time>
          <span class=${`act ${a.tone ? `tone-${a.tone}` : ''}`}><${Icon} name=${a.icon} /><b>${a.text}</b></span>
          <span class="told">${together(d.sentence)}${d.evidence.override && html` <span class="tag">override</span>`}</span>
          <span class="actor">${d.actor || 'serin'}</span>
        </summary>
        <${Evidence} r=${r} d=${d} />
      </details>
    </li>`;
}

function Evidence({ r, d }) {
  const e = d.evidence;
  return html`
    <div class="evidence">
      ${e.note && html`<p class="why-note">“${e.note}”</p>`}
      ${(e.gates ?? []).length > 0 && html`
        <div class="scroll" tabindex="0" role="region" aria-label=${`Evidence of ${d.id}`}><table class="small">
          <thead><tr><th scope="col">Gate</th><th scope="col" class="r">Canary</th><th scope="col" class="r">Stable</th><th scope="col" class="r">Harm between</th><th scope="col" class="r">Pass odds</th><th scope="col" class="r">Rollback odds</th><th scope="col">Finding</th></tr></thead>
          <tbody>${e.gates.map((g) => html`<${GateRow} g=${g} />`)}</tbody>
        </table></div>`}
      <dl class="facts-line">
        ${d.reason && html`<div><dt>reason</dt><dd>${reasonWord(d.reason)}</dd></div>`}
        ${e.stage > 0 && html`<div><dt>stage</dt><dd>${e.stage} of ${r.stages.length}</dd></div>`}
        ${e.baseline && html`<div><dt>baseline</dt><dd>${e.baseline.replace('_', ' ')}</dd></div>`}
        <div><dt>share</dt><dd>${percent(d.from)}${d.from !== d.to && ` → ${percent(d.to)}`}</dd></div>
      </dl>
      <p class="links"><a href=${linkTo(r.name, d.id)}>${d.id}</a>
        <${Copy} text=${() => location.origin + location.pathname + linkTo(r.name, d.id)} name="Copy link" />
        <${Copy} text=${() => JSON.stringify(d, null, 2)} name="Copy JSON" /></p>
    </div>`;
}

function GateRow({ g }) {
  const latency = isLatency(g.metric);
  const s = g.samples;
  const of = (v, bad, n) => (!(n > 0) ? '–' : latency ? `${ms(v)}, ${count(n)}` : `${rate(v)}, ${count(bad)} of ${count(n)}`);
  const figure = (v) => (g.scale === 'ratio' ? `× ${v.toFixed(2)}` : `${points(v)}`);
  return html`<tr><th scope="row">${metricName(g.metric)}</th><td class="r">${of(g.canary, s.canary_bad, s.canary)}</td><td class="r">${of(g.stable, s.stable_bad, s.stable)}</td>
    <td class="r">${s.canary > 0 ? `${figure(g.difference_low)} and ${figure(g.difference_high)}${g.scale === 'ratio' ? '' : ' pt'}` : '–'}</td>
    <td class="r">${odds(g.pass_odds)} of ${odds(g.pass_needs)}</td><td class="r">${g.fail_needs == null ? 'never' : `${odds(g.fail_odds)} of ${odds(g.fail_needs)}`}</td><td>${findingOf(g).word}</td></tr>`;
}

/** Copies, and says so in its own place. */
export function Copy({ text, name, bare }) {
  const [done, set] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
    } catch { // without https or permission there is no clipboard: the old way needs a selection
      const area = document.createElement('textarea');
      area.value = text();
      document.body.append(area);
      area.select();
      document.execCommand('copy');
      area.remove();
    }
    set(true);
    setTimeout(() => set(false), 2000);
  };
  return html`<button type="button" class="link copy" onClick=${copy} aria-label=${bare ? name : null}>
    <${Icon} name=${done ? 'check' : 'copy'} />${bare ? '' : done ? 'Copied' : name}</button>`;
}
