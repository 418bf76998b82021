/**
 * One conference: who is in it, who hears whom, and the `conference::maintenance` events that tell.
 * Names, flags and events are those of mod_conference; of its profile's talk detection there is none:
 * everybody who may speak is mixed, as with its flag `audio-always`.
 */
import { randomUUID } from 'node:crypto';
import type { AudioSource } from '../media/audio-source.ts';
import { ConferenceMixer, type Seat } from '../media/conference-mixer.ts';
import type { MediaClock } from '../media/media-clock.ts';
import { SAMPLES_PER_MS } from '../media/audio-format.ts';
import { CountedSource } from './applications/counted-source.ts';
import type { Channel } from './channel.ts';
import type { SwitchCore } from './switch-core.ts';

export interface Member {
  readonly id: number;
  readonly channel: Channel;
  readonly seat: Seat;
  readonly flags: ReadonlySet<string>;
  /** Ends the member's `conference` application. */
  readonly leave: () => void;
}

const SUBCLASS = 'conference::maintenance';
/** Files queued for everybody or for one member. */
const FILES_MAX = 64;

interface Queued {
  readonly file: string;
  readonly source: CountedSource;
}

export class Conference {
  readonly name: string;
  readonly profile: string;
  readonly uuid: string = randomUUID();
  readonly members = new Map<number, Member>();
  isLocked = false;
  /** 0 = no limit. */
  membersMax = 0;
  readonly #core: SwitchCore;
  readonly #mixer: ConferenceMixer;
  readonly #onEmpty: () => void;
  /** By member id; 0 = everybody. */
  readonly #queues = new Map<number, Queued[]>();
  #lastId = 0;
  #ending = false;
  #isGone = false;

  constructor(
    core: SwitchCore,
    clock: MediaClock,
    names: { name: string; profile: string },
    onEmpty: () => void,
  ) {
    this.#core = core;
    this.name = names.name;
    this.profile = names.profile;
    this.#mixer = new ConferenceMixer(clock);
    this.#onEmpty = onEmpty;
    this.#tell('conference-create');
  }

  /** Members that are counted: those without `ghost`. */
  get size(): number {
    return [...this.members.values()].filter(({ flags }) => !flags.has('ghost')).length;
  }

  get isFull(): boolean {
    return this.membersMax > 0 && this.size >= this.membersMax;
  }

  join(channel: Channel, flags: ReadonlySet<string>, leave: () => void): Member {
    const seat = this.#mixer.add(channel.media.session);
    seat.canSpeak = !flags.has('mute');
    seat.canHear = !flags.has('deaf');
    const member: Member = {
      id: this.#core.conferences.nextMemberId(),
      channel,
      seat,
      flags,
      leave,
    };
    this.#lastId = member.id;
    this.members.set(member.id, member);
    channel.variables.set('conference_name', this.name);
    channel.variables.set('conference_member_id', String(member.id));
    channel.variables.set('conference_uuid', this.uuid);
    this.tellOf(member, 'add-member');
    return member;
  }

