/**
 * One channel of the media server, made for one call: warm in the pool, then the customer's, then
 * destroyed. It ends as a whole: when its event socket, its SIP dialog or its channel goes, `gone`
 * fires and whatever still waits for it is let go.
 */
import type { TappedChannel } from '../audio-taps/audio-tap.port.ts';
import type { GatewayClock } from '../clock.ts';
import type { GatewayCounters } from '../counters.ts';
import { OneTimeSignal } from '../one-time-signal.ts';
import type { DialogEnder } from '../sip/dialog-ender.ts';
import { dialogRecord } from '../sip/dialog-record.ts';
import type { SipLink } from '../sip/sip-link.ts';
import type { SipDialog, SipFailure, SipResponse } from '../sip/srf.port.ts';
import { askQuality, type CallQuality } from './call-quality.ts';
import type { EslEvent, FsmrfEndpoint } from './fsmrf.port.ts';
import { mediaWait, type MediaOutcome } from './media-wait.ts';
import { SPEAK } from './prompts.ts';
import { isSecureOnly, sameMedia } from './sdp-offer.ts';

/** FreeSWITCH counts the length of a DTMF event in samples at 8 kHz. */
const SAMPLES_PER_MS = 8;

/** How long the channel's event socket may outlive its BYE before it is closed from our side. */
const LINGER_MS = 2_000;

/**
 * No word is said sooner. FreeSWITCH tells no failure of `speak`: without the engine, or for a voice that it
 * does not know, it is over within some milliseconds, and nobody has heard anything.
 */
const SPOKEN_MS_MIN = 100;

export interface ReceivedDigit {
  readonly digit: string;
  readonly durationMs: number;
  /** As FreeSWITCH names it, e.g. RTP. */
  readonly source: string;
}

export interface MediaEndpointParts {
  readonly endpoint: FsmrfEndpoint;
  readonly dialog: SipDialog;
  readonly link: SipLink;
  readonly ender: DialogEnder;
  readonly clock: GatewayClock;
  readonly commandTimeoutMs: number;
  readonly counters: GatewayCounters;
  readonly mediaServerId: string;
}

export class MediaEndpoint {
  readonly gone = new OneTimeSignal<string>();
  readonly channelId: string;
  /** Legs on two media servers cannot be bridged. */
  readonly mediaServerId: string;
  onDigit: ((digit: ReceivedDigit) => void) | undefined;
  readonly #parts: MediaEndpointParts;
  /** Of one that speaks SRTP alone: its first SDP. Its offers of later have the same key and port. */
  readonly #secureSdp: string | undefined;
  #remoteSdp: string | undefined;
  /** One re-INVITE at a time. */
  #lastModify: Promise<MediaOutcome<string>> = Promise.resolve({ kind: 'done', value: '' });
  #playSettings: Promise<MediaOutcome<EslEvent>> | undefined;
  #dialogEnded = false;
  /** How often what was played has been broken off. */
  #breaks = 0;
  /** Applications ordered so far; the latest that plays; the latest known to have been begun. */
  #ordered = 0;
  #lastPlayback = 0;
  #begun = 0;
  #released = false;
  /** What is done with the media server's next offer, which was asked for. */
  #onReoffer: ((response: SipResponse) => void) | undefined;

