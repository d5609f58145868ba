// Hash routes: #/rollouts/NAME/DECISION, #/experiments, #/flags. A link to any of them can be sent to somebody.
import { useEffect, useState } from 'preact/hooks';

export function parse(hash) {
  const [tab = '', name = '', decision = ''] = hash.replace(/^#\/?/, '').split('/').map((part) => {
    try { return decodeURIComponent(part); } catch { return part; }
  });
  return tab === 'experiments' || tab === 'flags' ? { tab } : { tab: 'rollouts', name, decision };
}

export const linkTo = (name, decision) =>
  `#/rollouts/${encodeURIComponent(name)}${decision ? '/' + encodeURIComponent(decision) : ''}`;

export function useRoute() {
  const [route, set] = useState(parse(location.hash));
  useEffect(() => {
    const tell = () => set(parse(location.hash));
    addEventListener('hashchange', tell);
    return () => removeEventListener('hashchange', tell);
  }, []);
  return route;
}
