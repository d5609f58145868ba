// One gate's interval against its limits. Percentages of the width are the only coordinates, so it needs no measuring.
import { html } from './dom.js';
import { percent, points } from './fmt.js';

/** Where the picture's numbers are: pure, so that it can be tested. */
export function layout(g) {
  const ratio = g.scale === 'ratio';
  const base = ratio ? 1 : 0;
  const limits = [g.hold_limit, g.rollback_limit].filter((v) => v != null && Number.isFinite(v));
  let lo = Math.min(base, ...limits);
  let hi = Math.max(base, ...limits);
  if (hi === lo) hi = lo + (ratio ? 0.5 : 0.01);
  const reach = hi - lo;
  // A canary far over its limits stays in the picture, up to twice their reach.
  hi = Math.max(hi, Math.min(g.difference ?? hi, lo + 2.2 * reach));
  // Far worse than any limit: then the limits move together, and the bar stays to be seen.
  if (g.difference_low > lo + 2 * reach) hi = g.difference * 1.1;
  lo -= hi - lo > 3 * reach ? (hi - lo) * 0.1 : reach * 0.45;
  hi += reach * 0.12;
  const x = (v) => ((v - lo) / (hi - lo)) * 100;
  const clamp = (v) => Math.max(0, Math.min(100, x(v)));
  return {
    base: g.absolute && ratio ? null : x(base),
    hold: x(g.hold_limit),
    rollback: g.rollback_limit == null ? null : x(g.rollback_limit),
    shade: clamp(g.pass_limit > 0 || !ratio ? g.pass_limit : g.hold_limit),
    left: clamp(g.difference_low), right: clamp(g.difference_high), dot: clamp(g.difference),
    openLeft: x(g.difference_low) < 0, openRight: x(g.difference_high) > 100,
  };
}

const times = (v) => `×${'\u202f'}${v.toFixed(2).replace(/\.?0+$/, '')}`;

export function Interval({ g }) {
  const ratio = g.scale === 'ratio';
  const l = layout(g);
  const none = !(g.samples.canary > 0) || (g.difference_low === g.difference_high && g.difference === 0 && !(g.samples.stable > 0));
  const share = g.absolute && !ratio; // a limit of its own: a share, not a difference
  const tick = (v) => (share ? percent(v) : ratio ? times(v) : points(v, 2).replace(/\.?0+$/, '') || '0');
  const figure = (v) => (share ? percent(v) : ratio ? times(v) : points(v));
  const labels = [
    l.base != null && [l.base, ratio ? '×1' : '0'],
    [l.hold, g.absolute && ratio ? 'limit' : tick(g.hold_limit)],
    l.rollback != null && [l.rollback, tick(g.rollback_limit)],
  ].filter(Boolean);
  // Labels that would touch are not all written: the limits win over the base.
  const shown = labels.filter(([x], i) => i !== 0 || !labels[1] || Math.abs(labels[1][0] - x) > 10 || labels.length === 1);
  const wide = g.difference_high - g.difference_low > (ratio ? 100 : 2);
  return html`
    <svg class="interval" height="34" aria-hidden="true" focusable="false">
      <rect class="shade" x=${`${l.shade}%`} y="1" width=${`${100 - l.shade}%`} height="14" />
      <line class="axis" x1="0" x2="100%" y1="8" y2="8" />
      ${l.base != null && html`<line class="base" x1=${`${l.base}%`} x2=${`${l.base}%`} y1="0" y2="16" />`}
      <line class="hold" x1=${`${l.hold}%`} x2=${`${l.hold}%`} y1="0" y2="16" />
      ${l.rollback != null && html`<line class="rollback" x1=${`${l.rollback}%`} x2=${`${l.rollback}%`} y1="0" y2="16" />`}
      ${!none && html`
        <rect class="bar" x=${`${l.left}%`} y="4.5" width=${`${Math.max(0.8, l.right - l.left)}%`} height="7" rx=${l.openLeft || l.openRight ? 1 : 3.5} />
        <circle class="dot" cx=${`${l.dot}%`} cy="8" r="3.600" />`}
      ${shown.map(([x, text]) => html`<text x=${`${Math.min(97, Math.max(3, x))}%`} y="29" text-anchor="middle">${text}</text>`)}
    </svg>
    <small class="reading">${none ? 'nothing to compare yet'
      : wide ? html`<b>${figure(g.difference)}</b>${ratio || share ? '' : ' pt'}, the interval is as wide as it can be`
      : html`<b>${figure(g.difference)}</b>${ratio || share ? '' : ' pt'}${g.difference_low !== g.difference_high && `, between ${figure(g.difference_low)} and ${figure(g.difference_high)}`}`}</small>`;
}
