// Server-sent events over fetch: EventSource cannot send Authorization. It resumes with Last-Event-ID; a daemon that has been
// restarted does not know the number and sends everything again, which is what the page needs then.
import { headers, Refusal } from './api.js';

const firstRetry = 1000;
const lastRetry = 5000;

/** Splits a text stream into events; partial ones wait for the rest. */
export function parser(emit) {
  let rest = '';
  return (text) => {
    rest += text;
    for (let end; (end = rest.indexOf('\n\n')) >= 0; rest = rest.slice(end + 2)) {
      const event = { type: 'message', data: '', id: null };
      for (const line of rest.slice(0, end).split('\n')) {
        const colon = line.indexOf(':');
        if (colon < 1) continue; // a comment: the heartbeat
        const field = line.slice(0, colon);
        const value = line.slice(colon + 1).replace(/^ /, '');
        if (field === 'event') event.type = value;
        else if (field === 'id') event.id = value;
        else if (field === 'data') event.data += (event.data ? '\n' : '') + value;
      }
      if (event.data) emit(event);
    }
  };
}

/**
 * follow keeps a stream open for ever. on.event(type, data), on.alive() at every byte, on.lost(retryMs), on.refused(Refusal).
 * Returns a function that starts over at once, and one that stops.
 */
export function follow(path, on) {
  let lastID = '';
  let wait = firstRetry;
  let stopped = false;
  let abort = new AbortController();
  let timer = 0;

  async function once() {
    const extra = lastID ? { 'Last-Event-ID': lastID } : {};
    const response = await fetch(path, { headers: headers(extra), signal: abort.signal, cache: 'no-store' });
    if (!response.ok) throw new Refusal(response.status, await response.json().catch(() => null));
    wait = firstRetry;
    on.open?.(response.headers.get('Date'));
    const feed = parser((e) => {
      on.event(e.type, JSON.parse(e.data));
      if (e.id) lastID = e.id; // after its data: a stream cut in between resumes before it
    });
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      feed(decoder.decode(value, { stream: true }));
      on.alive();
    }
  }

  async function run() {
    try {
      await once();
    } catch (err) {
      if (stopped || err.name === 'AbortError') return;
      if (err instanceof Refusal && (err.status === 401 || err.status === 403)) {
        on.refused(err);
        return; // until again() with another token
      }
    }
    if (stopped) return;
    on.lost(wait);
    timer = setTimeout(run, wait);
    wait = Math.min(wait * 2, lastRetry);
  }

  const stop = () => { stopped = true; clearTimeout(timer); abort.abort(); };
  const again = () => { stop(); stopped = false; lastID = ''; wait = firstRetry; abort = new AbortController(); run(); };
  run();
  return { again, stop };
}
