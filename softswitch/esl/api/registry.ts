/** The API commands this switch has. */
import type { SwitchCore } from '../switch-core.ts';
import type { ApiCommand } from './api-command.ts';
import { channelCommands } from './channel-commands.ts';
import { conferenceCommands } from './conference-commands.ts';
import { recordCommands } from './record-commands.ts';
import { systemCommands } from './system-commands.ts';

const COMMANDS: ReadonlyMap<string, ApiCommand> = new Map(
  [...channelCommands, ...recordCommands, ...conferenceCommands, ...systemCommands].map(
    (command) => [command.name, command],
  ),
);

/** Runs `line`, as `api` and `bgapi` do; the answer to an unknown command is FreeSWITCH's. */
export function runApi(core: SwitchCore, line: string): string | Promise<string> {
  const blank = line.indexOf(' ');
  const name = blank === -1 ? line : line.slice(0, blank);
  const command = COMMANDS.get(name.toLowerCase());
  if (command === undefined) return `-ERR ${name} Command not found!\n`;
  const answer = command.run(core, blank === -1 ? '' : line.slice(blank + 1));
  if (typeof answer === 'string') return answer;
  // A fault of ours: the client is told, and the switch goes on.
  return answer.catch((error: unknown) => `-ERR ${String(error)}\n`);
}
