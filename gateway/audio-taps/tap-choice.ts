/** Which tap is used: by what the media server and we can both reach, as plain data for a thread. */
import type { AudioTapFactory } from './audio-tap.port.ts';
import { RecordFifoTaps } from './record-fifo-tap.ts';
import { UnicastTaps, type UnicastTapOptions } from './unicast-tap.ts';

export type TapChoice =
  | { readonly kind: 'recordFifo'; readonly folder: string }
  | ({ readonly kind: 'unicast' } & UnicastTapOptions);

export function tapsOf(choice: TapChoice): AudioTapFactory {
  switch (choice.kind) {
    case 'recordFifo':
      return new RecordFifoTaps(choice.folder);
    case 'unicast':
      return new UnicastTaps(choice);
  }
}
