// Why: the gates with both arms' numbers, the interval beside the limits, the odds, the finding. The picture is the rule: a
// gate passes when the dot is left of the dotted hold limit and the whole bar is clear of the shade.
import { html } from './dom.js';
import { Icon } from './icons.js';
import { findingOf, isLatency, metricName } from './words.js';
import { count, ms, odds, percent, rate, roughly } from './fmt.js';
import { Interval } from './interval.js';

export function Gates({ r }) {
  const ended = r.phase === 'completed' || r.phase === 'rolled_back';
  return html`
    <section class="section" aria-labelledby="why">
      <div class="section-head"><h2 id="why">Why</h2>
        <p>${ended ? 'The gates as they stood last.' : 'A gate passes when the dot is left of the dotted hold limit and the whole bar is clear of the shade. Unsure is never a pass.'}</p></div>
      ${r.gates.length === 0 ? html`<p class="quiet">No gate speaks in this stage${r.baseline === 'absolute' ? ': nothing to compare with, and no absolute limit is set' : ''}.</p>` : html`
        <table class="gates">
          <thead><tr><th scope="col">Gate</th><th scope="col" class="r">Stable</th><th scope="col" class="r">Canary</th>
            <th scope="col">Difference, 95${'\u202f'}% sure</th><th scope="col">Odds collected</th><th scope="col">Verdict</th></tr></thead>
          <tbody>${r.gates.map((g) => html`<${Row} key=${g.metric + g.rule} g=${g} ended=${ended} />`)}</tbody>
        </table>`}
      <${UsersNote} r=${r} />
    </section>`;
}

function Row({ g, ended }) {
  const f = findingOf(g);
  const latency = isLatency(g.metric);
  const figure = latency ? ms : rate;
  const s = g.samples;
  const of = (bad, n) => (latency ? `${count(n)} requests` : `${count(bad)} of ${count(n)}`);
  return html`
    <tr>
      <th scope="row"><b>${metricName(g.metric)}</b>${g.dry_run && html` <span class="tag">dry run</span>`}
        ${g.rule.split(', ').map((line) => html`<small>${line}</small>`)}</th>
      <td class="r" data-label="Stable"><b>${s.stable > 0 ? figure(g.stable) : '–'}</b><small>${of(s.stable_bad, s.stable)}</small></td>
      <td class="r" data-label="Canary"><b>${s.canary > 0 ? figure(g.canary) : '–'}</b><small>${of(s.canary_bad, s.canary)}</small></td>
      <td class="diff"><${Interval} g=${g} /></td>
      <td class="odds"><${Odds} g=${g} tone=${f.tone} /></td>
      <td class="finding"><span class=${`tone-${f.tone}`}><${Icon} name=${f.icon} /><b>${f.word}</b></span>
        ${!ended && g.verdict !== 'pass' && g.expected_seconds > 0 && html`<small>about ${roughly(g.expected_seconds)} more</small>`}
        ${g.window_seconds > 0 && html`<small>of the last ${g.window_seconds} s</small>`}</td>
    </tr>`;
}

/** Two bars, logarithmic: odds 1 is empty, the odds needed are full. */
function Odds({ g, tone }) {
  const part = (x, needs) => Math.max(0, Math.min(1, Math.log(Math.max(x, 1)) / Math.log(Math.max(needs, 1.0001))));
  const line = (name, x, needs, mark) => html`
    <div class="odds-line"><span>${name}</span>
      <span class="odds-bar" aria-hidden="true"><i class=${`bg-${mark}`} style=${{ width: `${part(x, needs) * 100}%` }} /></span>
      <span>${odds(x)} of ${odds(needs)}</span></div>`;
  if (!(g.pass_needs > 1)) return html`<small>judged plainly, on the rolling window</small>`;
  const passes = g.pass_odds >= g.pass_needs;
  return html`
    ${line('to pass', g.pass_odds, g.pass_needs, passes ? 'pass' : 'calm')}
    ${g.fail_needs == null
      ? html`<div class="odds-line"><span>to roll back</span><span class="wide">never by this gate</span></div>`
      : line('to roll back', g.fail_odds, g.fail_needs, g.verdict === 'fail' ? 'fail' : 'warn')}
    ${g.fail_odds >= g.fail_needs && g.fail_needs != null && g.verdict !== 'fail' && tone === 'warn' && html`<small>certain, but under the rollback limit</small>`}`;
}

function UsersNote({ r }) {
  const u = r.users;
  const n = r.arms.canary.requests;
  if (!(n > 0) || !(u.design_effect > 1.005)) return null;
  return html`<p class="note">Users are correlated: ${count(n)} requests count as ${count(Math.round(n / u.design_effect / 100) * 100 || n / u.design_effect)}.
    ${u.masked_buckets > 0 && ` ${count(u.masked_buckets)} noisy bucket${u.masked_buckets > 1 ? 's' : ''} left out on both arms.`}
    ${u.worst_bucket_share > 0 && ` The worst bucket holds ${percent(Math.round(u.worst_bucket_share * 100) / 100)} of canary errors.`}</p>`;
}
