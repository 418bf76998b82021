/** Webhooks that journeys could not or should not use, and a dialer elsewhere without its key. */
import type { JourneysConfig } from './journeys.schema.ts';
import type { SchemaFault } from './schema-faults.ts';
import { webhookFault } from './webhook-address.ts';

export function journeyFaults(journeys: JourneysConfig): SchemaFault[] {
  const { webhooks, dialerUrl, dialerKey } = journeys;
  const faults: SchemaFault[] = [];
  if (dialerUrl !== '' && dialerKey === '') {
    faults.push({
      path: ['journeys', 'dialerKey'],
      problem: 'is empty, but the dialer elsewhere wants a key',
      remedy: 'make a key of the role deliver there, and write it here',
    });
  }
  const elsewhere =
    dialerUrl === ''
      ? undefined
      : webhookFault(dialerUrl, { onLoopback: true, allowInsecure: false });
  if (elsewhere !== undefined) {
    // The key and the numbers of people go there.
    const { problem } = elsewhere;
    const remedy = 'write https, or an address of this machine';
    faults.push({ path: ['journeys', 'dialerUrl'], problem, remedy });
  }
  for (const [index, { name, url }] of webhooks.entries()) {
    const isTwice = webhooks.findIndex((other) => other.name === name) !== index;
    if (isTwice) {
      faults.push({
        path: ['journeys', 'webhooks', index, 'name'],
        problem: `is ${name}, as that of a webhook before it`,
        remedy: 'give each webhook a name of its own',
      });
    }
    const fault = webhookFault(url, {
      onLoopback: journeys.webhooksOnLoopback,
      allowInsecure: journeys.webhooksAllowInsecure,
    });
    if (fault === undefined) continue;
    faults.push({ path: ['journeys', 'webhooks', index, 'url'], ...fault });
  }
  return [...faults, ...draftModelFaults(journeys)];
}

/** Texts go to it with a key: in the clear they stay on this machine. */
function draftModelFaults({ draftModel: { url, model } }: JourneysConfig): SchemaFault[] {
  if (url === '') return [];
  const fault = webhookFault(url, { onLoopback: true, allowInsecure: false });
  if (fault !== undefined) {
    const { problem } = fault;
    const remedy = 'write https, or an address of this machine';
    return [{ path: ['journeys', 'draftModel', 'url'], problem, remedy }];
  }
  if (model !== '') return [];
  const remedy = 'name the model that the endpoint is to use';
  return [{ path: ['journeys', 'draftModel', 'model'], problem: 'is empty', remedy }];
}
