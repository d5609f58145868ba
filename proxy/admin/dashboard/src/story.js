// After a rollback: what happened, moment by moment, and what it cost beside what it would have cost.
import { html } from './dom.js';
import { actionOf, findingOf, metricName } from './words.js';
import { about, clock, count, together } from './fmt.js';

export function Story({ r, decisions }) {
  const moments = momentsOf(r, decisions);
  const { users, users_failed: hurt } = r.exposure;
  // Had everybody been on it for as long: the users hurt, by the share of users that was there.
  const bad = r.stages.find((s) => s.state === 'failed');
  const all = bad?.weight > 0 ? hurt / bad.weight : 0;
  return html`
    <section class="section story" aria-labelledby="story">
      <h2 id="story">What happened</h2>
      <div class="story-cols">
        <ol class="moments">${moments.map((m) => html`
          <li class=${m.tone ? `tone-${m.tone}` : ''}><time>${clock(m.at)}</time><i /><div><b>${m.title}</b><p>${m.text}</p></div></li>`)}</ol>
        <div class="toll">
          <p><b>${count(hurt)}</b> users saw an error, of ${count(users)} who met ${r.revision}</p>
          ${all > hurt * 1.5 && html`<p class="would"><b>≈ ${about(all)}</b> would have, with everyone on ${r.revision}</p>`}
        </div>
      </div>
    </section>`;
}

/** The attempt's last few decisions, oldest first. */
function momentsOf(r, decisions) {
  const own = decisions.filter((d) => d.id.startsWith(`${r.name}-${r.attempt}-`));
  return own.slice(0, 6).reverse().map((d) => {
    const a = actionOf(d);
    const gate = (d.evidence.gates ?? []).find((g) => g.verdict === 'fail') ?? (d.evidence.gates ?? []).find((g) => g.confirmed);
    const title = d.action === 'rollback' ? `Back to ${a.text.split('→')[1]?.trim() ?? 'stable'}`
      : d.action === 'hold' && gate ? `Suspicion: ${metricName(gate.metric).toLowerCase()} ${findingOf(gate).word.toLowerCase()}` : a.text[0].toUpperCase() + a.text.slice(1);
    return { at: d.at, title, text: together(d.sentence), tone: d.action === 'rollback' ? 'fail' : '' };
  });
}
