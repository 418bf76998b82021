/** API commands about the switch as a whole. */
import { randomUUID } from 'node:crypto';
import { firstWord } from '../arguments.ts';
import { FREESWITCH_VERSION, type SwitchCore } from '../switch-core.ts';
import { upTime } from '../up-time.ts';
import type { ApiCommand } from './api-command.ts';

const RULE = '='.repeat(97);

/** The table drachtio-fsmrf looks through for the SIP address of the profile `drachtio_mrf`. */
function sofiaStatus(core: SwitchCore): string {
  const row = (name: string, type: string, data: string, state: string): string =>
    `${name.padStart(25)}\t${type.padStart(7)}\t${data.padStart(42)}\t${state}\n`;
  return (
    row('Name', 'Type', 'Data', 'State') +
    `${RULE}\n` +
    row('drachtio_mrf', 'profile', core.profileAddress, `RUNNING (${core.channels.size})`) +
    `${RULE}\n1 profile 0 aliases\n`
  );
}

function status(core: SwitchCore): string {
  const { rate } = core;
  return (
    `UP ${upTime(core.nowMs() - core.startedAtMs)}\n` +
    `FreeSWITCH (Version ${FREESWITCH_VERSION}) is ready\n` +
    `${core.sessionsTotal} session(s) since startup\n` +
    `${core.channels.size} session(s) - peak ${core.sessionsPeak}, last 5min ${core.sessionsPeak} \n` +
    `${rate.lastSecond} session(s) per Sec out of max ${rate.max ?? 0}, peak ${rate.peak}, last 5min ${rate.peak} \n` +
    `${core.sessionsMax} session(s) max\n` +
    'min idle cpu 0.00/100.00\n'
  );
}

const SHOW_COLUMNS = ['uuid', 'direction', 'created_epoch', 'name', 'state', 'dest', 'callstate'];

function channelRows(core: SwitchCore): string[][] {
  return [...core.channels.values()].map((channel) => [
    channel.uuid,
    'inbound',
    String(Math.floor(channel.createdAtMs / 1_000)),
    channel.name,
    channel.state,
    channel.profile.destination,
    channel.callState,
  ]);
}

function callRows(core: SwitchCore): string[][] {
  const bridges = new Set([...core.channels.values()].flatMap(({ bridge }) => bridge ?? []));
  return [...bridges].map(({ originator, originatee }) => [originator.uuid, originatee.uuid]);
}

/** `show channels|calls [count] [as json]` */
function show(core: SwitchCore, argument: string): string {
  const [what] = firstWord(argument);
  const columns = what === 'calls' ? ['uuid', 'b_uuid'] : SHOW_COLUMNS;
  if (what !== 'channels' && what !== 'calls') return '-USAGE: channels|calls [count] [as json]\n';
  const rows = what === 'calls' ? callRows(core) : channelRows(core);
  const asJson = /\bas json\b/.test(argument);
  if (/\bcount\b/.test(argument)) {
    return asJson ? JSON.stringify({ row_count: rows.length }) : `\n${rows.length} total.\n`;
  }
  if (asJson) {
    return JSON.stringify({
      row_count: rows.length,
      ...(rows.length === 0
        ? {}
        : {
            rows: rows.map((row) => Object.fromEntries(row.map((v, i) => [columns[i] ?? '', v]))),
          }),
    });
  }
  if (rows.length === 0) return '\n0 total.\n';
  return `${[columns, ...rows].map((row) => row.join(',')).join('\n')}\n\n${rows.length} total.\n`;
}

function version(core: SwitchCore, argument: string): string {
  if (argument.includes('short')) return `${FREESWITCH_VERSION.split('-')[0] ?? ''}\n`;
  return `FreeSWITCH Version ${FREESWITCH_VERSION} (embedded)\n`;
}

function globalVariable(core: SwitchCore, argument: string): string {
  const values: Readonly<Record<string, string>> = {
    hostname: core.hostname,
    local_ip_v4: core.host,
    core_uuid: core.uuid,
    switchname: core.hostname,
  };
  const name = argument.trim();
  if (name !== '') return values[name] ?? '';
  return Object.entries(values)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

export const systemCommands: readonly ApiCommand[] = [
  { name: 'status', run: status },
  { name: 'version', run: version },
  { name: 'show', run: show },
  { name: 'hostname', run: (core) => core.hostname },
  { name: 'create_uuid', run: () => randomUUID() },
  { name: 'global_getvar', run: globalVariable },
  { name: 'strepoch', run: (core) => String(Math.floor(core.nowMs() / 1_000)) },
  { name: 'echo', run: (core, argument) => argument },
  {
    name: 'sofia',
    run: (core, argument) =>
      /^\s*status\b/.test(argument) ? sofiaStatus(core) : 'Invalid Command\n',
  },
];