  /** `mintwo` and `endconf` take effect here: the rest is sent away. */
  left(member: Member): void {
    if (!this.members.delete(member.id)) return;
    this.#mixer.remove(member.seat);
    this.#queues.delete(member.id);
    this.tellOf(member, 'del-member');
    const rest = [...this.members.values()];
    const isLastEnder =
      member.flags.has('endconf') && !rest.some(({ flags }) => flags.has('endconf'));
    const isTooSmall = this.size < 2 && [member, ...rest].some(({ flags }) => flags.has('mintwo'));
    if ((isLastEnder || isTooSmall) && !this.#ending) {
      this.#ending = true;
      for (const other of rest) other.leave();
    }
    if (this.members.size > 0 || this.#isGone) return;
    this.#isGone = true;
    this.#tell('conference-destroy');
    this.#onEmpty();
  }

  /** The members a command means: an id, `all`, `last`, `non_moderator`. */
  target(who: string | undefined): Member[] {
    const everybody = [...this.members.values()];
    switch (who?.toLowerCase()) {
      case 'all':
        return everybody;
      case 'non_moderator':
        return everybody.filter(({ flags }) => !flags.has('moderator'));
      case 'last':
        return everybody.filter(({ id }) => id === this.#lastId);
      default:
        return everybody.filter(({ id }) => String(id) === who);
    }
  }

  /** Queued behind what plays already; `memberId` 0 plays it to everybody. */
  play(memberId: number, file: string, source: AudioSource): boolean {
    const queue = this.#queues.get(memberId) ?? [];
    if (queue.length >= FILES_MAX) return false;
    this.#queues.set(memberId, queue);
    queue.push({ file, source: new CountedSource(source, undefined, Infinity) });
    if (queue.length === 1) this.#playNext(memberId, queue);
    return true;
  }

  /** How many files were ended or taken off the queue. */
  stop(memberId: number, all: boolean): number {
    const queue = this.#queues.get(memberId) ?? [];
    const count = all ? queue.length : Math.min(1, queue.length);
    if (count === 0) return 0;
    queue.splice(1, count - 1);
    this.#ended(memberId, queue);
    return count;
  }

  tellOf(member: Member, action: string, more: Readonly<Record<string, string>> = {}): void {
    const { seat, flags, id } = member;
    member.channel.events.fire(
      'CUSTOM',
      {
        ...this.#headers(),
        Hear: String(seat.canHear),
        Speak: String(seat.canSpeak),
        Talking: 'false',
        'Member-ID': String(id),
        'Member-Type': flags.has('moderator') ? 'moderator' : 'member',
        'Member-Ghost': String(flags.has('ghost')),
        Action: action,
        ...more,
      },
      SUBCLASS,
    );
  }

  #playNext(memberId: number, queue: readonly Queued[]): void {
    const playing = this.#player(memberId);
    const next = queue[0];
    if (next === undefined || playing === undefined) return;
    playing.onSourceEnd = () => this.#ended(memberId, queue as Queued[]);
    playing.source = next.source;
    this.#tellFile(memberId, memberId === 0 ? 'play-file' : 'play-file-member', {
      File: next.file,
    });
  }

  #ended(memberId: number, queue: Queued[]): void {
    const played = queue.shift();
    const playing = this.#player(memberId);
    if (playing !== undefined) playing.source = undefined;
    if (played === undefined) return;
    const { playedSamples } = played.source;
    this.#tellFile(memberId, memberId === 0 ? 'play-file-done' : 'play-file-member-done', {
      seconds: String(Math.floor(playedSamples / SAMPLES_PER_MS / 1_000)),
      milliseconds: String(Math.floor(playedSamples / SAMPLES_PER_MS)),
      samples: String(playedSamples),
      File: played.file,
    });
    this.#playNext(memberId, queue);
  }

  #player(memberId: number): ConferenceMixer | Seat | undefined {
    return memberId === 0 ? this.#mixer : this.members.get(memberId)?.seat;
  }

  #tellFile(memberId: number, action: string, more: Readonly<Record<string, string>>): void {
    const member = this.members.get(memberId);
    if (member === undefined) this.#tell(action, more);
    else this.tellOf(member, action, more);
  }

  #tell(action: string, more: Readonly<Record<string, string>> = {}): void {
    this.#core.bus.fire({
      name: 'CUSTOM',
      subclass: SUBCLASS,
      fill: (headers) => Object.assign(headers, this.#headers(), { Action: action }, more),
    });
  }

  #headers(): Record<string, string> {
    return {
      'Conference-Name': this.name,
      'Conference-Domain': this.#core.host,
      'Conference-Size': String(this.size),
      'Conference-Ghosts': String(this.members.size - this.size),
      'Conference-Profile-Name': this.profile,
      'Conference-Unique-ID': this.uuid,
    };
  }
}
