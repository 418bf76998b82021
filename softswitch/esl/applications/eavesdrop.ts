/**
 * `eavesdrop <uuid>`: hears another channel, both what its far end says and what that hears, until one of
 * the two is gone or this one goes elsewhere. By variables of this channel, as in FreeSWITCH 1.10:
 *
 * eavesdrop_bridge_aleg, eavesdrop_bridge_bleg   hear only what the far end says, or only what it hears
 * eavesdrop_whisper_aleg                         speak with the far end's voice: the other side hears it
 * eavesdrop_whisper_bleg                         speak to the far end
 *
 * It does not hear itself. Keys that change the mode (`eavesdrop_enable_dtmf`) are not spoken here, nor
 * are groups, `all` and announcements.
 */
import { FrameFifo } from '../../media/frame-fifo.ts';
import type { AudioSource } from '../../media/audio-source.ts';
import type { MediaPeer } from '../../media/rtp-session.ts';
import { FRAME_SAMPLES } from '../../media/audio-format.ts';
import { clip } from '../../media/recording/recording.ts';
import type { Activity, AppRun } from '../app-run.ts';
import type { Channel } from '../channel.ts';
import { lasting, type Application } from './application.ts';

/** As in a bridge: evens out the order of ticks within a catch-up, 60 ms at the most. */
const FRAMES_MAX = 3;

export const eavesdrop: Application = lasting('eavesdrop', async (run) => {
  const target = run.channel.core.channel(run.request.argument.trim());
  if (target === undefined || target === run.channel || target.isDown) return;
  await run.wait((done) => listenTo(run, target, done), { breakable: false });
});

function listenTo(run: AppRun, target: Channel, done: () => void): Activity {
  const { variables, media } = run.channel;
  const wants = (name: string): boolean => variables.isTrue(`eavesdrop_${name}`);
  const isOneSided = wants('bridge_aleg') !== wants('bridge_bleg');
  const hearsFar = !isOneSided || wants('bridge_aleg');
  const hearsNear = !isOneSided || wants('bridge_bleg');
  const heard = new FrameFifo(FRAMES_MAX);
  const frame = new Int16Array(FRAME_SAMPLES);
  const untap = target.media.taps.add({
    frame: (received, sent) => {
      for (let i = 0; i < FRAME_SAMPLES; i += 1) {
        const far = hearsFar ? (received[i] as number) : 0;
        frame[i] = clip(far + (hearsNear ? (sent[i] as number) : 0));
      }
      heard.push(frame);
    },
  });
  const { overlays, whispers } = target.media.session;
  const mouths = [
    ...(wants('whisper_aleg') ? [mouth(overlays)] : []),
    ...(wants('whisper_bleg') ? [mouth(whispers)] : []),
  ];
  const peer: MediaPeer = {
    frame: (pcm) => {
      for (const { says } of mouths) says.push(pcm);
    },
    dtmf: () => undefined,
    read: (into) => {
      if (target.isDown) done();
      if (!heard.shift(into)) into.fill(0);
      return true;
    },
  };
  media.session.peer = peer;
  return {
    cancel: () => {
      untap();
      for (const { close } of mouths) close();
      if (media.session.peer === peer) media.session.peer = undefined;
    },
    suspend: () => {
      if (media.session.peer === peer) media.session.peer = undefined;
    },
    resume: () => {
      media.session.peer = peer;
    },
  };
}

/** A way into the other call. */
function mouth(into: Set<AudioSource>): { says: FrameFifo; close: () => void } {
  const says = new FrameFifo(FRAMES_MAX);
  const source: AudioSource = { read: (frame) => says.shift(frame) };
  into.add(source);
  return { says, close: () => into.delete(source) };
}
