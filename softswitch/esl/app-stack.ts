/**
 * The order in which a channel runs applications, as FreeSWITCH runs private events. They start in
 * the order they came. One that comes while another waits (audio plays, a timer runs) is nested: the
 * outer one is held up until it is over. That is what lets `hangup` or `set` through while a prompt
 * plays. `event-lock` forbids nesting, so that locked applications run strictly one after the other.
 */
import { AppRun, type AppRequest } from './app-run.ts';
import type { Application } from './applications/application.ts';
import type { Channel } from './channel.ts';

/** Beyond this a client is flooding; FreeSWITCH's queue of private events ends at 128 as well. */
const QUEUE_MAX = 128;
/** FreeSWITCH's limit of stacked extensions. */
const DEPTH_MAX = 16;

export interface AppStackOwner {
  /** Looks the application up; undefined hangs the channel up, as FreeSWITCH does. */
  find(name: string): Application | undefined;
  /** Whether applications may start now: the channel is parked, bridged or running one. */
  isReady(): boolean;
  /** The first application of a stack is about to take the channel's audio, or the last gave it back. */
  onMediaTaken(): void;
  onMediaReturned(application: Application): void;
  /** No application is running any more. */
  onIdle(): void;
}

export class AppStack {
  readonly #channel: Channel;
  readonly #owner: AppStackOwner;
  readonly #queue: AppRequest[] = [];
  readonly #running: AppRun[] = [];
  #pumping = false;

  constructor(channel: Channel, owner: AppStackOwner) {
    this.#channel = channel;
    this.#owner = owner;
  }

  get isIdle(): boolean {
    return this.#running.length === 0;
  }

  /** False when the queue is full. */
  enqueue(request: AppRequest): boolean {
    if (this.#queue.length >= QUEUE_MAX) return false;
    this.#queue.push(request);
    this.pump();
    return true;
  }

  /** Starts what may start. Called whenever something changed that could let it. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#queue.length > 0 && this.#mayStart())
      this.#start(this.#queue.shift() as AppRequest);
    this.#pumping = false;
  }

  /** `uuid_break`: ends what is running, the nested first; `all` also forgets what is queued. */
  break(all: boolean): void {
    if (all) this.#queue.length = 0;
    for (const run of [...this.#running].reverse()) run.break();
  }

  /** The channel goes elsewhere: what runs ends, what is queued runs there. */
  interrupt(): void {
    for (const run of [...this.#running].reverse()) run.hangUp();
  }

  /** The channel is gone: what runs ends, what is queued never starts. */
  hangUp(): void {
    this.#queue.length = 0;
    this.interrupt();
  }

  #mayStart(): boolean {
    if (this.#channel.isDown || this.#running.length >= DEPTH_MAX) return false;
    const top = this.#running.at(-1);
    if (top === undefined) return this.#owner.isReady();
    return top.isWaiting && !this.#running.some((run) => run.request.eventLock);
  }

  #start(request: AppRequest): void {
    const application = this.#owner.find(request.name);
    if (application === undefined) {
      this.#channel.hangUp('DESTINATION_OUT_OF_ORDER');
      return;
    }
    const outer = this.#running.at(-1);
    const run = new AppRun(
      this.#channel,
      {
        ...request,
        name: application.name,
        argument: this.#channel.variables.expand(request.argument),
      },
      () => this.pump(),
    );
    if (outer !== undefined) outer.suspend();
    else if (application.takesMedia) this.#owner.onMediaTaken();
    this.#running.push(run);
    run.respond(undefined);
    this.#channel.events.applicationStarted(run.request);
    const finished = application.run(run);
    if (finished === undefined) {
      this.#end(run, outer, application);
      return;
    }
    finished.then(
      () => this.#end(run, outer, application),
      (error: unknown) => {
        // A fault of ours: the client is told, and the channel goes on.
        run.respond(`-ERR ${error instanceof Error ? error.message : String(error)}`);
        this.#end(run, outer, application);
      },
    );
  }

  #end(run: AppRun, outer: AppRun | undefined, application: Application): void {
    this.#running.splice(this.#running.indexOf(run), 1);
    this.#channel.events.applicationEnded(run.request);
    if (outer !== undefined) outer.resume();
    else if (application.takesMedia) this.#owner.onMediaReturned(application);
    this.pump();
    if (this.#running.length === 0) this.#owner.onIdle();
  }
}
