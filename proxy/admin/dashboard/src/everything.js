// Acts on all rollouts at once, and the one that ends a pause of everything.
import { useState } from 'preact/hooks';
import { html } from './dom.js';
import { post } from './api.js';
import { Ask } from './confirm.js';

const acts = {
  pause: ['Pause', 'Nothing widens any more, new rollouts included, until somebody resumes. A rollback can still fire.'],
  resume: ['Resume', 'Rollouts go on where they stood. What was paused or held by itself stays so.'],
  rollback: ['Roll back', 'All users of every rollout return to stable within a second; experiments stop.'],
};

export function Everything({ verbs, stale }) {
  const [asked, ask] = useState('');
  const stop = asked === 'rollback';
  const word = (verb) => `${acts[verb][0]} everything`;
  return html`
    <p class="row-of">${verbs.map((verb) => html`
      <button type="button" class=${`button${verb === 'rollback' ? ' danger' : ''}`} disabled=${stale} onClick=${() => ask(verb)}>${word(verb)}</button>`)}</p>
    ${asked && html`<${Ask} title=${`${word(asked)}?`} text=${acts[asked][1]} must=${stop} stop=${stop} word=${word(asked)} same=${`serin ${asked} --all`}
      send=${(body) => post(`/v1/${asked}`, body)} done=${() => ask('')} />`}`;
}
