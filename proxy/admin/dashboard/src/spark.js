// A sparkline of both arms' error rate over the attempt; its scale is its own. The status beside it says what matters, so
// screen readers skip it.
import { html } from './dom.js';
import { usePolled } from './hooks.js';
import { rolloutPath } from './api.js';

const width = 64;
const height = 18;

export function Spark({ name }) {
  // Half a minute is the distance of its points; fewer than 60 are asked for, so 20 of them weigh little.
  const { data } = usePolled(`${rolloutPath(name)}/series?part=attempt&points=48`, 30000);
  const points = data?.attempt ?? [];
  if (points.length < 2) return html`<svg class="spark" width=${width} height=${height} aria-hidden="true" />`;
  const roll = Math.max(2, Math.round(points.length / 12));
  const smooth = (arm) => points.map((_, i) => {
    let n = 0, bad = 0;
    for (const p of points.slice(Math.max(0, i - roll), i + 1)) { n += p[arm].requests; bad += p[arm].errors; }
    return n ? bad / n : null;
  });
  const stable = smooth('stable');
  const canary = smooth('canary');
  const top = Math.max(1e-6, ...stable.filter((v) => v !== null), ...canary.filter((v) => v !== null));
  const line = (values) => {
    let d = '';
    values.forEach((v, i) => {
      if (v === null) return;
      const x = (i / (points.length - 1)) * width;
      const y = height - 2 - (v / top) * (height - 4);
      d += `${d && values[i - 1] !== null ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    });
    return d;
  };
  return html`
    <svg class="spark" width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} aria-hidden="true" focusable="false">
      <path class="s-stable" d=${line(stable)} /><path class="s-canary" d=${line(canary)} />
    </svg>`;
}
