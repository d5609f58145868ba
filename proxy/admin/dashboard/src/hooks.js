// Small hooks that several components share.
import { useEffect, useState } from 'preact/hooks';
import { get } from './api.js';
import { subscribe } from './store.js';

/** Renders again when the store has changed. */
export function useStore() {
  const [, set] = useState(0);
  useEffect(() => subscribe(() => set((n) => n + 1)), []);
}

/** Renders again every period, for ages. */
export function useEvery(period) {
  const [, set] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => set((n) => n + 1), period);
    return () => clearInterval(timer);
  }, [period]);
}

/**
 * Asks the API again every period while the tab is visible and keeps the last answer: { data, error }. What is 404 is null
 * data with an error: an older daemon beside a newer page.
 */
export function usePolled(path, period) {
  const [answer, set] = useState({ path: '', data: null, error: null });
  useEffect(() => {
    let timer = 0;
    let over = false;
    const ask = async () => {
      let failed = false;
      try {
        const data = document.hidden && answer.data ? null : await get(path);
        if (!over && data) set({ path, data, error: null });
      } catch (error) {
        failed = true;
        if (!over) set((old) => ({ path, data: old.path === path ? old.data : null, error }));
      }
      if (!over) timer = setTimeout(ask, failed ? Math.min(period, 3000) : period);
    };
    ask();
    return () => { over = true; clearTimeout(timer); };
  }, [path, period]);
  return answer.path === path ? answer : { data: null, error: null };
}

/** The width of an element, for what is drawn to measure. */
export function useWidth(ref) {
  const [width, set] = useState(0);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => set(Math.floor(entry.contentRect.width)));
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, []);
  return width;
}

/** Whether a media query matches. */
export function useMedia(query) {
  const media = matchMedia(query);
  const [matches, set] = useState(media.matches);
  useEffect(() => {
    const tell = () => set(media.matches);
    media.addEventListener('change', tell);
    return () => media.removeEventListener('change', tell);
  }, [query]);
  return matches;
}
