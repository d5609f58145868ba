// One chart: uPlot draws axes, grid and lines; the band, the stage marks and the labels at the right are drawn in its hooks.
// The box is a slider for the keyboard: arrows, Page, Home and End move the cursor, and the figures are spoken.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { html } from './dom.js';
import { useWidth } from './hooks.js';
import { hm, clock } from './fmt.js';

const height = 178;
const font = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** Colours of the moment: a canvas does not follow CSS. */
function palette() {
  const css = getComputedStyle(document.querySelector('main'));
  const get = (name) => css.getPropertyValue(name).trim();
  return {
    ink: get('--ink-3'), line: get('--line'), canary: get('--canary-line'), band: get('--canary'), canaryInk: get('--canary-ink'),
    stable: get('--stable-line'), fail: get('--fail'), hold: get('--ink-2'),
  };
}

/** The top of the y axis: the limits and what is known fit; noise of a handful of requests does not squash them. */
export function topOf(lines) {
  const most = (list) => (list ?? []).reduce((m, v) => (v > m ? v : m), 0);
  const known = Math.max(most(lines.stable), most(lines.hold), most(lines.rollback), most(lines.canary.filter((_, i) => lines.sure[i])));
  const noise = most(lines.canary);
  const top = Math.max(known, Math.min(noise, known * 2.2), lines.least) * 1.15;
  return Math.min(top, lines.ceiling * 1.02);
}

export function Chart({ label, t, lines, marks, at, onAt, format, spoken }) {
  const box = useRef(null);
  const plot = useRef(null);
  const live = useRef({});
  const width = useWidth(box);
  const scheme = useScheme();
  live.current = { lines, marks, onAt, format, quiet: live.current.quiet };

  useEffect(() => {
    if (width < 120) return undefined;
    const u = new uPlot(options(width, live, palette()), columns(t, lines), box.current);
    plot.current = u;
    return () => { u.destroy(); plot.current = null; };
  }, [width, scheme]);

  useEffect(() => { plot.current?.setData(columns(t, lines)); }, [t, lines, marks]);

  useEffect(() => {
    const u = plot.current;
    if (!u) return;
    live.current.quiet = true; // our own move is no news
    u.setCursor(at == null ? { left: -10, top: -10 } : { left: u.valToPos(t[at], 'x'), top: 12 });
    live.current.quiet = false;
  }, [at, t, width, scheme]);

  const last = t.length - 1;
  const keys = (event) => {
    const from = at ?? last;
    const to = { ArrowLeft: from - 1, ArrowDown: from - 1, ArrowRight: from + 1, ArrowUp: from + 1, PageDown: from - 20, PageUp: from + 20, Home: 0, End: last }[event.key];
    if (event.key === 'Escape') onAt(null);
    if (to === undefined) return;
    event.preventDefault();
    onAt(Math.max(0, Math.min(last, to)));
  };
  return html`
    <div class="chart" ref=${box} tabindex="0" role="slider" aria-label=${`${label} over time`} aria-valuemin="0" aria-valuemax=${last}
      aria-valuenow=${at ?? last} aria-valuetext=${spoken} onKeyDown=${keys} onPointerLeave=${() => onAt(null)} onBlur=${() => onAt(null)} />`;
}

/** Changes when the colours do. */
function useScheme() {
  const [n, set] = useState(0);
  useEffect(() => {
    const tell = () => set((k) => k + 1);
    const main = document.querySelector('main');
    const watch = new MutationObserver(tell); // a stale page loses its colour
    watch.observe(main, { attributes: true, attributeFilter: ['class'] });
    addEventListener('colours', tell);
    return () => { watch.disconnect(); removeEventListener('colours', tell); };
  }, []);
  return n;
}

function columns(t, l) {
  const thick = l.canary.map((v, i) => (l.sure[i] ? v : null));
  const thin = l.canary.map((v, i) => (l.sure[i] && l.sure[i + 1] !== false && l.sure[i - 1] !== false ? null : v));
  return [t, l.rollback, l.hold, l.stable, thin, thick];
}

