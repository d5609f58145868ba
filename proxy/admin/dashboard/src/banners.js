// Banners: what makes everything below doubtful.
import { html } from './dom.js';
import { Icon } from './icons.js';
import { useEvery } from './hooks.js';
import { read, now, stale } from './store.js';
import { clock, span, when } from './fmt.js';
import { Everything } from './everything.js';

/** The page has no connection; serin itself goes on. */
export function StaleBanner({ name }) {
  useEvery(1000);
  const { lastAt, lost } = read();
  const age = (Date.now() - lastAt) / 1000;
  return html`
    <div class="banner" role="alert">
      <${Icon} name="lost" />
      <p><b>This page lost its connection <span aria-hidden="true">${span(age)} ago</span>.</b> Everything below is from ${clock(now() - age * 1000)}.
        serin itself keeps deciding, and still rolls back without this page. Trying again every ${span((lost?.retry ?? 5000) / 1000)}.
        In a terminal: <code>serin status${name ? ' ' + name : ''}</code></p>
    </div>`;
}

/** Everything is paused, the journal cannot be written, or the newest file was refused. */
export function ConfigBanner() {
  const d = read().daemon;
  if (!d) return null;
  return html`
    ${d.freeze && html`
      <div class="banner calm"><${Icon} name="snow" />
        <div><p><b>Everything is paused</b> since ${when(d.freeze.since, now())} by ${d.freeze.actor}${d.freeze.reason && `: ${d.freeze.reason}`}. Nothing widens; a rollback still fires.</p>
          <${Everything} verbs=${['resume']} stale=${stale()} /></div></div>`}
    ${!d.journal.ok && html`
      <div class="banner"><${Icon} name="alert" />
        <p><b>The journal cannot be written, so nothing widens.</b> A rollback still works. ${d.journal.error && html`<code>${d.journal.error}</code>`}</p></div>`}
    ${!d.config.ok && html`
      <div class="banner"><${Icon} name="alert" />
        <div><p><b>The newest ${d.config.file || 'configuration'} was refused; the one before stays in force.</b></p>
          <ul>${(d.config.problems ?? []).slice(0, 8).map((p) => html`<li><code>${p.line ? `${p.file}:${p.line}: ` : ''}${p.key}</code> ${p.problem}${p.hint ? ` (${p.hint})` : ''}</li>`)}</ul></div></div>`}`;
}
