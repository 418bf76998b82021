/** The applications this switch has, by the names FreeSWITCH gives them. */
import type { Application } from './application.ts';
import { channelControl } from './channel-control.ts';
import { conference } from './conference.ts';
import { playAndGetDigits, read } from './collect-digits.ts';
import { eavesdrop } from './eavesdrop.ts';
import { endlessPlayback, playback } from './playback.ts';
import { record, recordSession } from './record.ts';

const APPLICATIONS: ReadonlyMap<string, Application> = new Map(
  [
    ...channelControl,
    playback,
    endlessPlayback,
    read,
    playAndGetDigits,
    conference,
    eavesdrop,
    record,
    ...recordSession,
  ].map((application) => [application.name, application]),
);

export function applicationNamed(name: string): Application | undefined {
  return APPLICATIONS.get(name.toLowerCase());
}