  constructor(parts: MediaEndpointParts) {
    this.#parts = parts;
    const { endpoint, dialog } = parts;
    this.channelId = endpoint.uuid;
    this.mediaServerId = parts.mediaServerId;
    endpoint.on('destroy', () => this.#end('the channel ended'));
    endpoint.on('dtmf', (event: { dtmf?: string; duration?: string; source?: string }) => {
      this.onDigit?.({
        digit: (event.dtmf ?? '').toUpperCase(),
        durationMs: Math.round((Number(event.duration) || 0) / SAMPLES_PER_MS),
        source: (event.source ?? 'rtp').toLowerCase(),
      });
    });
    dialog.on('destroy', () => {
      this.#dialogEnded = true;
      this.#end('the media server hung up');
    });
    if (!isSecureOnly(dialog.remote.sdp)) return;
    this.#secureSdp = dialog.remote.sdp;
    dialog.on('modify', (_request, response) => {
      if (this.#onReoffer === undefined) response.send(488);
      else this.#onReoffer(response);
      this.#onReoffer = undefined;
    });
  }

  /** What the media server listens on: the offer that the INVITE is made from. */
  get localSdp(): string {
    const { dialog, endpoint } = this.#parts;
    return this.#secureSdp ?? dialog.remote.sdp ?? endpoint.local.sdp ?? '';
  }

  /**
   * Sends the media to where the far end asks for it, by a re-INVITE to the media server. Done at
   * once when nothing changed, as between a 183 and its 200. fsmrf's own `modify` would also fetch
   * all 200 channel variables, of which nothing is needed here. The value is the media server's answer;
   * `failed` means that it refuses this SDP. One that cannot be reached takes the channel with it: its
   * event socket may say so only later, or never, where its host is gone.
   */
  applyRemote(sdp: string): Promise<MediaOutcome<string>> {
    if (this.#remoteSdp !== undefined && sameMedia(this.#remoteSdp, sdp)) return this.#lastModify;
    this.#remoteSdp = sdp;
    const earlier = this.#lastModify;
    this.#lastModify = earlier.then((outcome) => {
      // After one that was refused srf holds every later one back for ever.
      if (outcome.kind !== 'done') return outcome;
      return this.#modify(sdp);
    });
    return this.#lastModify;
  }

  async #modify(sdp: string): Promise<MediaOutcome<string>> {
    const modified =
      this.#secureSdp === undefined ? this.#parts.dialog.modify(sdp) : this.#answerReoffer(sdp);
    const answer = modified.catch((error: unknown) => {
      if (!isRefusal(error))
        this.#end(`re-INVITE to the media server: ${(error as Error).message}`);
      throw error;
    });
    const outcome = await this.#wait(answer);
    if (outcome.kind !== 'timeout') return outcome;
    const problem = 'the media server did not answer a re-INVITE';
    this.#end(problem);
    return { kind: 'gone', problem };
  }

