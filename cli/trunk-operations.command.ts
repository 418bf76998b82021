/**
 * `ringfence trunk list`, `suspend NAME` and `resume NAME`: asked of the service that runs, over its API.
 * The key is `http.adminKey` of the configuration, which the environment may hold.
 */
import type { Command } from 'commander';
import { askService, serviceCommand } from './ask-service.ts';
import { say, writeJson, type Terminal } from './terminal.ts';

export interface TrunkOperationOptions {
  readonly config?: string;
  readonly url?: string;
  readonly reason?: string;
  readonly json: boolean;
}

interface AtGateway {
  readonly gatewayId: string;
  readonly state: string;
  readonly detail: string;
  readonly registration: string;
  readonly channelsInUse: number;
  readonly channelsMax: number;
  readonly sessions: number;
  readonly answerSeizureRatio: number | null;
  readonly lastCause: { readonly statusCode: number | null; readonly text: string } | null;
}

interface TrunkView {
  readonly name: string;
  readonly state: string;
  readonly groups: readonly string[];
  readonly gateways: readonly AtGateway[];
}

export function trunkOperationCommands(): readonly Command[] {
  return [
    serviceCommand('list', 'how the trunks of a running service are'),
    serviceCommand('suspend', 'give a trunk no calls until it is resumed')
      .argument('<trunk>', 'a name of the configuration')
      .option('--reason <text>', 'for the log'),
    serviceCommand('resume', 'give a suspended trunk calls again').argument(
      '<trunk>',
      'a name of the configuration',
    ),
  ];
}

interface Unheard {
  readonly gatewayId: string;
  readonly detail: string;
}

export async function runTrunkList(
  options: TrunkOperationOptions,
  terminal: Terminal,
): Promise<number> {
  const answer = await askService(options, { path: '/v1/trunks' });
  const { items, unheard } = answer as {
    items: readonly TrunkView[];
    unheard: readonly Unheard[];
  };
  for (const trunk of items) tell(trunk, terminal);
  tellUnheard(unheard, terminal);
  if (items.length === 0 && unheard.length === 0) say(terminal, 'There are no trunks.');
  if (options.json) await writeJson(terminal, answer);
  return unheard.length === 0 ? 0 : 1;
}

export async function runTrunkOperation(
  operation: 'suspend' | 'resume',
  name: string,
  options: TrunkOperationOptions,
  terminal: Terminal,
): Promise<number> {
  const path = `/v1/trunks/${encodeURIComponent(name)}/${operation}`;
  const { reason } = options;
  const body = operation === 'resume' ? {} : { body: reason === undefined ? {} : { reason } };
  const answer = await askService(options, { method: 'POST', path, ...body });
  const view = answer as TrunkView & { unheard: readonly Unheard[] };
  tell(view, terminal);
  tellUnheard(view.unheard, terminal);
  if (options.json) await writeJson(terminal, view);
  return view.unheard.length === 0 ? 0 : 1;
}

function tellUnheard(unheard: readonly Unheard[], terminal: Terminal): void {
  for (const { gatewayId, detail } of unheard) {
    say(terminal, `Gateway ${gatewayId} did not answer: ${detail}.`);
  }
}

function tell({ name, state, groups, gateways }: TrunkView, terminal: Terminal): void {
  const group = groups.length === 0 ? '' : ` (${groups.join(', ')})`;
  say(terminal, `${name}${group}: ${state}`);
  if (gateways.length === 0) say(terminal, '  no gateway answers; each is told when it comes');
  for (const one of gateways) {
    const { gatewayId, detail, registration, channelsInUse, channelsMax, sessions } = one;
    const ratio = one.answerSeizureRatio;
    const asr = ratio === null ? '' : `, ASR ${Math.round(ratio * 100)} % of ${sessions}`;
    const registered = registration === 'none' ? '' : `, ${registration}`;
    const cause = one.lastCause;
    const code = cause?.statusCode ?? '';
    const last = cause === null ? '' : `, last cause ${`${code} ${cause.text}`.trim()}`;
    const channels = `${channelsInUse} of ${channelsMax} channels`;
    say(terminal, `  ${gatewayId}: ${one.state}, ${channels}${registered}${asr}${last}; ${detail}`);
  }
}
