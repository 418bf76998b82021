/** `conference <name> <command> ...`: what a moderator may do, in mod_conference's words. */
import { PcmSource, type AudioSource } from '../../media/audio-source.ts';
import { isStreamUri, openStream } from '../../media/tone-stream.ts';
import { splitArguments, toInteger } from '../arguments.ts';
import type { Conference, Member } from '../conference.ts';
import type { SwitchCore } from '../switch-core.ts';
import { usage, type ApiCommand } from './api-command.ts';

const SYNTAX = 'conference [list|<conf name> <command> [<arguments>]]';

type Command = (
  conference: Conference,
  words: readonly string[],
  core: SwitchCore,
) => string | Promise<string>;

/** A command about members; what it says for each, after what it does. */
function aboutMembers(effect: (conference: Conference, member: Member) => string): Command {
  return (conference, [who]) => {
    const members = conference.target(who);
    if (members.length === 0) return `-ERR Non-Existant ID ${who ?? ''}\n`;
    return members.map((member) => effect(conference, member)).join('');
  };
}

function setter(word: string, set: (member: Member) => void): Command {
  return aboutMembers((conference, member) => {
    set(member);
    conference.tellOf(member, `${word}-member`);
    return `+OK ${word} ${member.id}\n`;
  });
}

/** The member's application ends as soon as the answer is on its way. */
function remover(said: string, action: string): Command {
  return aboutMembers((conference, member) => {
    conference.tellOf(member, action);
    member.leave();
    return `+OK ${said} ${member.id}\n`;
  });
}

const COMMANDS: Readonly<Record<string, Command>> = {
  mute: setter('mute', ({ seat }) => (seat.canSpeak = false)),
  unmute: setter('unmute', ({ seat }) => (seat.canSpeak = true)),
  deaf: setter('deaf', ({ seat }) => (seat.canHear = false)),
  undeaf: setter('undeaf', ({ seat }) => (seat.canHear = true)),
  kick: remover('kicked', 'kick-member'),
  hup: remover('hup', 'hup-member'),
  list: (conference, [what]) => {
    if (what === 'count') return String(conference.size);
    return [...conference.members.values()].map(memberLine).join('');
  },
  count: (conference) => String(conference.size),
  lock: (conference) => {
    conference.isLocked = true;
    return `+OK ${conference.name} locked\n`;
  },
  unlock: (conference) => {
    conference.isLocked = false;
    return `+OK ${conference.name} unlocked\n`;
  },
  relate,
  play,
  stop: (conference, [what, id]) => {
    const memberId = id === undefined ? 0 : toInteger(id);
    if (memberId !== 0 && !conference.members.has(memberId)) return memberNotFound(id);
    return `+OK Stopped ${conference.stop(memberId, what === 'all')} files.\n`;
  },
  get: (conference, [name = '']) => {
    const values: Readonly<Record<string, string>> = {
      count: String(conference.size),
      count_ghosts: String(conference.members.size - conference.size),
      max_members: String(conference.membersMax),
      profile_name: conference.profile,
      uuid: conference.uuid,
      rate: '8000',
      is_locked: conference.isLocked ? 'locked' : '',
    };
    return values[name] ?? '-ERR Invalid parameter\n';
  },
  set: (conference, [name, value]) => {
    if (name !== 'max_members') return '-ERR Invalid parameter\n';
    const before = conference.membersMax;
    conference.membersMax = Math.max(0, toInteger(value));
    return `${before}\n`;
  },
};

function memberNotFound(id: string | undefined): string {
  return `-ERR Member: ${id ?? ''} not found.\n`;
}

function memberLine({ id, channel, seat, flags }: Member): string {
  const words = [
    ...(seat.canHear ? ['hear'] : []),
    ...(seat.canSpeak ? ['speak'] : []),
    ...['moderator', 'ghost', 'endconf'].filter((flag) => flags.has(flag)),
  ];
  const { callerIdNumber } = channel.profile;
  const fields = [id, channel.name, channel.uuid, callerIdNumber, callerIdNumber, words.join('|')];
  return `${fields.join(';')};0;0;0;300\n`;
}

/**
 * `relate <ids> <other ids> nohear|nospeak|clear`: the ids do not hear the others, or are not heard by
 * them. A whisper is a coach who is `nospeak` to all but one.
 */
function relate(conference: Conference, words: readonly string[]): string {
  const [ids, otherIds, action] = words;
  if (ids === undefined || otherIds === undefined) return '+OK No relationships\n';
  const isClear = action?.toLowerCase() === 'clear';
  const nospeak = action?.includes('nospeak') === true;
  const nohear = action?.includes('nohear') === true;
  if (action === undefined || !(isClear || nospeak || nohear)) return usage(SYNTAX);
  const answers: string[] = [];
  for (const id of ids.split(',')) {
    for (const otherId of otherIds.split(',')) {
      const seat = conference.members.get(toInteger(id))?.seat;
      const other = conference.members.get(toInteger(otherId))?.seat;
      if (seat === undefined || other === undefined) {
        answers.push(`-ERR relationship ${toInteger(id)}->${toInteger(otherId)} not found.\n`);
        continue;
      }
      seat.unheard.delete(other);
      other.unheard.delete(seat);
      if (nohear) seat.unheard.add(other);
      if (nospeak) other.unheard.add(seat);
      const what = isClear ? 'cleared.' : `${action} set`;
      const named = isClear ? 'relationship ' : '';
      answers.push(`+OK ${named}${toInteger(id)}->${toInteger(otherId)} ${what}\n`);
    }
  }
  return answers.join('');
}

/** `play <file> [<member id>]`; answered when the file is open, not when it is over. */
async function play(
  conference: Conference,
  words: readonly string[],
  core: SwitchCore,
): Promise<string> {
  const [file = '', who] = words;
  const memberId = who === undefined || who === 'async' ? 0 : toInteger(who);
  if (memberId !== 0 && !conference.members.has(memberId)) return memberNotFound(who);
  const source = await open(core, file);
  if (source === undefined || !conference.play(memberId, file, source)) {
    return `-ERR (play) File: ${file === '' ? '(unspecified)' : file} not found.\n`;
  }
  const to = memberId === 0 ? '' : ` to member ${memberId}`;
  return `+OK (play) Playing file ${file}${to}\n`;
}

async function open(core: SwitchCore, file: string): Promise<AudioSource | undefined> {
  if (!isStreamUri(file)) {
    const pcm = await core.prompts.open(file);
    return pcm && new PcmSource(pcm);
  }
  try {
    return openStream(file);
  } catch {
    return undefined;
  }
}

export const conferenceCommands: readonly ApiCommand[] = [
  {
    name: 'conference',
    run: (core, argument) => {
      const [name, verb, ...words] = splitArguments(argument);
      if (name === undefined) return usage(SYNTAX);
      if (name === 'list' || name === 'count') return listAll(core);
      const conference = core.conferences.get(name);
      if (conference === undefined) return `-ERR Conference ${name} not found\n`;
      const command = COMMANDS[verb?.toLowerCase() ?? ''];
      if (command === undefined) return `-ERR Conference command '${verb ?? ''}' not found.\n`;
      return command(conference, words, core);
    },
  },
];

function listAll(core: SwitchCore): string {
  const lines = [...core.conferences.all].map(
    (conference) =>
      `+OK Conference ${conference.name} (${conference.size} member${conference.size === 1 ? '' : 's'} ` +
      `rate: 8000 flags: running)\n${[...conference.members.values()].map(memberLine).join('')}`,
  );
  return lines.length === 0 ? '+OK No active conferences.\n' : lines.join('');
}
