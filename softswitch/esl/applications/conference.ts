/** `conference <name>[@<profile>][+<pin>][+flags{a|b}]`: the channel is in it until it is sent away. */
import type { AppRun } from '../app-run.ts';
import type { Conference, Member } from '../conference.ts';
import { lasting, type Application } from './application.ts';

export const conference: Application = lasting('conference', async (run) => {
  const wanted = parse(run.request.argument);
  if (wanted === undefined) return;
  const joined = conferenceFor(run, wanted);
  if (joined === undefined) return;
  await run.wait(
    (done) => {
      const member: Member = joined.join(run.channel, wanted.flags, done);
      return {
        cancel: () => joined.left(member),
        suspend: () => member.seat.attach(false),
        resume: () => member.seat.attach(true),
      };
    },
    { breakable: false },
  );
});

interface Wanted {
  readonly name: string;
  readonly profile: string;
  readonly flags: ReadonlySet<string>;
}

function parse(argument: string): Wanted | undefined {
  const [, name, profile, rest = ''] =
    /^([^@+\s]+)(?:@([^+\s]*))?(\+.*)?$/.exec(argument.trim()) ?? [];
  if (name === undefined) return undefined;
  const flags = /flags\{([^}]*)\}/.exec(rest)?.[1]?.split(/[|,]/) ?? [];
  return {
    name,
    profile: profile === undefined || profile === '' ? 'default' : profile,
    flags: new Set(flags.map((flag) => flag.trim().toLowerCase())),
  };
}

/** Undefined when the door is shut: locked, full, or not there and only to be joined. */
function conferenceFor(run: AppRun, { name, profile, flags }: Wanted): Conference | undefined {
  const { core } = run.channel;
  const existing = core.conferences.get(name);
  if (existing !== undefined) {
    return existing.isLocked || existing.isFull ? undefined : existing;
  }
  if (!flags.has('join-only')) return core.conferences.create(name, profile, core.clock);
  run.channel.events.fire(
    'CUSTOM',
    { 'Conference-Name': name, Action: 'rejected-join-only' },
    'conference::maintenance',
  );
  return undefined;
}
