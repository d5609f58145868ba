// The dialog of every act: what it does, why it is done, the command that does the same.
import { useEffect, useRef, useState } from 'preact/hooks';
import { html } from './dom.js';
import { post, rolloutPath } from './api.js';
import { read } from './store.js';
import { stageName } from './words.js';
import { buttonText, canGoFull, command, consequence, needsReason } from './verbs.js';

const nameKey = 'serin.name';
const titles = {
  retry: (r) => `Try ${r.revision} again?`,
  'step-back': (r) => `Step ${r.name} back?`,
  rollback: (r) => `Roll back ${r.name}?`,
};
const titleOf = (verb, r) => titles[verb]?.(r) ?? `${verb[0].toUpperCase()}${verb.slice(1)} ${r.name}?`;

/** Asks before it acts; what is between its tags comes before the consequence. done gets the sentence of the decision. */
export function Ask({ title, text, must, same, word, stop, blocked, send, done, children }) {
  const dialog = useRef(null);
  const [reason, setReason] = useState('');
  const [name, setName] = useState(localStorage.getItem(nameKey) ?? '');
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => { dialog.current.showModal(); }, []);

  async function act(event) {
    event.preventDefault();
    if (must && !reason.trim()) {
      setError({ message: 'A reason is needed: it is kept in the log.', hint: '' });
      dialog.current.querySelector('input[name=reason]').focus();
      return;
    }
    setBusy(true);
    setError(null);
    if (name) localStorage.setItem(nameKey, name);
    try {
      const body = {};
      if (reason.trim()) body.reason = reason.trim();
      if (name.trim()) body.actor = name.trim();
      done((await send(body)).sentence);
    } catch (err) {
      setError(err);
      setBusy(false);
    }
  }

  return html`
    <dialog ref=${dialog} class="confirm" aria-labelledby="confirm-title" onClose=${() => done('')}>
      <form method="dialog" onSubmit=${act}>
        <h2 id="confirm-title">${title}</h2>
        ${children}
        <p>${text}</p>
        <label class="field"><b>Reason, kept in the log${must ? '' : ' (optional)'}</b>
          <input name="reason" autocomplete="off" maxlength="300" autofocus required=${must} aria-required=${must} value=${reason} onInput=${(e) => setReason(e.target.value)} /></label>
        <label class="field">Your name (optional)
          <input name="actor" autocomplete="username" maxlength="60" value=${name} onInput=${(e) => setName(e.target.value)} /></label>
        ${error && html`<p class="error" role="alert"><b>${error.message}</b> ${error.hint}</p>`}
        <p class="same">Same as <code>${same}</code></p>
        <div class="foot-row">
          <button type="button" class="button" onClick=${() => dialog.current.close()}>Keep as it is</button>
          <button type="submit" class=${`button ${stop ? 'stop' : 'main'}`} disabled=${busy || blocked}>${word}</button>
        </div>
      </form>
    </dialog>`;
}

export function Confirm({ verb, r, done }) {
  const [full, setFull] = useState(false);
  const [seen, setSeen] = useState(r.version); // the version the person looked at
  const must = needsReason(verb, full);
  const stop = verb === 'rollback';
  const moved = !stop && r.version !== seen;
  // A rollback answers to what is now, not to what was when the dialog opened: a brake must not be refused because a
  // decision fell in between.
  const send = (body) => post(`${rolloutPath(r.name)}/${verb}`, {
    ...body, if_version: stop ? read().rollouts.get(r.name)?.version ?? r.version : seen, ...(full && { full }),
  });
  return html`
    <${Ask} title=${titleOf(verb, r)} text=${consequence(verb, r, { full })} same=${command(verb, r, { full, reason: must })}
      word=${full ? 'Promote to the end' : buttonText(verb, r)} ...${{ must, stop, send, done }} blocked=${moved}>
      ${verb === 'promote' && canGoFull(r) && html`
        <fieldset>
          <legend>How far</legend>
          <label><input type="radio" name="far" checked=${!full} onChange=${() => setFull(false)} /> One stage, to ${stageName(r.stages[r.stage.index])}</label>
          <label><input type="radio" name="far" checked=${full} onChange=${() => setFull(true)} /> To the end, ${stageName(r.stages[r.stages.length - 1])} at once</label>
        </fieldset>`}
      ${moved && html`
        <p class="moved" role="alert">Something was decided meanwhile: ${r.last_decision?.sentence}${' '}
          <button type="button" class="link" onClick=${() => setSeen(r.version)}>I have seen it</button></p>`}
    <//>`;
}
