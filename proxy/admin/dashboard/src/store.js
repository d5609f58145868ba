// What the page knows. One object, changed in one place, told to whoever subscribed; the components only read it.
import { follow } from './stream.js';
import { setZone } from './fmt.js';

const staleAfter = 5000; // without data or heartbeat; the stream is asked for a heartbeat every 2 s

const state = {
  rollouts: new Map(), // by name
  daemon: null,
  loaded: false, // a first snapshot came
  lastAt: 0, // when the stream last said anything
  lost: null, // { since, retry } while there is no connection
  refused: null, // the API asks for a token, or for another one
  skew: 0, // the server's clock minus ours, in ms
};

const listeners = new Set();
let pending = false;

/** Tells the subscribers, once a frame at most; a hidden tab gets it from the timer. */
function changed() {
  if (pending) return;
  pending = true;
  const tell = () => { pending = false; for (const f of listeners) f(); };
  if (document.hidden) setTimeout(tell, 200);
  else requestAnimationFrame(tell);
}

export const read = () => state;
export const subscribe = (f) => { listeners.add(f); return () => listeners.delete(f); };

/** The server's now, for ages of its times. */
export const now = () => Date.now() + state.skew;

/** Whether what is shown may be old. */
export const stale = () => state.loaded && (state.lost !== null || Date.now() - state.lastAt > staleAfter);

function event(type, data) {
  switch (type) {
    case 'snapshot':
      state.rollouts = new Map(data.rollouts.map((r) => [r.name, r]));
      if (data.daemon) daemon(data.daemon);
      state.loaded = true;
      break;
    case 'rollout':
      state.rollouts.set(data.name, data);
      break;
    case 'removed':
      state.rollouts.delete(data.name);
      break;
    case 'daemon':
      daemon(data);
      break;
  }
  changed();
}

function daemon(d) {
  state.daemon = d;
  setZone(d.offset_seconds);
}

let stream = null;

export function connect() {
  stream = follow('/v1/events?heartbeat=2s', {
    open(date) {
      const t = date ? Date.parse(date) : NaN;
      const skew = t - Date.now();
      state.skew = Math.abs(skew) > 2000 ? skew : 0; // the header has whole seconds only
      state.refused = null;
    },
    event,
    alive() {
      const was = stale();
      state.lastAt = Date.now();
      state.lost = null;
      if (was) changed();
    },
    lost(retry) {
      state.lost = { since: state.lost?.since ?? (state.lastAt || Date.now()), retry };
      changed();
    },
    refused(refusal) {
      state.refused = refusal;
      state.lost = null;
      changed();
    },
  });
  // Silence makes no event of its own.
  let was = false;
  setInterval(() => {
    const is = stale();
    if (is || is !== was) changed();
    was = is;
  }, 1000);
}

/** After a login. */
export function reconnect() {
  state.refused = null;
  stream.again();
  changed();
}