function options(width, live, p) {
  const right = width > 520 ? 84 : 12;
  const line = (stroke, w, dash) => ({ stroke, width: w, dash, points: { show: false }, spanGaps: false });
  return {
    width, height,
    padding: [16, right, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { size: 7, width: 2 } },
    scales: { x: { time: true }, y: { range: () => [0, topOf(live.current.lines)] } },
    axes: [
      { stroke: p.ink, font, grid: { show: false }, ticks: { show: false }, size: 24, space: width > 700 ? 90 : 64,
        values: (u, splits) => { const fine = splits.length > 1 && splits[1] - splits[0] < 60; return splits.map((s) => (fine ? clock(s * 1000) : hm(s * 1000))); } },
      { stroke: p.ink, font, grid: { stroke: p.line, width: 1 }, ticks: { show: false }, size: 54, space: 34,
        values: (u, splits) => splits.map((v) => axisText(v, live.current.format)) },
    ],
    series: [{}, line(p.fail, 1, [6, 4]), line(p.hold, 1, [1.5, 3]), line(p.stable, 1.6), line(p.canary, 1), line(p.canary, 2.6)],
    hooks: {
      drawClear: [(u) => { drawMarks(u, live.current.marks, p); drawBand(u, live.current.lines, p); }],
      draw: [(u) => { if (right > 20) drawLabels(u, live.current.lines, p); }],
      setCursor: [(u) => { if (!live.current.quiet && u.cursor.idx != null && u.cursor.left >= 0) live.current.onAt(u.cursor.idx); }],
    },
  };
}

// Ticks need fewer places than readings.
const axisText = (v, format) => format(v).replace(/\.0+(?=\D)/, '').replace(/(\.\d*?)0+(?=\D)/, '$1');

/** The canary's interval: full colour where it is narrower than the rollback limit, paler the wider it is. */
function drawBand(u, lines, p) {
  if (!lines.low) return;
  const { ctx, bbox } = u;
  const [t] = u.data;
  const x = (i) => u.valToPos(t[i], 'x', true);
  const y = (v) => u.valToPos(Math.min(v, u.scales.y.max), 'y', true);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = p.band;
  for (let i = 0; i + 1 < t.length; i++) {
    if (lines.low[i] == null || lines.low[i + 1] == null) continue;
    const wide = (lines.high[i] - lines.low[i] + lines.high[i + 1] - lines.low[i + 1]) / 2;
    ctx.globalAlpha = 0.05 + 0.23 * Math.min(1, lines.narrow / Math.max(wide, 1e-9)) ** 1.3;
    const x0 = Math.round(x(i)), x1 = Math.round(x(i + 1));
    ctx.beginPath();
    ctx.moveTo(x0, y(lines.high[i]));
    ctx.lineTo(x1, y(lines.high[i + 1]));
    ctx.lineTo(x1, y(lines.low[i + 1]));
    ctx.lineTo(x0, y(lines.low[i]));
    ctx.fill();
  }
  ctx.restore();
}

/** Stage changes: a hairline with the new share on top. */
function drawMarks(u, marks, p) {
  const { ctx, bbox } = u;
  const dpr = devicePixelRatio || 1;
  ctx.save();
  ctx.font = font.replace('11px', `${11 * dpr}px`);
  ctx.textAlign = 'left'; // the axes leave another
  ctx.textBaseline = 'bottom';
  let free = -Infinity;
  for (const m of marks) {
    if (m.t < u.scales.x.min || m.t > u.scales.x.max) continue;
    const x = Math.round(u.valToPos(m.t, 'x', true));
    ctx.strokeStyle = m.down ? p.fail : p.line;
    ctx.lineWidth = dpr;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top - 4 * dpr);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    if (x < free) continue;
    const text = (m.down ? '↓ ' : '') + m.text;
    ctx.fillStyle = m.down ? p.fail : p.ink;
    ctx.fillText(text, x + 3 * dpr, bbox.top - 2 * dpr);
    free = x + ctx.measureText(text).width + 8 * dpr;
  }
  ctx.restore();
}

/** Names at the line ends instead of a legend; they keep apart. */
function drawLabels(u, lines, p) {
  const { ctx, bbox } = u;
  const dpr = devicePixelRatio || 1;
  const lastOf = (list) => { for (let i = list.length - 1; i >= 0; i--) if (list[i] != null) return list[i]; return null; };
  const labels = [
    ['rollback limit', lines.rollback, p.fail, ''], ['hold limit', lines.hold, p.ink, ''],
    ['canary', lines.canary, p.canaryInk, 'bold '], ['stable', lines.stable, p.stable, ''],
  ].map(([text, list, colour, weight]) => ({ text, colour, weight, v: lastOf(list) })).filter((l) => l.v != null)
    .map((l) => ({ ...l, y: u.valToPos(Math.min(l.v, u.scales.y.max), 'y', true) })).sort((a, b) => a.y - b.y);
  const gap = 13 * dpr;
  for (let i = 1; i < labels.length; i++) labels[i].y = Math.max(labels[i].y, labels[i - 1].y + gap);
  const floor = bbox.top + bbox.height;
  for (let i = labels.length - 1, low = floor; i >= 0; i--) { labels[i].y = Math.min(labels[i].y, low); low = labels[i].y - gap; }
  ctx.save();
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  for (const l of labels) {
    ctx.font = l.weight + font.replace('11px', `${11 * dpr}px`);
    ctx.fillStyle = l.colour;
    ctx.fillText(l.text, bbox.left + bbox.width + 6 * dpr, l.y);
  }
  ctx.restore();
}
