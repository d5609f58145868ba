// The API asks for a token. It is kept for this tab only and sent as Authorization: Bearer.
import { useState } from 'preact/hooks';
import { html } from './dom.js';
import { keepToken, token } from './api.js';
import { upper } from './words.js';
import { reconnect } from './store.js';
import { Bird } from './icons.js';

export function Login({ refused }) {
  const [text, set] = useState('');
  const had = token() !== '';
  const submit = (event) => {
    event.preventDefault();
    keepToken(text.trim());
    reconnect();
  };
  return html`
    <div class="narrow login">
      <${Bird} size=${64} />
      <h1>${had ? 'This token is not accepted' : 'A token is needed'}</h1>
      <p class="lead">${had ? `${upper(refused.message)}. ${upper(refused.hint)}.` : 'This serin answers nobody without one. Its file names them: [token.NAME].'}</p>
      <form onSubmit=${submit}>
        <label class="field"><b>Token</b>
          <input type="password" autocomplete="current-password" required autofocus value=${text} onInput=${(e) => set(e.target.value)} /></label>
        <p class="note">Kept in this tab until it is closed. A token that may only read shows everything and moves nothing.</p>
        <button class="button main" type="submit">Open</button>
      </form>
    </div>`;
}
