/** `uuid_record`: starts and steers recordings of a channel. */
import { splitArguments, toInteger } from '../arguments.ts';
import { recordingVariables } from '../recording-variables.ts';
import { usage, type ApiCommand } from './api-command.ts';

const SYNTAX = '<uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]';
const SUCCESS = '+OK Success\n';

const SWITCHES = {
  mask: { what: 'masked', on: true, verb: 'mask recording' },
  unmask: { what: 'masked', on: false, verb: 'unmask recording' },
  pause: { what: 'paused', on: true, verb: 'pause recording' },
  resume: { what: 'paused', on: false, verb: 'resume recording' },
} as const;

export const recordCommands: readonly ApiCommand[] = [
  {
    name: 'uuid_record',
    run: async (core, argument) => {
      const [uuid, action = '', path, limit, variables] = splitArguments(argument);
      if (path === undefined) return usage(SYNTAX);
      const channel = core.channel(uuid);
      if (channel === undefined) return '-ERR Cannot locate session!\n';
      const { recordings } = channel;
      const verb = action.toLowerCase();
      if (verb === 'start') {
        const started = await recordings.start(
          path,
          toInteger(limit),
          recordingVariables(variables),
        );
        return started ? SUCCESS : '-ERR Cannot record session!\n';
      }
      if (verb === 'stop') {
        return (await recordings.stop(path)) ? SUCCESS : '-ERR Cannot stop record session!\n';
      }
      if (!(verb in SWITCHES)) return usage(SYNTAX);
      const change = SWITCHES[verb as keyof typeof SWITCHES];
      const done = recordings.set(path, change.what, change.on);
      return done ? SUCCESS : `-ERR Cannot ${change.verb} session!\n`;
    },
  },
];
