// Who answers: node, version, file, journal, zone; and the colours.
import { html } from './dom.js';
import { Icon } from './icons.js';
import { keepToken, token } from './api.js';
import { read, reconnect } from './store.js';
import { clock, zoneName } from './fmt.js';
import { useColours } from './colours.js';

export function Foot() {
  const d = read().daemon;
  const [colours, next] = useColours();
  const leave = () => { keepToken(''); reconnect(); };
  return html`
    <footer class="foot">
      ${d && html`
        ${d.node && html`<span>node ${d.node}</span>`}
        <span>serin ${d.serin}</span>
        <span>${d.config.file ? `${d.config.file.split('/').pop()}` : 'no file'}${d.config.loaded_at && !d.config.loaded_at.startsWith('0001') ? `, loaded ${clock(d.config.loaded_at)}` : ''}</span>
        <span>journal ${d.journal.ok ? 'writable' : 'not writable'}</span>
        <span>times in ${zoneName()}</span>`}
      <span class="foot-end">
        ${token() && html`<button type="button" class="link" onClick=${leave}><${Icon} name="lock" />Forget the token</button>`}
        <button type="button" class="link" onClick=${next}><${Icon} name="sun" />Colours: ${colours}</button>
      </span>
    </footer>`;
}
