/**
 * One application running on a channel. Applications are written as straight-line code that awaits
 * `wait`; everything that can end or hold up a wait from outside (its own end, `uuid_break`, hang-up,
 * another application nested into it) is here, once.
 */
import type { Channel } from './channel.ts';

export type WaitEnd = 'done' | 'break' | 'hangup';

/** What is going on during a wait: audio being played, a timer running. */
export interface Activity {
  /** Called when the wait is over for whatever reason. */
  cancel(): void;
  /** Called while a nested application has the channel, and after it. */
  suspend?(): void;
  resume?(): void;
}

export interface AppRequest {
  readonly name: string;
  readonly argument: string;
  /** Becomes Application-UUID, by which the client knows its own command's completion. */
  readonly uuid: string;
  /** Nothing else may be nested into it. */
  readonly eventLock: boolean;
}

interface Wait {
  readonly breakable: boolean;
  finish(end: WaitEnd): void;
  suspend(): void;
  resume(): void;
}

export class AppRun {
  readonly channel: Channel;
  readonly request: AppRequest;
  readonly #onWaiting: () => void;
  #wait: Wait | undefined;
  #suspended = false;
  #breakPending = false;
  /** The channel is going elsewhere: no wait begins any more. */
  #interrupted = false;

  constructor(channel: Channel, request: AppRequest, onWaiting: () => void) {
    this.channel = channel;
    this.request = request;
    this.#onWaiting = onWaiting;
  }

  /** Only then may another application be nested: between waits this one is about to go on. */
  get isWaiting(): boolean {
    return this.#wait !== undefined;
  }

  /** The channel is gone or goes elsewhere: the application has nothing left to do. */
  isOver(): boolean {
    return this.channel.isDown || this.#interrupted;
  }

  /**
   * Waits until `start`'s activity says it is over, or something ends it early. `breakable: false`
   * lets a `uuid_break` pass by, as collecting digits does in FreeSWITCH.
   */
  wait(
    start: (done: () => void) => Activity,
    options: { breakable?: boolean } = {},
  ): Promise<WaitEnd> {
    const breakable = options.breakable ?? true;
    if (this.isOver()) return Promise.resolve('hangup');
    if (breakable && this.#breakPending) {
      this.#breakPending = false;
      return Promise.resolve('break');
    }
    return new Promise((resolve) => {
      let over = false;
      let endedWhileSuspended = false;
      const current: { activity?: Activity } = {};
      const finish = (end: WaitEnd): void => {
        if (over) return;
        over = true;
        this.#wait = undefined;
        current.activity?.cancel();
        resolve(end);
      };
      const activity = start(() => {
        if (this.#suspended) endedWhileSuspended = true;
        else finish('done');
      });
      current.activity = activity;
      if (over as boolean) {
        activity.cancel();
        return;
      }
      this.#wait = {
        breakable,
        finish,
        suspend: () => activity.suspend?.(),
        resume: () => {
          if (endedWhileSuspended) finish('done');
          else activity.resume?.();
        },
      };
      this.#onWaiting();
    });
  }

  /** Waits `ms` of wall time; time spent in nested applications counts. */
  sleep(ms: number): Promise<WaitEnd> {
    return this.wait((done) => this.channel.core.timers.schedule(ms, done));
  }

  /** What CHANNEL_EXECUTE_COMPLETE reports as Application-Response. */
  respond(text: string | undefined): void {
    this.channel.variables.set('current_application_response', text);
  }

  suspend(): void {
    this.#suspended = true;
    this.#wait?.suspend();
  }

  resume(): void {
    this.#suspended = false;
    this.#wait?.resume();
  }

  break(): void {
    if (this.#wait?.breakable === true) this.#wait.finish('break');
    else this.#breakPending = true;
  }

  hangUp(): void {
    this.#interrupted = true;
    this.#wait?.finish('hangup');
  }
}
