// Colours: as the system says, or light, or dark. The choice stays in this browser.
import { useState } from 'preact/hooks';

const key = 'serin.colours';
const choices = ['auto', 'light', 'dark'];

export function colours() {
  const kept = localStorage.getItem(key);
  return choices.includes(kept) ? kept : 'auto';
}

const dark = matchMedia('(prefers-color-scheme: dark)');

/** Sets the scheme that the style sheet looks at; what is drawn on canvases is told. */
export function applyColours() {
  const choice = colours();
  document.documentElement.dataset.scheme = choice === 'auto' ? (dark.matches ? 'dark' : 'light') : choice;
  dispatchEvent(new Event('colours'));
}

dark.addEventListener('change', applyColours);

/** The choice, and a function that takes the next one. */
export function useColours() {
  const [now, set] = useState(colours());
  const next = () => {
    const choice = choices[(choices.indexOf(now) + 1) % choices.length];
    localStorage.setItem(key, choice);
    applyColours();
    set(choice);
  };
  return [now, next];
}
