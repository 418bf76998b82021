/** What tests of the media half set up: fsmrf connected, and endpoints with a far end each. */
import { once } from 'node:events';
import type { Test } from 'tap';
import type { MediaTarget } from './media-target.ts';
import { MrfClient, type Endpoint, type EslEvent } from './mrf-client.ts';
import { RtpFarEnd } from './rtp-far-end.ts';
import { SrfClient, type SrfRequest } from './srf-client.ts';

export interface Leg {
  readonly endpoint: Endpoint;
  readonly far: RtpFarEnd;
}

export interface Stage {
  readonly mrf: MrfClient;
  /** An endpoint whose media is connected to a far end of the test's. */
  leg: () => Promise<Leg>;
  far: () => Promise<RtpFarEnd>;
}

export async function stage(t: Test, target: MediaTarget): Promise<Stage> {
  const client = await SrfClient.connect(target.control, 'media');
  const mrf = await MrfClient.connect(client, target.esl);
  const far = async (): Promise<RtpFarEnd> => {
    const end = await RtpFarEnd.open(target.esl.ourHost);
    t.teardown(() => end.close());
    return end;
  };
  /** Those whose BYE has not come: fsmrf's `destroy` would wait for it for ever. */
  const open = new Set<Endpoint>();
  const leg = async (): Promise<Leg> => {
    const end = await far();
    const endpoint = await mrf.endpoint(end.sdp());
    open.add(endpoint);
    endpoint.dialog.once('destroy', () => open.delete(endpoint));
    end.aim(endpoint.local.sdp);
    return { endpoint, far: end };
  };
  t.teardown(async () => {
    // The switch's own BYE may have crossed: then there is nothing left to end.
    await Promise.allSettled([...open].map(({ dialog }) => dialog.destroy()));
    mrf.close();
    client.close();
  });
  return { mrf, leg, far };
}

/** Resolves with the BYE that ends the endpoint's dialog. */
export async function byeOf({ dialog }: Endpoint): Promise<SrfRequest> {
  const [bye] = (await once(dialog, 'destroy')) as [SrfRequest];
  return bye;
}

export function eventOf(endpoint: Endpoint, name: string): Promise<EslEvent> {
  return new Promise((resolve) => {
    endpoint.conn.once(`esl::event::${name}::${endpoint.uuid}`, resolve);
  });
}

/** Resolves when the switch has done all this endpoint was told so far. */
export async function heard(endpoint: Endpoint): Promise<void> {
  await endpoint.api('uuid_getvar', `${endpoint.uuid} uuid`);
}
