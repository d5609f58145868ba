// Numbers and times as people read them. A narrow no-break space stands before %, a minus is a minus.
const nnbsp = '\u202f';

const group = (n) => n.toLocaleString('en-US', { maximumFractionDigits: 0 });

/** 5012 -> "5,012" */
export const count = (n) => (n == null ? '–' : group(Math.round(n)));

/** About 1,937 -> "1,900": two figures, because it is an estimate. */
export function about(n) {
  if (!(n > 0)) return '0';
  if (n < 20) return String(Math.round(n));
  const unit = 10 ** (Math.floor(Math.log10(n)) - 1);
  return group(Math.round(n / unit) * unit);
}

const trim = (s) => (s.includes('.') ? s.replace(/\.?0+$/, '') : s);

/** 0.2494 -> "24.94 %"; null -> an en dash, never 0. */
export function percent(x, places) {
  if (x == null) return '–';
  const p = x * 100;
  const s = places == null ? trim(p.toFixed(Math.abs(p) < 0.1 && p !== 0 ? 3 : 2)) : p.toFixed(places);
  return s.replace('-', '−') + nnbsp + '%';
}

/** An error rate: two places always, so that columns line up. */
export const rate = (x) => percent(x, x != null && x !== 0 && Math.abs(x) < 0.001 ? 3 : 2);

/** 146.2 -> "146 ms", 12.34 -> "12.3 ms" */
export function ms(v) {
  if (v == null) return '–';
  return (v >= 100 ? v.toFixed(0) : v >= 10 ? trim(v.toFixed(1)) : trim(v.toFixed(2))) + nnbsp + 'ms';
}

/** Percentage points with a sign: 0.0043 -> "+0.43" */
export function points(x, places = 2) {
  const s = (x * 100).toFixed(places);
  if (Number(s) === 0) return (0).toFixed(places);
  return x > 0 ? '+' + s : s.replace('-', '−');
}

/** Keeps a number and its unit on one line in a sentence of the API. */
export const together = (text) => (text ?? '').replace(/(\d) (%|ms\b|s\b|min\b|h\b)/g, `$1${nnbsp}$2`);

/** Odds span many orders of magnitude. */
export function odds(x) {
  if (x == null) return '–';
  if (x >= 1e6) return 'over 1' + nnbsp + 'M';
  if (x >= 10) return group(Math.floor(x));
  return x >= 1 ? trim(x.toFixed(1)) : x > 0.05 ? x.toFixed(1) : '0';
}

/** 1000 -> "16 min 40 s"; at most two units. */
export function span(seconds) {
  if (seconds == null) return '–';
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const units = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  const i = units.findIndex(([u]) => s >= u);
  const [big, name] = units[i];
  const [small, less] = units[i + 1];
  const rest = Math.floor((s % big) / small);
  return `${Math.floor(s / big)} ${name}` + (rest ? ` ${rest} ${less}` : '');
}

/** "about 6 min": one unit, for estimates. */
export function roughly(seconds) {
  const s = Math.max(0, seconds);
  if (s < 90) return `${Math.max(1, Math.round(s))} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 129600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

// The page prints times in the server's zone, since its sentences do; setZone is called when the daemon says where it is.
let offset = -new Date().getTimezoneOffset() * 60;
export function setZone(seconds) { offset = seconds; }

const at = (t) => new Date(new Date(t).getTime() + offset * 1000);
const two = (n) => String(n).padStart(2, '0');

/** "14:08:29" */
export const clock = (t) => { const d = at(t); return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`; };
/** "14:08" */
export const hm = (t) => clock(t).slice(0, 5);
/** "18 Nov" */
export const day = (t) => at(t).toUTCString().slice(5, 11).replace(/^0/, '');
/** "14:08" today, else with its day. */
export function when(t, now = Date.now()) {
  return day(t) === day(now) ? hm(t) : `${day(t)} ${hm(t)}`;
}
/** "UTC+1" */
export function zoneName() {
  if (!offset) return 'UTC';
  const m = Math.abs(offset) / 60;
  return `UTC${offset < 0 ? '−' : '+'}${Math.floor(m / 60)}${m % 60 ? ':' + two(m % 60) : ''}`;
}
