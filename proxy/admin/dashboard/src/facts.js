// Five figures: what was asked, what is, and what it has cost so far. Users are estimated from buckets.
import { html } from './dom.js';
import { stageName } from './words.js';
import { about, count, percent } from './fmt.js';

export function Facts({ r }) {
  const off = r.phase === 'rolled_back';
  const at = r.stages[r.stage.index - 1];
  const ring = !off && r.weight === 0 && at && (at.audience || at.mirror > 0) ? at : null;
  // A rollback begins the counters anew; the gates keep what they judged.
  const judged = off ? Math.max(0, ...r.gates.map((g) => g.samples.canary)) : r.arms.canary.requests;
  // Few requests miss the share by chance: three standard deviations of it are no news.
  const chance = 3 * Math.sqrt((r.weight * (1 - r.weight)) / Math.max(1, r.arms.stable.requests + r.arms.canary.requests));
  const drift = r.observed_weight == null ? 'no request yet'
    : ring ? 'of all requests'
    : Math.abs(r.observed_weight - r.weight) <= Math.max(0.1 * r.weight, 0.002, chance) ? 'as asked' : `asked ${percent(r.weight)}`;
  return html`
    <dl class="facts">
      ${ring
        ? html`<${Fact} name="Asked" value=${stageName(ring)} note="its members, no share" />`
        : html`<${Fact} name="Share asked" value=${percent(r.weight)} note=${`${count(r.weight * 10000)} buckets`} />`}
      <${Fact} name="Share observed" value=${percent(r.observed_weight)} note=${drift} />
      ${off
        ? html`<${Fact} name="Users on canary" value="0" note=${`${count(r.exposure.users)} met it`} />`
        : html`<${Fact} name="Users on canary" value=${count(r.exposure.users)} note=${r.users.active > 0 ? `of about ${about(r.users.active)}` : 'nobody yet'} />`}
      <${Fact} name="Requests judged" value=${count(judged)} note=${off ? 'in the last stage' : 'this stage'} />
      <${Fact} name="Failed on canary" value=${count(r.exposure.failed)} note=${`${count(r.exposure.users_failed)} users saw one`} />
      ${r.key_missing_ratio >= 0.005 && html`<${Fact} name="Without a key" value=${percent(r.key_missing_ratio)} note="on stable, no evidence" />`}
    </dl>`;
}

const Fact = ({ name, value, note }) => html`<div><dt>${name}</dt><dd><b>${value}</b><small>${note}</small></dd></div>`;
