// The page: a bar, a list of rollouts, and one of them in full; or the experiments, or the flags.
import { useEffect } from 'preact/hooks';
import { html } from './dom.js';
import { read, stale } from './store.js';
import { useStore } from './hooks.js';
import { linkTo, useRoute } from './route.js';
import { byNeed, stateOf } from './words.js';
import { TopBar } from './topbar.js';
import { ConfigBanner, StaleBanner } from './banners.js';
import { RolloutList } from './list.js';
import { Rollout } from './rollout.js';
import { Experiments } from './experiments.js';
import { Flags } from './flags.js';
import { Empty } from './empty.js';
import { Login } from './login.js';
import { Foot } from './foot.js';

export function App() {
  useStore();
  const route = useRoute();
  const { rollouts, refused, loaded, lost } = read();
  const list = [...rollouts.values()].sort(byNeed);
  const chosen = rollouts.get(route.name) ?? (route.name ? null : list[0]);
  const old = stale();
  useTitle(route, chosen, old);

  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the answer</a>
    <${TopBar} tab=${route.tab} stale=${old} />
    <main id="main" tabindex="-1" class=${`${old ? 'is-stale ' : ''}${route.tab === 'rollouts' && list.length > 1 ? 'two' : 'one'}`}>
      ${refused ? html`<${Login} refused=${refused} />`
        : route.tab === 'experiments' ? html`<${Experiments} />`
        : route.tab === 'flags' ? html`<${Flags} />`
        : !loaded ? html`<${Wait} lost=${lost} />`
        : !list.length ? html`<div class="column"><${ConfigBanner} /><${Empty} /></div>`
        : html`
          ${list.length > 1 && html`<${RolloutList} list=${list} chosen=${chosen?.name} stale=${old} />`}
          <div class="column">
            ${old && html`<${StaleBanner} name=${chosen?.name} />`}
            <${ConfigBanner} />
            ${chosen ? html`<${Rollout} key=${chosen.name} r=${chosen} stale=${old} decision=${route.decision} />`
              : html`<${Unknown} name=${route.name} list=${list} />`}
          </div>`}
    </main>
    ${loaded && !refused && html`<${Foot} />`}`;
}

// The hash is the route, so a plain anchor would leave it.
function skip(event) {
  event.preventDefault();
  document.getElementById('main').focus();
}

function Wait({ lost }) {
  return html`<div class="narrow"><h1 class="quiet">${lost ? 'No answer from serin' : 'Connecting'}</h1>
    ${lost && html`<p class="lead">Trying again every few seconds. serin decides without this page; in a terminal: <code>serin status</code></p>`}</div>`;
}

function Unknown({ name, list }) {
  return html`<div class="narrow"><h1>There is no rollout ${name}</h1>
    <p class="lead">Perhaps it was removed from the file. There ${list.length === 1 ? 'is' : 'are'}:${' '}
      ${list.map((r, i) => html`${i > 0 && ', '}<a href=${linkTo(r.name)}>${r.name}</a>`)}.</p></div>`;
}

// The tab's title answers too: a page in the background is looked at last.
function useTitle(route, r, old) {
  const title = route.tab === 'rollouts' && r ? `${stateOf(r, old).bold} ${r.name}, serin` : `serin ${route.tab}`;
  useEffect(() => { document.title = title; }, [title]);
}
