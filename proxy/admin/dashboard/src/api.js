// Talking to the admin API. The token lives in the tab's session storage only and travels as Authorization; loopback without
// tokens needs none.
const key = 'serin.token';

export const token = () => sessionStorage.getItem(key) ?? '';
export function keepToken(text) {
  if (text) sessionStorage.setItem(key, text);
  else sessionStorage.removeItem(key);
}

export const headers = (more) => {
  const t = token();
  return t ? { ...more, Authorization: `Bearer ${t}` } : { ...more };
};

/** An answer that is not 2xx, in the API's own words. */
export class Refusal extends Error {
  constructor(status, body) {
    super(body?.error ?? `the server answered ${status}`);
    this.status = status;
    this.hint = body?.hint ?? '';
  }
}

async function answer(response) {
  let body = null;
  try { body = await response.json(); } catch { /* a proxy in between may answer something else */ }
  if (!response.ok) throw new Refusal(response.status, body);
  return body;
}

export const get = async (path, options) => answer(await fetch(path, { headers: headers(), ...options }));

export const post = async (path, body) => answer(await fetch(path, {
  method: 'POST', headers: headers({ 'Content-Type': 'application/json' }), body: JSON.stringify(body),
}));

export const rolloutPath = (name) => `/v1/rollouts/${encodeURIComponent(name)}`;
