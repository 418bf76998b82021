/** API commands that act on a channel. Texts of the answers are FreeSWITCH's, blanks included. */
import { splitArguments } from '../arguments.ts';
import { channelData } from '../channel-events.ts';
import { headerLines } from '../event.ts';
import { causeNamed } from '../hangup-cause.ts';
import { inlinePlan } from '../inline-plan.ts';
import { LegBridge } from '../leg-bridge.ts';
import { mediaStatsVariables } from '../media-stats.ts';
import { aboutChannel, NO_SUCH_CHANNEL, OK, usage, type ApiCommand } from './api-command.ts';

const TRANSFER_SYNTAX = '<uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]';
const SETVAR_MULTI_SYNTAX = '<uuid> <var>=<value>;<var>=<value>...';
const SEND_DTMF_SYNTAX = '<uuid> <dtmf_data>';

const bridge: ApiCommand = {
  name: 'uuid_bridge',
  run: (core, argument) => {
    const [first, ...others] = splitArguments(argument);
    if (others.length === 0) return usage('<uuid> <other_uuid>');
    for (const uuid of others.slice(0, 2)) {
      const originator = core.channel(first);
      const originatee = core.channel(uuid);
      if (originator === undefined || originatee === undefined) continue;
      if (LegBridge.connect(originator, originatee)) return `+OK ${uuid}\n`;
    }
    return '-ERR Invalid uuid\n';
  },
};

const transfer = aboutChannel('uuid_transfer', TRANSFER_SYNTAX, (channel, rest) => {
  const words = splitArguments(rest);
  const leg = words[0]?.startsWith('-') === true ? words.shift()?.toLowerCase() : undefined;
  const [destination, dialplan] = words;
  if (destination === undefined) return usage(TRANSFER_SYNTAX);
  const { bridge: joined } = channel;
  const other = joined?.other(channel);
  const legs =
    leg === '-both' ? [other, channel] : [leg === '-bleg' ? (other ?? channel) : channel];
  if (leg === '-both') joined?.end();
  const plan = inlinePlan(destination, dialplan);
  for (const moved of legs) {
    if (moved === undefined) continue;
    if (plan === undefined) moved.hangUp('NO_ROUTE_DESTINATION');
    else moved.transfer(plan);
  }
  return OK;
});

const setvar = aboutChannel('uuid_setvar', '<uuid> <var> [value]', (channel, rest) => {
  const words = splitArguments(rest);
  const [name, value] = words;
  if (name === undefined || words.length > 2) return usage('<uuid> <var> [value]');
  channel.variables.set(name, value);
  return OK;
});

const setvarMulti: ApiCommand = {
  name: 'uuid_setvar_multi',
  run: (core, argument) => {
    const blank = argument.indexOf(' ');
    if (blank === -1) return usage(SETVAR_MULTI_SYNTAX);
    const channel = core.channel(argument.slice(0, blank));
    if (channel === undefined) return NO_SUCH_CHANNEL + usage(SETVAR_MULTI_SYNTAX);
    let set = 0;
    for (const assignment of argument.slice(blank + 1).split(';')) {
      const equals = assignment.indexOf('=');
      const name = (equals === -1 ? assignment : assignment.slice(0, equals)).trim();
      if (name === '') continue;
      channel.variables.set(name, equals === -1 ? undefined : assignment.slice(equals + 1));
      set += 1;
    }
    return set > 0 ? OK : usage(SETVAR_MULTI_SYNTAX);
  },
};

const sendDtmf: ApiCommand = {
  name: 'uuid_send_dtmf',
  run: (core, argument) => {
    const [uuid, digits] = splitArguments(argument);
    if (uuid === undefined || digits === undefined) return usage(SEND_DTMF_SYNTAX);
    const channel = core.channel(uuid);
    if (channel === undefined) return '-ERR Cannot locate session!\n';
    if (!channel.media.sendDigits(digits)) return '-ERR Operation failed\n';
    return `+OK ${uuid} sent DTMF ${digits}.\n`;
  },
};

const setMediaStats: ApiCommand = {
  name: 'uuid_set_media_stats',
  run: (core, argument) => {
    const uuid = argument.trim();
    if (uuid === '') return usage('<uuid>');
    const channel = core.channel(uuid);
    if (channel === undefined) return `-ERR No such channel ${uuid}!\n`;
    for (const [name, value] of mediaStatsVariables(channel.media.session.stats())) {
      channel.variables.set(name, value);
    }
    return '+OK:\n';
  },
};

const schedHangup: ApiCommand = {
  name: 'sched_hangup',
  run: (core, argument) => {
    const [when, uuid, cause] = splitArguments(argument);
    if (when === undefined) return usage('[+]<time> <uuid> [<cause>]');
    const channel = core.channel(uuid);
    if (channel === undefined) return NO_SUCH_CHANNEL;
    core.scheduler.hangUp(channel, when, cause);
    return OK;
  },
};

export const channelCommands: readonly ApiCommand[] = [
  bridge,
  transfer,
  setvar,
  setvarMulti,
  sendDtmf,
  setMediaStats,
  schedHangup,
  aboutChannel('uuid_break', '<uuid> [all]', (channel, rest) => {
    if (rest.includes('both')) channel.bridge?.other(channel).break(rest.includes('all'));
    channel.break(rest.includes('all'));
    return OK;
  }),
  aboutChannel('uuid_kill', '<uuid> [cause]', (channel, rest) => {
    channel.hangUp(rest === '' ? 'NORMAL_CLEARING' : causeNamed(rest));
    return OK;
  }),
  aboutChannel('uuid_media_reneg', '<uuid>[ <codec_string>]', (channel) => {
    channel.renegotiate();
    return '+OK Success\n';
  }),
  aboutChannel('uuid_park', '<uuid>', (channel) => {
    channel.bridge?.legLeft(channel);
    channel.leaveFor(() => channel.parkAfterBridge());
    return OK;
  }),
  aboutChannel('uuid_dump', '<uuid> [format]', (channel, rest) => {
    const format = rest.toLowerCase();
    const data = channelData(channel);
    if (format === 'json') return JSON.stringify(data);
    return `${headerLines(data, format === 'plain' ? (value) => `[${value}]` : undefined)}\n`;
  }),
  aboutChannel('uuid_getvar', '<uuid> <var>', (channel, rest) => {
    if (rest === '') return usage('<uuid> <var>');
    return channel.variables.get(splitArguments(rest)[0] ?? '') ?? '_undef_';
  }),
  aboutChannel('uuid_flush_dtmf', '<uuid>', (channel) => {
    channel.digits.clear();
    return OK;
  }),
  {
    name: 'uuid_exists',
    run: (core, argument) => (core.channels.has(argument.trim()) ? 'true' : 'false'),
  },
];
