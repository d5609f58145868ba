// What a rollout may have beside its gates, a line each: an alert nobody has taken yet, what the pools carry, business signals.
import { html } from './dom.js';
import { Icon } from './icons.js';
import { now } from './store.js';
import { reasonWord, upper } from './words.js';
import { count, percent, when } from './fmt.js';

const figure = (x) => (x == null ? '–' : String(+x.toPrecision(4)));
const of = (a) => `${figure(a.mean)} (${count(a.count)})`;

export function Beside({ r }) {
  const { alert: a, capacity: c } = r;
  return html`
    ${a && html`<${Line} icon="alert">${upper(reasonWord(a.event))} told at ${when(a.since, now())}: ${a.acknowledged_by ? `${a.acknowledged_by} looks` : html`nobody looks yet, <code>serin ack ${r.name}</code>`}<//>`}
    ${c && html`<${Line} icon="people">${figure(c.rate)} requests a second; the canary’s pool carries ${figure(c.canary)}${c.most_weight != null && `, at most ${percent(c.most_weight)}`}, stable’s ${figure(c.stable)}<//>`}
    ${(r.signals ?? []).map((s) => html`<${Line} icon="dot">${s.name}: mean (count) canary ${of(s.canary)}, stable ${of(s.stable)}<//>`)}`;
}

const Line = ({ icon, children }) => html`<p class="next beside"><${Icon} name=${icon} /><span>${children}</span></p>`;
