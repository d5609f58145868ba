// Evaluates flags as a web page does, with OpenFeature's web SDK: node web.mjs BASE_URL KEY TYPE:FLAG...
// It prints one JSON line for each flag, then waits for a line on stdin, fetches anew and prints again.
import { OpenFeature } from '@openfeature/web-sdk';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { createInterface } from 'node:readline';

const [baseUrl, key, ...asks] = process.argv.slice(2);
let asked = 0, unchanged = 0;
const fetchImplementation = async (...args) => {
  const answer = await fetch(...args);
  asked++;
  if (answer.status === 304) unchanged++;
  return answer;
};
const provider = new OFREPWebProvider({ baseUrl, pollInterval: 50, fetchImplementation });
await OpenFeature.setContext({ targetingKey: key });
await OpenFeature.setProviderAndWait(provider);
const client = OpenFeature.getClient();

const evaluate = {
  boolean: (flag) => client.getBooleanDetails(flag, false),
  string: (flag) => client.getStringDetails(flag, 'none'),
  object: (flag) => client.getObjectDetails(flag, {}),
};
const tell = () => {
  for (const ask of asks) {
    const [type, flag] = ask.split(':');
    const details = evaluate[type](flag);
    console.log(JSON.stringify({ flag, value: details.value, variant: details.variant, reason: details.reason, error: details.errorCode }));
  }
};
tell();
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'counts') {
    console.log(JSON.stringify({ asked, unchanged }));
    continue;
  }
  tell();
}
await OpenFeature.close();
process.exit(0);
