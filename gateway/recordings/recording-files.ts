/** Where recordings go: a folder of the gateway, delivered there by the media server over HTTP. */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ExpectedRecording, MediaFiles } from '../media/media-files.ts';

export interface RecordingFile extends ExpectedRecording {
  /** Name inside the folder, which is what the dialer is told. */
  readonly location: string;
  readonly path: string;
}

export interface RecordingFiles {
  /** Throws when the folder cannot be made. */
  expect(attemptId: string, recordingId: string): RecordingFile;
}

export function recordingFiles(
  folder: string,
  files: Pick<MediaFiles, 'expectRecording'>,
): RecordingFiles {
  return {
    expect(attemptId, recordingId) {
      mkdirSync(folder, { recursive: true, mode: 0o750 });
      const location = `${plain(attemptId)}-${plain(recordingId)}.wav`;
      const path = resolve(folder, location);
      return { ...files.expectRecording(path), location, path };
    },
  };
}

/** Nothing that leaves the folder. */
function plain(id: string): string {
  return id.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64);
}
