/** All trunks and groups of a gateway by name: built from the configuration, watched, told about. */
import type { TrunkConfig, TrunkGroupConfig } from '../../config/trunk.schema.ts';
import type { TrunkClosure } from '../../machines/gateway-events.ts';
import { DialerError } from '../../machines/errors.ts';
import type { OptionsOutcome, TrunkStateName } from '../../machines/trunk.events.ts';
import type { GatewayClock } from '../clock.ts';
import { Registration } from './registration.ts';
import { checkTrunk, type TrunkCheckParts, type TrunkVerdict } from './trunk-check.ts';
import { TrunkGroup } from './trunk-group.ts';
import { Trunk } from './trunk.ts';

export interface TrunkNews {
  /** A trunk, or a group: then the best state of its members. */
  readonly name: string;
  readonly state: TrunkStateName;
  readonly detail: string;
  /** Of a trunk, never of a group. */
  readonly closure?: TrunkClosure;
}

export interface TrunkDirectoryParts {
  readonly trunks: readonly TrunkConfig[];
  readonly groups: readonly TrunkGroupConfig[];
  readonly check: TrunkCheckParts;
  readonly clock: GatewayClock;
  /** Between two OPTIONS to one trunk; 0 turns them off. The first comes after one interval. */
  readonly intervalMs: number;
  readonly onNews: (news: TrunkNews) => void;
}

const KNOWN_DEAD: readonly TrunkVerdict['verdict'][] = ['connection_refused', 'unknown_host'];

/** The best first: what a group can do is what its best member can. */
const BEST_FIRST: readonly TrunkStateName[] = ['up', 'unknown', 'down', 'authFailed', 'suspended'];

export class TrunkDirectory {
  readonly trunks: ReadonlyMap<string, Trunk>;
  readonly groups: ReadonlyMap<string, TrunkGroup>;
  readonly #parts: TrunkDirectoryParts;
  readonly #toldOfGroups = new Map<string, TrunkStateName>();

  constructor(parts: TrunkDirectoryParts) {
    this.#parts = parts;
    this.trunks = new Map(parts.trunks.map((config) => [config.name, this.#make(config)]));
    this.groups = new Map(
      parts.groups.map(({ name, members }) => {
        const found = members.flatMap(({ trunk: member, priority, weight }) => {
          const trunk = this.trunks.get(member);
          return trunk === undefined ? [] : [{ trunk, priority, weight }];
        });
        return [name, new TrunkGroup(name, found)];
      }),
    );
  }

  start(): void {
    for (const trunk of this.trunks.values()) trunk.start();
  }

  /** One OPTIONS to a trunk. Throws UNKNOWN_TRUNK for one that is not there. */
  async check(name: string): Promise<TrunkVerdict> {
    const trunk = this.#named(name);
    const verdict = await checkTrunk(trunk, this.#parts.check);
    trunk.optionsDone(outcomeOf(verdict));
    return verdict;
  }

  /** No call is given to it until it is resumed, or until its configured time is over. */
  suspend(name: string, detail: string): void {
    this.#named(name).suspend(detail);
  }

  resume(name: string): void {
    this.#named(name).resume();
  }

  /** Un-registers. */
  async close(): Promise<void> {
    await Promise.all([...this.trunks.values()].map((trunk) => trunk.close()));
  }

  #named(name: string): Trunk {
    const trunk = this.trunks.get(name);
    if (trunk !== undefined) return trunk;
    const known = [...this.trunks.keys()].join(', ');
    throw new DialerError('UNKNOWN_TRUNK', `no trunk ${name}; there are: ${known || 'none'}`);
  }

  #make(config: TrunkConfig): Trunk {
    const { check, clock, intervalMs } = this.#parts;
    const registration = new Registration({ link: check.link, random: Math.random });
    const trunk: Trunk = new Trunk(config, {
      clock,
      keepAliveMs: intervalMs,
      options: async () => outcomeOf(await checkTrunk(trunk, check)),
      register: (seconds) => registration.register(trunk, seconds),
      onNews: () => this.#tell(trunk),
    });
    return trunk;
  }

  #tell(trunk: Trunk): void {
    const { onNews } = this.#parts;
    const { name: ofTrunk, state: now, stateDetail: detail, closure } = trunk;
    onNews({ name: ofTrunk, state: now, detail, ...(closure === undefined ? {} : { closure }) });
    for (const { name, members } of this.groups.values()) {
      if (!members.some((member) => member.trunk === trunk)) continue;
      const states = members.map((member) => member.trunk.state);
      const state = BEST_FIRST.find((one) => states.includes(one)) ?? 'unknown';
      if (state === (this.#toldOfGroups.get(name) ?? 'unknown')) continue;
      this.#toldOfGroups.set(name, state);
      onNews({ name, state, detail: `${trunk.name}: ${trunk.stateDetail}` });
    }
  }
}

/** A trunk out of reach of a switch that is down itself is not news about the trunk. */
function outcomeOf({ verdict, reachable, detail }: TrunkVerdict): OptionsOutcome {
  if (verdict === 'switch_down') return { state: 'unknown', detail, isDead: false };
  const state = reachable && verdict !== 'overloaded' ? 'up' : 'down';
  return { state, detail, isDead: KNOWN_DEAD.includes(verdict) };
}
