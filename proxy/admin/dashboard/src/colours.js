// Colours: as the system says, or light, or dark. The choice stays in this browser.
import { useState } from 'preact/hooks';

const key = 'serin.colours';
const choices = ['auto', 'light', 'dark'];

export function colours() {
  const kept = localStorage.getItem(key);
  return choices.includes(kept) ? kept : 'auto';
}

export function applyColours() {
  document.documentElement.dataset.colours = colours();
}

/** The choice, and a function that takes the next one. */
export function useColours() {
  const [now, set] = useState(colours());
  const next = () => {
    const choice = choices[(choices.indexOf(now) + 1) % choices.length];
    localStorage.setItem(key, choice);
    applyColours();
    set(choice);
    dispatchEvent(new Event('colours')); // canvases do not follow CSS
  };
  return [now, next];
}
