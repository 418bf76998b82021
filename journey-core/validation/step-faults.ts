/** What is wrong inside one step, given that its shape and its references to steps are right. */
import type { Given, Step, StepOf } from '../definition/step.schemas.ts';
import { attributeReadiness, conditionFaults, type CheckedJourney } from './condition-faults.ts';
import { fault, pointerKey, type JourneyFault } from './journey-fault.ts';
import { complianceFaults, quietTimeFaults, referenced } from './reference-faults.ts';
import { abTestFaults, splitFaults } from './split-faults.ts';
import { valueType } from './value-types.ts';
import { waitFaults, waitForFaults } from './wait-faults.ts';

export function stepFaults(checked: CheckedJourney, step: Step, path: string): JourneyFault[] {
  switch (step.type) {
    case 'voice':
    case 'sms':
      return conversationFaults(checked, step, path);
    case 'message':
      return messageFaults(checked, step, path);
    case 'wait':
      return waitFaults(checked, step, path);
    case 'waitFor':
      return waitForFaults(checked, step, path);
    case 'branch':
      return step.branches.flatMap(({ when }, index) =>
        conditionFaults(checked, when, `${path}/branches/${index}/when`, {
          kind: 'step',
          stepId: step.id,
        }),
      );
    case 'split':
      return splitFaults(step, path);
    case 'abTest':
    case 'bestChannel':
      return abTestFaults(checked.journey, step, path);
    case 'activateTrigger':
      return activateFaults(checked, step, path);
    case 'activity':
    case 'repeat':
    case 'exit':
      return [];
  }
}

function conversationFaults(
  checked: CheckedJourney,
  step: StepOf<'voice' | 'sms'>,
  path: string,
): JourneyFault[] {
  const { journey, assets } = checked;
  const at = `${path}/engagement`;
  const found = referenced(
    assets.engagements,
    step.engagement,
    at,
    'engagement',
    'UNKNOWN_ENGAGEMENT',
  );
  const isOther = found.asset !== undefined && found.asset.channel !== step.type;
  const fitting = [...assets.engagements.values()]
    .filter(({ channel }) => channel === step.type)
    .map(({ name }) => name);
  return [
    ...((journey.audience ?? 'contact') === 'contact'
      ? []
      : [
          fault(
            `${path}/type`,
            'CONTACTS_ONLY',
            `a journey for audience '${journey.audience ?? ''}' cannot hold conversations`,
            'make it a journey for contacts, or send a message',
          ),
        ]),
    ...found.faults,
    ...(isOther
      ? [
          fault(
            at,
            'CHANNEL',
            `engagement '${step.engagement}' is of type ${found.asset.channel}`,
            `use one of type ${step.type}: ${fitting.join(', ') || 'there is none yet'}`,
          ),
        ]
      : []),
    ...(step.type === 'voice'
      ? complianceFaults(assets, step.compliance, 'voice', `${path}/compliance`)
      : messageReferenceFaults(checked, step.message, 'sms', path)),
    ...quietTimeFaults(assets, step.quietTime, `${path}/quietTime`),
    ...givenFaults(checked, step.id, step.inputs, `${path}/inputs`),
  ];
}

function messageReferenceFaults(
  { assets }: CheckedJourney,
  name: string,
  channel: 'sms' | null,
  path: string,
): JourneyFault[] {
  const at = `${path}/message`;
  const { asset, faults } = referenced(assets.messages, name, at, 'message', 'UNKNOWN_MESSAGE');
  if (asset === undefined) return faults;
  const isOther = channel !== null && asset.channel !== channel;
  const problem = `message '${name}' is for ${asset.channel}`;
  return [
    ...faults,
    ...(isOther ? [fault(at, 'CHANNEL', problem, `use a message for ${channel}`)] : []),
  ];
}

function messageFaults(
  checked: CheckedJourney,
  step: StepOf<'message'>,
  path: string,
): JourneyFault[] {
  const { assets } = checked;
  const at = `${path}/webhook`;
  return [
    ...messageReferenceFaults(checked, step.message, null, path),
    ...referenced(assets.webhooks, step.webhook, at, 'webhook', 'UNKNOWN_WEBHOOK').faults,
    ...quietTimeFaults(assets, step.quietTime, `${path}/quietTime`),
    ...givenFaults(checked, step.id, step.inputs, `${path}/inputs`),
  ];
}

function activateFaults(
  checked: CheckedJourney,
  step: StepOf<'activateTrigger'>,
  path: string,
): JourneyFault[] {
  const at = `${path}/trigger`;
  const { triggers } = checked.assets;
  const { asset, faults } = referenced(triggers, step.trigger, at, 'trigger', 'UNKNOWN_TRIGGER');
  if (asset === undefined) return faults;
  const known = (asset.attributes ?? []).map(({ name }) => name);
  const strays = Object.keys(step.attributes ?? {}).filter((name) => !known.includes(name));
  return [
    ...faults,
    ...(asset.kind === 'custom'
      ? []
      : [
          fault(
            at,
            'TRIGGER_KIND',
            `trigger '${step.trigger}' is of kind ${asset.kind}: it is raised by what happens`,
            'name a custom trigger',
          ),
        ]),
    ...strays.map((name) =>
      fault(
        `${path}/attributes/${pointerKey(name)}`,
        'UNKNOWN_ATTRIBUTE',
        `trigger '${step.trigger}' carries no '${name}'`,
        `use ${known.join(', ') || 'none'}, or declare it`,
      ),
    ),
    ...givenFaults(checked, step.id, step.attributes, `${path}/attributes`),
  ];
}

function givenFaults(
  { journey, assets }: CheckedJourney,
  stepId: string,
  given: Readonly<Record<string, Given>> | undefined,
  path: string,
): JourneyFault[] {
  return Object.entries(given ?? {}).flatMap(([name, source]) => {
    if (!('from' in source)) return [];
    const found = valueType(journey, assets, { kind: 'step', stepId }, source);
    const at = `${path}/${pointerKey(name)}`;
    if (!('code' in found)) return attributeReadiness(found, source.attribute, at);
    return [fault(at, found.code, found.problem, found.remedy)];
  });
}
