// Nothing to release yet: what to do first.
import { html } from './dom.js';
import { Bird } from './icons.js';
import { Copy } from './log.js';

const file = `[upstream.v1]
servers = ["127.0.0.1:9001"]
[upstream.v2]
servers = ["127.0.0.1:9002"]

[rollout.checkout]
stable = "v1"
canary = "v2"
ladder = ["1%", "5%", "25%", "100%"]
every  = "15m"

[[rollout.checkout.gate]]
metric   = "error_rate"
hold     = "stable + 0.5pt"
rollback = "stable + 2pt"
`;

export const Empty = () => html`
  <div class="empty">
    <div class="branch"><${Bird} size=${72} /></div>
    <h1>No rollouts yet</h1>
    <p class="lead">serin runs and is healthy. It has nothing to release.</p>
    <${Part} title="See one fail safely" text="A sample service, 2,000 users and a bad version. It is caught in under a minute." code="serin demo" />
    <${Part} title="Release your own" text=${html`Put two versions and a ladder into <code>serin.toml</code>. It is loaded without a restart.`} code=${file} />
    <${Part} title="Ask before you ship" text="The plan: how long each stage takes at your traffic, and which cannot be judged." code="serin check -c serin.toml" />
  </div>`;

const Part = ({ title, text, code }) => html`
  <section class="part"><div><h2>${title}</h2><p>${text}</p></div>
    <div class="code"><pre tabindex="0" aria-label=${title}>${code}</pre><${Copy} bare text=${() => code} name=${`Copy: ${title}`} /></div></section>`;
