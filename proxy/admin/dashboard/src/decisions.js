// The journal of a rollout, asked again when a decision was made: the status carries a version for it.
import { useEffect, useState } from 'preact/hooks';
import { get, rolloutPath } from './api.js';

const first = 100;
const most = 1000;

export function useDecisions(r) {
  const [limit, setLimit] = useState(first);
  const [list, set] = useState([]);
  const [error, setError] = useState(null);
  useEffect(() => {
    let over = false;
    get(`${rolloutPath(r.name)}/decisions?limit=${limit}`).then(
      (answer) => { if (!over) { set(answer.decisions); setError(null); } },
      (err) => { if (!over) setError(err); },
    );
    return () => { over = true; };
  }, [r.name, r.version, r.last_decision?.id, limit]);
  return { list, error, more: list.length >= limit && limit < most ? () => setLimit(most) : null };
}
