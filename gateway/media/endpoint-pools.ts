/** The endpoints of a gateway: those in clear, kept warm, and for trunks with SRTP those made when needed. */
import type { TrunkConfig } from '../../config/trunk.schema.ts';
import type { EndpointPool } from './endpoint-pool.ts';
import type { MediaEndpoint } from './media-endpoint.ts';
import type { Codec } from './secure-offer.ts';

type Pool = EndpointPool<MediaEndpoint>;

export class EndpointPools {
  readonly plain: Pool;
  readonly #secure: ReadonlyMap<Codec, Pool>;

  /** `secureOf` makes a pool whose endpoints speak SRTP with that codec. */
  constructor(plain: Pool, trunks: readonly TrunkConfig[], secureOf: (codec: Codec) => Pool) {
    this.plain = plain;
    const codecs = trunks.flatMap((trunk) => (trunk.srtp === 'sdes' ? [firstCodec(trunk)] : []));
    this.#secure = new Map([...new Set(codecs)].map((codec) => [codec, secureOf(codec)]));
  }

  /** For a call over that trunk. */
  for(trunk: TrunkConfig): Pool {
    if (trunk.srtp === 'off') return this.plain;
    const pool = this.#secure.get(firstCodec(trunk));
    if (pool === undefined) throw new Error(`trunk ${trunk.name} is not one of ours`);
    return pool;
  }

  get creating(): number {
    return this.#all.reduce((sum, { counts }) => sum + counts.creating, 0);
  }

  resume(): void {
    for (const pool of this.#all) pool.resume();
  }

  pause(problem: string): void {
    for (const pool of this.#all) pool.pause(problem);
  }

  get #all(): readonly Pool[] {
    return [this.plain, ...this.#secure.values()];
  }
}

/** Whether a call that was prepared for one trunk can leave over the other. */
export function sharesEndpoints(one: TrunkConfig, other: TrunkConfig): boolean {
  if (one.srtp !== other.srtp) return false;
  return one.srtp === 'off' || firstCodec(one) === firstCodec(other);
}

function firstCodec({ codecs: [first = 'PCMU'] }: TrunkConfig): Codec {
  return first;
}
