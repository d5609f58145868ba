// A release with everything around it: sample services, a crowd, and serin as its users run it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bin, host, start, temp } from './browser.mjs';

export const admin = (port) => `${host}:${port}`;
export const serin = (args, options) => start(bin, args, options);

/** Two sample services, a crowd, and serin with one rollout between them. */
export async function release({ port, errors = '0%', stable = '0%', latency = '2ms', toml, files = {}, rps = 150, users = 400 }) {
  const { dir, remove } = await temp();
  const config = join(dir, 'serin.toml');
  const all = [];
  await writeFile(config, `[listen]
address = "${host}:${port}"
[admin]
address = "${admin(port + 1)}"
[state]
dir = "${join(dir, 'state')}"
[upstream.v1]
servers = ["${host}:${port + 2}"]
[upstream.v2]
servers = ["${host}:${port + 3}"]
${toml}`);
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text, { mode: 0o600 });
  all.push(await serin(['demo', 'service', '--listen', `${host}:${port + 2}`, '--name', 'v1', '--latency', latency, '--errors', stable]));
  all.push(await serin(['demo', 'service', '--listen', `${host}:${port + 3}`, '--name', 'v2', '--latency', latency, '--errors', errors]));
  for (const p of [port + 2, port + 3]) await answering(`http://${host}:${p}/`);
  const daemon = () => serin(['run', '-c', config], { env: { SERIN_ADMIN: '' } });
  let running = await daemon();
  await answering(`http://${admin(port + 1)}/healthz/ready`);
  all.push(await serin(['demo', 'load', '--to', `http://${host}:${port}/`, '--rps', String(rps), '--users', String(users)]));
  return {
    url: `http://${admin(port + 1)}/`, dir,
    restart: async (signal) => { await running.stop(signal); return async () => { running = await daemon(); await answering(`http://${admin(port + 1)}/healthz/ready`); }; },
    end: async () => { for (const p of all.reverse()) await p.stop(); await running.stop(); await remove(); },
  };
}

export async function answering(url) {
  for (let i = 0; i < 100; i++) {
    try { if ((await fetch(url)).ok) return; } catch { /* not yet */ }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} does not answer`);
}
