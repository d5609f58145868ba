// The bar: where one is, and how fresh the page is.
import { html } from './dom.js';
import { Bird, Icon } from './icons.js';
import { useEvery } from './hooks.js';
import { read } from './store.js';
import { span } from './fmt.js';

const tabs = [['rollouts', 'Rollouts', '#/'], ['experiments', 'Experiments', '#/experiments'], ['flags', 'Flags', '#/flags']];

export const TopBar = ({ tab, stale }) => html`
  <header class="topbar">
    <a class="brand" href="#/" aria-label="serin, all rollouts"><${Bird} size=${24} /><span>serin</span></a>
    <nav aria-label="Sections">
      ${tabs.map(([id, text, href]) => html`<a href=${href} class="tab" aria-current=${id === tab ? 'page' : null}>${text}</a>`)}
    </nav>
    <${Freshness} stale=${stale} />
  </header>`;

/** "Live 0.6 s", "Lost 42 s". */
function Freshness({ stale }) {
  useEvery(500);
  const { lastAt, loaded, refused } = read();
  if (refused) return html`<p class="fresh"><${Icon} name="lock" /><b>Locked</b></p>`;
  if (!loaded) return html`<p class="fresh"><${Icon} name="dashed" /><b>Connecting</b></p>`;
  const age = (Date.now() - lastAt) / 1000;
  return stale
    ? html`<p class="fresh is-lost"><${Icon} name="lost" /><b>Lost</b> <span class="age">${span(age)}</span></p>`
    : html`<p class="fresh"><i class="live" /><b>Live</b> <span class="age">${age.toFixed(1)} s</span></p>`;
}
