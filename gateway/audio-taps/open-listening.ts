/** The ears of a gateway, as its configuration has them. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewayConfig } from '../../config/gateway.schema.ts';
import type { GatewayLog } from '../gateway-log.ts';
import { detectors } from './detectors.ts';
import type { ListeningPort } from './listening.port.ts';
import { ListeningRoom } from './listening-room.ts';
import { ListeningThread } from './listening-thread.ts';
import { tapsOf, type TapChoice } from './tap-choice.ts';

export interface OpenedListening {
  readonly port: ListeningPort;
  /** Resolves when what is heard is listened to at once. */
  readonly ready: Promise<void>;
  /** Ends its thread; frees the folder that was made for it. */
  close(): Promise<void>;
}

/**
 * The embedded switch writes into a folder that is made for it; another media server into the folder
 * that both sides name alike, and where there is none it sends datagrams, which end with the first
 * prompt.
 */
export function openListening(config: GatewayConfig, log: GatewayLog): OpenedListening {
  const { listenInThread, freeswitch } = config;
  const folder = openFolder(config);
  const choice: TapChoice =
    folder === undefined
      ? { kind: 'unicast', listenHost: freeswitch.listenHost, mediaHost: freeswitch.host }
      : { kind: 'recordFifo', folder };
  const thread = listenInThread ? new ListeningThread(choice, log) : undefined;
  return {
    port: thread ?? new ListeningRoom(tapsOf(choice), detectors),
    ready: thread?.ready ?? Promise.resolve(),
    close: async () => {
      await thread?.close();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A folder for this gateway's taps alone, without what an earlier run left; undefined: there is none. */
function openFolder({ id, embedded, tapsDir }: GatewayConfig): string | undefined {
  if (tapsDir === '') {
    return embedded ? mkdtempSync(join(tmpdir(), 'ringfence-taps-')) : undefined;
  }
  const folder = join(tapsDir, id);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o770 });
  return folder;
}
