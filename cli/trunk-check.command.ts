/** `ringfence trunk check NAME`: one OPTIONS and what it says, in words. */
import { Command } from 'commander';
import { loadProcessConfig } from '../config/process-config.ts';
import type { TrunkVerdict } from '../gateway/trunks/trunk-check.ts';
import { chooseTrunk } from './choose-trunk.ts';
import { commandLog } from './command-log.ts';
import { startTelephony } from './start-telephony.ts';
import { say, writeJson, type Terminal } from './terminal.ts';
import { trunkOperationCommands } from './trunk-operations.command.ts';

export interface TrunkCheckOptions {
  readonly config?: string;
  readonly json: boolean;
  readonly verbose: boolean;
}

export function trunkCommand(): Command {
  const check = new Command('check')
    .description('ask a trunk with one OPTIONS whether it is there')
    .argument('<trunk>', 'a name of the configuration, or sip:HOST[:PORT][;transport=tcp]')
    .option('--config <file>', 'configuration with the trunks')
    .option('--json', 'one JSON value on stdout', false)
    .option('--verbose', 'log what the gateway does', false);
  const trunk = new Command('trunk').description('look at trunks, and operate them');
  for (const command of [check, ...trunkOperationCommands()]) trunk.addCommand(command);
  return trunk;
}

/** Exit code 0 when the trunk takes calls as far as OPTIONS can tell. */
export async function runTrunkCheck(
  name: string,
  options: TrunkCheckOptions,
  terminal: Terminal,
): Promise<number> {
  const { config } = loadProcessConfig(options.config);
  // An OPTIONS rings nobody and shows no number: a given address needs no caller id.
  const trunk = chooseTrunk({ text: name, callerId: 'ringfence' }, config);
  const log = commandLog(options.verbose, config);
  const telephony = await startTelephony({ config, trunks: [trunk], log, isolated: false });
  try {
    const verdict = await telephony.gateway.checkTrunk(trunk.name);
    say(terminal, `The trunk ${name} ${verdictInWords(verdict)}.`);
    if (options.json) await writeJson(terminal, { ...verdict, trunk: name });
    return isUsable(verdict) ? 0 : 1;
  } finally {
    await telephony.close();
  }
}

/** Many trunks refuse OPTIONS as such and take calls all the same (RFC 3261 §11.2). */
export function isUsable({ verdict }: Pick<TrunkVerdict, 'verdict'>): boolean {
  return verdict === 'ok' || verdict === 'refused';
}

export function verdictInWords({
  verdict,
  detail,
}: Pick<TrunkVerdict, 'verdict' | 'detail'>): string {
  switch (verdict) {
    case 'ok':
      return `is there: ${detail}`;
    case 'refused':
      return `is there, though it refuses OPTIONS: ${detail}`;
    case 'auth_demanded':
    case 'auth_refused':
    case 'overloaded':
      return `is there but cannot be used: it ${detail}`;
    case 'no_answer':
      return `does not answer: ${detail}`;
    case 'connection_refused':
    case 'unknown_host':
      return `is not there: ${detail}`;
    case 'switch_down':
      return `could not be asked: ${detail}`;
  }
}
