/** The dial-in lobby as it is configured, in the shape that its calls use. */
import type { DialInConfig } from '../../config/representatives.schema.ts';
import type { DialInRefusal } from '../../machines/representative-directory.port.ts';

type Spoken = 'number' | 'pin' | 'admitted' | 'wrong';

export interface DialInSettings {
  /** Prompt ids or `say:<locale>:<text>`; empty: nothing is said. */
  readonly prompts: Readonly<
    Record<Spoken | Exclude<DialInRefusal, 'wrongPin' | 'unknownNumber'>, string>
  >;
  readonly triesMax: number;
  readonly pauseMs: number;
  readonly patienceMs: number;
  /** Let in → hung up, when nobody has invited them. */
  readonly waitMs: number;
}

export function dialInSettings(config: DialInConfig): DialInSettings {
  const { triesMax, pauseMs, patienceMs, waitMs } = config;
  return { ...{ triesMax, pauseMs, patienceMs, waitMs }, prompts: config.prompts };
}
