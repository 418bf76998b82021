/** The conferences of the switch, by name. One exists while somebody is in it. */
import { Conference } from './conference.ts';
import type { MediaClock } from '../media/media-clock.ts';
import type { SwitchCore } from './switch-core.ts';

export class Conferences {
  readonly #core: SwitchCore;
  readonly #byName = new Map<string, Conference>();
  #memberId = 0;

  constructor(core: SwitchCore) {
    this.#core = core;
  }

  get all(): Iterable<Conference> {
    return this.#byName.values();
  }

  get(name: string): Conference | undefined {
    return this.#byName.get(name);
  }

  /** Member ids count over all conferences, as in FreeSWITCH. */
  nextMemberId(): number {
    this.#memberId += 1;
    return this.#memberId;
  }

  create(name: string, profile: string, clock: MediaClock): Conference {
    const conference = new Conference(this.#core, clock, { name, profile }, () => {
      this.#byName.delete(name);
    });
    this.#byName.set(name, conference);
    return conference;
  }
}
