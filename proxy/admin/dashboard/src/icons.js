// Icons are drawn in strokes of the text's colour. A state is never told by colour alone: each icon has a shape of its own,
// and a word stands beside it.
import { html } from './dom.js';

const shapes = {
  check: html`<path d="M3 8.5l3.3 3.3L13 5" />`,
  ring: html`<path d="M8 2.5a5.5 5.5 0 1 1-5.3 4" /><path class="faint" d="M2.7 6.5A5.5 5.5 0 0 1 8 2.5" />`,
  dashed: html`<circle cx="8" cy="8" r="5.5" stroke-dasharray="2.6 1.9" />`,
  pause: html`<path d="M5.5 3.5v9M10.5 3.5v9" stroke-width="2.4" />`,
  person: html`<circle cx="8" cy="5" r="2.5" /><path d="M3.5 13.5c0-3 2-4.5 4.5-4.5s4.5 1.5 4.5 4.5z" />`,
  undo: html`<path d="M6 3L3 6l3 3" /><path d="M3 6h6.5a3.5 3.5 0 0 1 0 7H7" />`,
  lost: html`<path d="M1 8h4M11 8h4M6 5l4 6M10 5l-4 6" />`,
  clock: html`<circle cx="8" cy="8" r="5.5" /><path d="M8 4.8V8l2 1.5" />`,
  alert: html`<path d="M8 2.5l6 11H2z" /><path d="M8 6.5v3.2M8 11.6v.2" />`,
  up: html`<path d="M8 13V3.5M4.5 7L8 3.5 11.5 7" />`,
  down: html`<path d="M8 3v9.5M4.5 9L8 12.5 11.5 9" />`,
  play: html`<path d="M5 3.5l7 4.5-7 4.5z" />`,
  arrow: html`<path d="M2.5 8h10M9 4.5L12.5 8 9 11.5" />`,
  copy: html`<rect x="5.5" y="5.5" width="8" height="8" rx="1.5" /><path d="M10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2" />`,
  sun: html`<circle cx="8" cy="8" r="2.6" /><path d="M8 1.5v2M8 12.5v2M1.5 8h2M12.5 8h2M3.4 3.4l1.4 1.4M11.2 11.2l1.4 1.4M3.4 12.6l1.4-1.4M11.2 4.8l1.4-1.4" />`,
  lock: html`<rect x="3.5" y="7" width="9" height="6.5" rx="1.5" /><path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2" />`,
  people: html`<circle cx="6" cy="5.5" r="2.2" /><path d="M2 13c0-2.8 1.6-4.2 4-4.2S10 10.2 10 13M10.5 3.6a2.2 2.2 0 0 1 0 3.9M11.5 9.2c1.6.5 2.5 1.8 2.5 3.8" />`,
  mirror: html`<path d="M8 2v12" stroke-dasharray="2 1.6" /><path d="M6 4.5L2 11.5h4zM10 4.5l4 7h-4z" />`,
  eye: html`<path d="M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8z" /><circle cx="8" cy="8" r="1.8" />`,
  snow: html`<path d="M8 2v12M2.8 5l10.4 6M13.2 5L2.8 11" />`,
  dot: html`<circle cx="8" cy="8" r="2" />`,
};

/** One icon, 16 px, hidden from screen readers: the word beside it speaks. */
export const Icon = ({ name }) => html`
  <svg class="icon icon-${name}" viewBox="0 0 16 16" aria-hidden="true" focusable="false">${shapes[name] ?? shapes.dot}</svg>`;

/** The serin: a small yellow finch. It stands where the rollout stands. */
export const Bird = ({ size = 32 }) => html`
  <svg class="bird" width=${size} height=${size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <path class="leg" d="M13 31v-8M17 31v-8" />
    <path class="body" d="M3 23c5-3 7-7 8-11C12.5 6.5 16 4 20 4c3.6 0 6.2 2.2 6.8 5.3L31 11.5 26.8 13C27 19.5 22.5 24.5 15 24.5c-3.5 0-6-.5-8-1L5.5 25z" />
    <path class="wing" d="M10.5 21c1-4 3.5-7 7-7.5 2.6-.3 4 .8 3.7 2.3-.6 3-5 5.4-10.7 5.2z" />
    <circle class="eye" cx="22" cy="9.5" r="1.5" />
  </svg>`;
