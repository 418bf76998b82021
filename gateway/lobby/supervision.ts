/**
 * Supervisors of one lobby: each a leg of their own that eavesdrops on the representative's channel, so
 * that it lasts over all of its customers and takes nothing from their bridge. FreeSWITCH reads the mode
 * when `eavesdrop` begins, and hears no command while it runs: to change it, the leg is parked and
 * begins anew.
 */
import type { LobbyMonitor, MonitorMode } from '../../machines/lobby-commands.ts';
import type { EventOf } from '../../machines/telephony-events.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import { offerFor } from '../media/sdp-offer.ts';
import { SipLadder } from '../sip/sip-ladder.ts';
import type { LobbyParts } from './lobby-parts.ts';
import { PhoneLeg } from './phone-leg.ts';
import { phoneUri } from './phone-uri.ts';

const RING_LIMIT_MS = 45_000;
const SUPERVISORS_MAX = 4;
/** Longer than any leg is held: only an end that was never told gets here. */
const EAVESDROP_LIMIT_MS = 24 * 3_600_000;

type EndReason = EventOf<'lobby.monitorEnded'>['reason'];
export type SupervisionParts = Pick<LobbyParts, 'services' | 'outlet'> & {
  readonly lobby: MediaEndpoint;
};

export class Supervision {
  readonly #parts: SupervisionParts;
  readonly #supervisors = new Map<string, Supervisor>();

  constructor(parts: SupervisionParts) {
    this.#parts = parts;
  }

  /** False when it cannot be taken. */
  monitor({ monitorId, mode, sipUri }: LobbyMonitor): boolean {
    const known = this.#supervisors.get(monitorId);
    if (known !== undefined) {
      known.change(mode);
      return true;
    }
    const target = phoneUri(sipUri);
    if (!target.ok || this.#supervisors.size >= SUPERVISORS_MAX) return false;
    const supervisor = new Supervisor(monitorId, mode, this.#parts, () => {
      this.#supervisors.delete(monitorId);
    });
    this.#supervisors.set(monitorId, supervisor);
    supervisor.call(target.uri);
    return true;
  }

  stop(monitorId: string): boolean {
    const supervisor = this.#supervisors.get(monitorId);
    supervisor?.end('stopped', 'by lobby.unmonitor');
    return supervisor !== undefined;
  }

  close(): void {
    for (const supervisor of [...this.#supervisors.values()]) {
      supervisor.end('lobbyLeft', 'the representative left');
    }
  }
}

class Supervisor {
  readonly #id: string;
  readonly #parts: SupervisionParts;
  readonly #onOver: () => void;
  #mode: MonitorMode;
  #endpoint: MediaEndpoint | undefined;
  #leg: PhoneLeg | undefined;
  #withdraw: (() => void) | undefined;
  #timer: unknown;
  #isListening = false;
  #over = false;

  constructor(id: string, mode: MonitorMode, parts: SupervisionParts, onOver: () => void) {
    this.#id = id;
    this.#mode = mode;
    this.#parts = parts;
    this.#onOver = onOver;
  }

  call(uri: string): void {
    const { services, lobby } = this.#parts;
    this.#timer = services.clock.setTimeout(
      () => this.end('refused', `not answered within ${RING_LIMIT_MS} ms`),
      RING_LIMIT_MS,
    );
    const withdraw = services.pool.acquire(RING_LIMIT_MS, (acquired) => {
      this.#withdraw = undefined;
      if (acquired.kind === 'none') this.end('media', acquired.problem);
      else if (this.#over) services.pool.giveBack(acquired.endpoint);
      else this.#invite(uri, acquired.endpoint);
    });
    if (this.#endpoint === undefined && !this.#over) this.#withdraw = withdraw;
    lobby.gone.onFire(() => this.end('lobbyLeft', 'the representative left'));
  }

  change(mode: MonitorMode): void {
    this.#mode = mode;
    const endpoint = this.#endpoint;
    // What listens now ends by it, and begins anew with the other mode.
    if (this.#isListening && endpoint !== undefined) {
      void endpoint.command('uuid_transfer', `${endpoint.channelId} park inline`);
    }
  }

  end(reason: EndReason, detail: string): void {
    if (this.#over) return;
    this.#over = true;
    const { services, outlet } = this.#parts;
    services.clock.clearTimeout(this.#timer);
    this.#withdraw?.();
    this.#leg?.end();
    this.#endpoint?.release();
    outlet.emit({ type: 'lobby.monitorEnded', monitorId: this.#id, reason, detail });
    this.#onOver();
  }

  #invite(uri: string, endpoint: MediaEndpoint): void {
    const { services } = this.#parts;
    this.#endpoint = endpoint;
    endpoint.gone.onFire((problem) => this.end('media', problem));
    const offer = offerFor(endpoint.localSdp, ['PCMU', 'PCMA']);
    if (offer === undefined) {
      this.end('media', 'the media server offers neither PCMU nor PCMA');
      return;
    }
    const headers = { From: '"Ringfence" <sip:ringfence@localhost>', 'User-Agent': 'Ringfence' };
    const ladder = new SipLadder(() => services.clock.now());
    this.#leg = new PhoneLeg({
      ...{ services, endpoint, ladder, uri, headers, offer },
      handlers: {
        onAnswered: () => void this.#listen(endpoint),
        onRefused: (_statusCode, detail) => this.end('refused', detail),
        onLost: () => this.end('media', 'drachtio was lost'),
        onLeft: () => this.end('supervisor', 'BYE'),
        onMediaProblem: (problem) => this.end('media', problem),
        onDigit: () => undefined,
      },
    });
    this.#leg.start();
  }

  async #listen(endpoint: MediaEndpoint): Promise<void> {
    const { services, lobby, outlet } = this.#parts;
    services.clock.clearTimeout(this.#timer);
    await this.#leg?.mediaReady;
    while (!this.#over) {
      const mode = this.#mode;
      if (!(await this.#setMode(endpoint, mode)) || this.#isOver()) break;
      outlet.emit({ type: 'lobby.monitoring', monitorId: this.#id, mode });
      this.#isListening = true;
      const outcome = await endpoint.run('eavesdrop', lobby.channelId, EAVESDROP_LIMIT_MS);
      this.#isListening = false;
      if (outcome.kind !== 'done' || mode === this.#mode) break;
    }
    this.end('media', 'the media server ended it');
  }

  /** MUX_WRITE and MUX_READ of FreeSWITCH: what the representative hears, and their voice. */
  async #setMode(endpoint: MediaEndpoint, mode: MonitorMode): Promise<boolean> {
    const variables = {
      enable_dtmf: false, // a key of the supervisor's must not change who hears them
      whisper_bleg: mode !== 'listen',
      whisper_aleg: mode === 'barge',
    };
    for (const [name, value] of Object.entries(variables)) {
      const args = `${endpoint.channelId} eavesdrop_${name} ${String(value)}`;
      if ((await endpoint.command('uuid_setvar', args)).kind !== 'done') return false;
    }
    return true;
  }

  /** A function, since it changes while something is awaited. */
  #isOver(): boolean {
    return this.#over;
  }
}
