/** What an API command is: a name, and words in, text out. */
import type { Channel } from '../channel.ts';
import type { SwitchCore } from '../switch-core.ts';

export interface ApiCommand {
  readonly name: string;
  /** A promise where a disk has to be waited for; it never rejects. */
  run(core: SwitchCore, argument: string): string | Promise<string>;
}

export const OK = '+OK\n';
export const NO_SUCH_CHANNEL = '-ERR No such channel!\n';

/** The answer to wrong arguments. */
export function usage(syntax: string): string {
  return `-USAGE: ${syntax}\n`;
}

/** A command about one channel, named by its first word; `rest` is what follows. */
export function aboutChannel(
  name: string,
  syntax: string,
  effect: (channel: Channel, rest: string, core: SwitchCore) => string,
): ApiCommand {
  return {
    name,
    run: (core, argument) => {
      const trimmed = argument.trim();
      if (trimmed === '') return usage(syntax);
      const blank = trimmed.indexOf(' ');
      const uuid = blank === -1 ? trimmed : trimmed.slice(0, blank);
      const channel = core.channel(uuid);
      if (channel === undefined) return NO_SUCH_CHANNEL;
      return effect(channel, blank === -1 ? '' : trimmed.slice(blank + 1).trim(), core);
    },
  };
}
