/** What an application is to a channel. */
import type { AppRun } from '../app-run.ts';

export interface Application {
  readonly name: string;
  /** It plays, records or listens: while it runs on a bridged leg, the bridge is held up. */
  readonly takesMedia: boolean;
  /** It only waits: what was sent and heard beside it goes on after it. */
  readonly leavesMediaAlone?: boolean;
  /** Undefined when it is over at once; a promise never rejects. */
  run(run: AppRun): Promise<void> | undefined;
}

/** An application that is over as soon as it ran. */
export function instant(name: string, effect: (run: AppRun) => void): Application {
  return {
    name,
    takesMedia: false,
    run: (run) => {
      effect(run);
      return undefined;
    },
  };
}

/** An application that takes time. An error in it is a bug: it ends the application, not the switch. */
export function lasting(name: string, body: (run: AppRun) => Promise<void>): Application {
  return { name, takesMedia: true, run: body };
}
