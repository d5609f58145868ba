// Every button says what it costs, every disabled one why, beside it and never in a tooltip.
import { useEffect, useRef, useState } from 'preact/hooks';
import { html } from './dom.js';
import { Icon } from './icons.js';
import { token } from './api.js';
import { useEvery } from './hooks.js';
import { read } from './store.js';
import { percent, together } from './fmt.js';
import { buttonText, command, consequence, isMain, obstacle, verbsOf } from './verbs.js';
import { Confirm } from './confirm.js';

export function Actions({ r, stale }) {
  const [asked, ask] = useState(null);
  const [said, say] = useState('');
  const told = useRef(null);
  useEffect(() => {
    if (!said) return undefined;
    told.current.focus(); // the button that was pressed may be gone; the next ones come after this
    const timer = setTimeout(() => say(''), 12000);
    return () => clearTimeout(timer);
  }, [said]);
  const verbs = verbsOf(r);
  const readOnly = !stale && r.you && r.allowed.length === 0;
  const can = (verb) => !obstacle(verb, r, { stale, token: token() });
  return html`
    <section class="acts" aria-label="Actions">
      ${readOnly && html`<p class="read-only"><${Icon} name="lock" />Read only: the token ${r.you} may look, not act now.</p>`}
      <p class="said" role="status" tabindex="-1" ref=${told}>${said && html`<${Icon} name="check" />${together(said)}`}</p>
      <ul>${verbs.map((verb) => {
        const why = obstacle(verb, r, { stale, token: token() });
        const id = `cost-${verb}`;
        return html`
          <li>
            <button type="button" class=${`button${isMain(verb, r) ? ' main' : ''}${verb === 'rollback' ? ' danger' : ''}`}
              disabled=${Boolean(why)} aria-describedby=${id} onClick=${() => ask(verb)}>${buttonText(verb, r)}</button>
            <small id=${id}>${why || consequence(verb, r)}</small>
          </li>`;
      })}</ul>
      ${stale && html`<p class="terminal">Still possible in a terminal: <code>${command('rollback', r)}</code></p>`}
      ${asked && html`<${Confirm} verb=${asked} r=${r} done=${(sentence) => { ask(null); if (sentence) say(sentence); }} />`}
      ${can('rollback') && html`<${Brake} r=${r} onClick=${() => ask('rollback')} />`}
    </section>`;
}

/** On phones Roll back stays under the thumb. */
function Brake({ r, onClick }) {
  useEvery(500);
  const age = (Date.now() - read().lastAt) / 1000;
  return html`
    <div class="brake">
      <span><i class="live" />${percent(r.weight)}, ${age.toFixed(1)} s ago</span>
      <button type="button" class="button danger" onClick=${onClick}>Roll back</button>
    </div>`;
}