  /**
   * FreeSWITCH takes a new key of its own when it is offered another key than before *(measured)*, and the
   * far end has the old one already. To an answer it keeps its key: so it is asked for an offer, and
   * what the far end wants is the answer to that.
   */
  async #answerReoffer(sdp: string): Promise<string> {
    const { dialog, endpoint } = this.#parts;
    const acknowledged = new Promise<string>((resolve) => {
      this.#onReoffer = (response) => {
        dialog.once('ack', () => resolve(this.localSdp));
        response.send(200, { body: sdp, headers: { 'Content-Type': 'application/sdp' } });
      };
    });
    const said = (await endpoint.api('uuid_media_reneg', endpoint.uuid)).getBody() ?? '';
    if (!said.startsWith('+OK')) throw new Error(`uuid_media_reneg: ${said.trim()}`);
    return acknowledged;
  }

  /**
   * Plays files or streams one after the other, to the end whatever is pressed: by default the star
   * would end them. The limit is a last resort for a lost event.
   */
  async play(files: readonly string[], limitMs: number): Promise<MediaOutcome<EslEvent>> {
    const breaks = this.#breaks;
    let outcome = await this.#setForPlaying();
    for (const [application, argument] of playbackSteps(files)) {
      if (outcome.kind !== 'done') break;
      if (this.#breaks !== breaks) return { kind: 'failed', problem: 'broken off' };
      const beganAtMs = this.#parts.clock.now();
      const played = this.run(application, argument, limitMs);
      this.#lastPlayback = this.#ordered;
      outcome = await played;
      const tookMs = this.#parts.clock.now() - beganAtMs;
      if (application === 'speak' && outcome.kind === 'done' && this.#breaks === breaks) {
        if (tookMs < SPOKEN_MS_MIN) return { kind: 'failed', problem: 'nothing was spoken' };
      }
    }
    return outcome;
  }

  /** Once: the channel keeps it, and every application waits for a tick of FreeSWITCH's, 20 ms. */
  #setForPlaying(): Promise<MediaOutcome<EslEvent>> {
    this.#playSettings ??= this.run(
      'multiset',
      '^^;playback_delimiter=!;playback_terminators=none',
    ).then((outcome) => {
      if (outcome.kind !== 'done') this.#playSettings = undefined;
      return outcome;
    });
    return this.#playSettings;
  }

  /**
   * Lets this far end and the other's hear each other. Both channels stay when the other one goes:
   * without `park_after_bridge` FreeSWITCH would hang up the customer with the agent, unheard.
   */
  async bridgeWith(other: MediaEndpoint): Promise<MediaOutcome<undefined>> {
    const { endpoint } = this.#parts;
    await Promise.all([this.#settlePlaying(), other.#settlePlaying()]);
    for (const { channelId } of [this, other]) {
      const stays = await this.command('uuid_setvar', `${channelId} park_after_bridge true`);
      if (stays.kind !== 'done') return stays;
    }
    return this.command('uuid_bridge', `${endpoint.uuid} ${other.channelId}`);
  }

  /** Ends a bridge: both channels rest, and neither hears the other. */
  park(): Promise<MediaOutcome<undefined>> {
    return this.command('uuid_transfer', `${this.channelId} -both park inline`);
  }

  /** An application of the dial plan on this channel, until it is over. */
  async run(
    application: string,
    argument: string,
    limitMs?: number,
  ): Promise<MediaOutcome<EslEvent>> {
    this.#ordered += 1;
    const order = this.#ordered;
    const work = this.#parts.endpoint.execute(application, argument);
    const outcome = await this.#wait(work, limitMs);
    if (outcome.kind === 'done' && order > this.#begun) this.#begun = order;
    return outcome;
  }

  /** A command of the media server that answers `+OK`. */
  async command(name: string, args: string): Promise<MediaOutcome<undefined>> {
    const outcome = await this.#wait(this.#parts.endpoint.api(name, args));
    if (outcome.kind !== 'done') return outcome;
    const said = outcome.value.getBody() ?? '';
    if (said.startsWith('+OK')) return { kind: 'done', value: undefined };
    return { kind: 'failed', problem: `${name}: ${said.trim()}` };
  }

  /** `parked` runs whenever the channel comes to rest: after a bridge, with nobody to hear. */
  watchParking(parked: () => void): void {
    const { conn } = this.#parts.endpoint;
    conn?.on(`esl::event::CHANNEL_PARK::${this.channelId}`, () => {
      if (!this.#released) parked();
    });
    conn?.subscribe('CHANNEL_PARK');
  }

  /** Ends what is played, and forgets what waits behind it. */
  stopPlaying(): Promise<MediaOutcome<undefined>> {
    this.#breaks += 1;
    return this.command('uuid_break', `${this.channelId} all`);
  }

  /** This channel as a tap needs it. */
  get tapped(): TappedChannel {
    const { endpoint } = this.#parts;
    return {
      channelId: this.channelId,
      api: async (command, args) => {
        const answer = await this.#wait(endpoint.api(command, args));
        if (answer.kind === 'done') return answer.value.getBody() ?? '';
        throw new Error(answer.kind === 'timeout' ? `no answer to ${command}` : answer.problem);
      },
      message: async (headers) => {
        const reply = await this.#wait(sendMessage(endpoint, headers));
        if (reply.kind === 'done') return reply.value.getHeader('Reply-Text') ?? '';
        throw new Error(reply.kind === 'timeout' ? 'no answer to sendmsg' : reply.problem);
      },
    };
  }

  /** Audio packets received from the far end so far. */
  async packetsReceived(): Promise<MediaOutcome<number>> {
    const taken = await this.command('uuid_set_media_stats', this.channelId);
    if (taken.kind !== 'done') return taken;
    const asked = `${this.channelId} rtp_audio_in_media_packet_count`;
    const answer = await this.#wait(this.#parts.endpoint.api('uuid_getvar', asked));
    if (answer.kind !== 'done') return answer;
    const count = Number.parseInt(answer.value.getBody() ?? '', 10);
    if (Number.isInteger(count)) return { kind: 'done', value: count };
    return { kind: 'failed', problem: 'the media server counts no packets' };
  }

  /** The media server ends the call by itself after this, should the gateway die meanwhile. */
  scheduleHangup(afterMs: number): void {
    const seconds = Math.ceil(afterMs / 1_000);
    const args = `+${seconds} ${this.channelId} alloted_timeout`;
    void this.#wait(this.#parts.endpoint.api('sched_hangup', args));
  }

  /**
   * Ends the channel. Returns at once; `gone` fires now, the rest happens behind it. `onQuality` is told
   * how well the far end was heard, should the media server still know.
   */
  release(onQuality?: (quality: CallQuality) => void): void {
    if (this.#released) return;
    this.#released = true;
    if (onQuality !== undefined && !this.gone.fired) {
      void askQuality(this.#parts.endpoint).then((quality) => quality && onQuality(quality));
    }
    this.#parts.counters.endpointsReleased += 1;
    this.onDigit = undefined;
    this.#end('the endpoint was released');
    const { endpoint, dialog, link, ender } = this.#parts;
    // While drachtio is away the channel's own socket still reaches the media server.
    if (!link.isUp) endpoint.execute('hangup', 'NORMAL_CLEARING').catch(() => undefined);
    if (this.#dialogEnded) return;
    void ender.bye(dialogRecord(dialog)).then(() => {
      link.forget(dialog);
      this.#closeSocketLater();
    });
  }

  /**
   * Before a bridge: it ends what plays, but FreeSWITCH plays to its end first what it was ordered
   * and has not begun, and the bridge waits for it. What follows is nested into what plays: once it is
   * done, all before it has been begun.
   */
  async #settlePlaying(): Promise<void> {
    this.#breaks += 1;
    if (this.#lastPlayback > this.#begun) await this.run('set', 'ringfence_settled=true');
  }

  async #wait<T>(work: Promise<T>, limitMs?: number): Promise<MediaOutcome<T>> {
    const { clock, commandTimeoutMs, counters } = this.#parts;
    const until = { gone: this.gone, limitMs: limitMs ?? commandTimeoutMs, clock };
    const outcome = await mediaWait(work, until);
    if (outcome.kind === 'timeout') counters.mediaTimeouts += 1;
    return outcome;
  }

  #closeSocketLater(): void {
    const { endpoint, clock } = this.#parts;
    if (endpoint.conn === null) return;
    const timer = clock.setTimeout(() => endpoint.conn?.socket?.destroy(), LINGER_MS);
    endpoint.conn.on('esl::end', () => clock.clearTimeout(timer));
  }

  #end(problem: string): void {
    this.gone.fire(problem);
  }
}

/**
 * Whether the media server has looked at the offer and said no (RFC 3261 §21.4.26, RFC 5407). A 408 or 503
 * is made up by the stack where nothing answers, a 481 comes from a server that was started anew, and an
 * error without a code never left. All of these say that the channel is not there.
 */
function isRefusal(error: unknown): boolean {
  const { status } = error as SipFailure;
  return status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 481;
}

/** Files that follow each other are one `playback`; what is to be spoken is a `speak` of its own. */
function playbackSteps(
  files: readonly string[],
): (readonly [application: string, argument: string])[] {
  const steps: (readonly [string, string])[] = [];
  for (const file of files) {
    const last = steps.at(-1);
    if (file.startsWith(SPEAK)) steps.push(['speak', file.slice(SPEAK.length)]);
    else if (last?.[0] === 'playback') steps.splice(-1, 1, ['playback', `${last[1]}!${file}`]);
    else steps.push(['playback', file]);
  }
  return steps;
}

/** `sendmsg` to the channel, in one piece: its lines must not be parted by another command. */
function sendMessage(
  { conn, uuid }: FsmrfEndpoint,
  headers: Readonly<Record<string, string>>,
): Promise<EslEvent> {
  if (conn === null) return Promise.reject(new Error('the event socket of the channel has ended'));
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return new Promise((resolve) => {
    conn.sendRecv([`sendmsg ${uuid}`, ...lines].join('\n'), resolve);
  });
}
