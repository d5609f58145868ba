// Icons are drawn in strokes of the text's colour. A state is never told by colour alone: each icon has a shape of its own,
// and a word stands beside it.
import { html } from './dom.js';

const shapes = {
  check: html`<path d="M3 8.500l3.300 3.300L13 5" />`,
  ring: html`<path d="M8 2.500a5.500 5.500 0 1 1-5.300 4" /><path class="faint" d="M2.700 6.500A5.500 5.500 0 0 1 8 2.500" />`,
  dashed: html`<circle cx="8" cy="8" r="5.500" stroke-dasharray="2.600 1.900" />`,
  pause: html`<path d="M5.500 3.500v9M10.500 3.500v9" stroke-width="2.400" />`,
  person: html`<circle cx="8" cy="5" r="2.500" /><path d="M3.500 13.500c0-3 2-4.500 4.500-4.500s4.500 1.500 4.500 4.500z" />`,
  undo: html`<path d="M6 3L3 6l3 3" /><path d="M3 6h6.500a3.500 3.500 0 0 1 0 7H7" />`,
  lost: html`<path d="M1 8h4M11 8h4M6 5l4 6M10 5l-4 6" />`,
  clock: html`<circle cx="8" cy="8" r="5.500" /><path d="M8 4.800V8l2 1.500" />`,
  alert: html`<path d="M8 2.500l6 11H2z" /><path d="M8 6.500v3.200M8 11.600v.2" />`,
  up: html`<path d="M8 13V3.500M4.500 7L8 3.500 11.500 7" />`,
  down: html`<path d="M8 3v9.500M4.500 9L8 12.500 11.500 9" />`,
  play: html`<path d="M5 3.500l7 4.500-7 4.500z" />`,
  arrow: html`<path d="M2.500 8h10M9 4.500L12.500 8 9 11.500" />`,
  copy: html`<rect x="5.500" y="5.500" width="8" height="8" rx="1.500" /><path d="M10.500 5.500v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2" />`,
  sun: html`<circle cx="8" cy="8" r="2.600" /><path d="M8 1.500v2M8 12.500v2M1.500 8h2M12.500 8h2M3.400 3.400l1.400 1.400M11.200 11.200l1.400 1.400M3.400 12.600l1.400-1.400M11.200 4.800l1.400-1.400" />`,
  lock: html`<rect x="3.500" y="7" width="9" height="6.500" rx="1.500" /><path d="M5.500 7V5a2.500 2.500 0 0 1 5 0v2" />`,
  people: html`<circle cx="6" cy="5.500" r="2.200" /><path d="M2 13c0-2.800 1.600-4.200 4-4.200S10 10.200 10 13M10.500 3.600a2.200 2.200 0 0 1 0 3.900M11.500 9.200c1.600.5 2.500 1.800 2.500 3.800" />`,
  mirror: html`<path d="M8 2v12" stroke-dasharray="2 1.600" /><path d="M6 4.500L2 11.500h4zM10 4.500l4 7h-4z" />`,
  eye: html`<path d="M1.500 8S4 3.800 8 3.800 14.500 8 14.500 8 12 12.200 8 12.200 1.500 8 1.500 8z" /><circle cx="8" cy="8" r="1.800" />`,
  snow: html`<path d="M8 2v12M2.800 5l10.400 6M13.200 5L2.800 11" />`,
  dot: html`<circle cx="8" cy="8" r="2" />`,
};

/** One icon, 16 px, hidden from screen readers: the word beside it speaks. */
export const Icon = ({ name }) => html`
  <svg class="icon icon-${name}" viewBox="0 0 16 16" aria-hidden="true" focusable="false">${shapes[name] ?? shapes.dot}</svg>`;

/** The serin: a small yellow finch. It stands where the rollout stands. */
export const Bird = ({ size = 32 }) => html`
  <svg class="bird" width=${size} height=${size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <path class="leg" d="M13 31v-8M17 31v-8" />
    <path class="body" d="M3 23c5-3 7-7 8-11C12.500 6.500 16 4 20 4c3.600 0 6.200 2.200 6.800 5.300L31 11.500 26.800 13C27 19.500 22.500 24.500 15 24.500c-3.500 0-6-.5-8-1L5.500 25z" />
    <path class="wing" d="M10.500 21c1-4 3.500-7 7-7.500 2.600-.3 4 .8 3.700 2.300-.6 3-5 5.400-10.700 5.200z" />
    <circle class="eye" cx="22" cy="9.500" r="1.500" />
  </svg>`;
