/** Transcription at a gateway as its configuration has it; what is missing is said at start. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import type { GatewayConfig } from '../../config/gateway.schema.ts';
import type { TranscriptionConfig } from '../../config/transcription.schema.ts';
import { DialerError } from '../../machines/errors.ts';
import { CommandTranscriber } from './command-transcriber.ts';
import { HttpTranscriber } from './http-transcriber.ts';
import type { Transcriber } from './transcriber.port.ts';
import { TranscriptionDesk, type TranscriptionDeskParts } from './transcription-desk.ts';

export function openTranscription(
  { id: gatewayId, recordingsDir, transcription }: GatewayConfig,
  services: Pick<TranscriptionDeskParts, 'clock' | 'log'>,
  publish: TranscriptionDeskParts['publish'],
): TranscriptionDesk {
  const { atOnceMax } = transcription;
  const transcriber = transcriberOf(transcription);
  return new TranscriptionDesk({
    ...{ gatewayId, recordingsDir, transcriber, atOnceMax, publish, ...services },
  });
}

function transcriberOf(config: TranscriptionConfig): Transcriber | undefined {
  switch (config.engine) {
    case 'off':
      return undefined;
    case 'http':
      return new HttpTranscriber(config);
    case 'command':
      return new CommandTranscriber(config);
  }
}

/** Rejects with CONFIG_INVALID when the program is not there. An endpoint may be away at a start. */
export async function requireTranscriber({ engine, command }: TranscriptionConfig): Promise<void> {
  if (engine !== 'command') return;
  const [program = ''] = command;
  if (await isProgram(program)) return;
  const detail =
    `gateway.transcription.command: ${program} is no program that can be run; install it, or set ` +
    'gateway.transcription.engine to off';
  throw new DialerError('CONFIG_INVALID', detail);
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
