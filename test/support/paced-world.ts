/** A dialer's world with representatives in it, who answer their phones and wrap up. */
import type { Test } from 'tap';
import {
  createRepresentativeIn,
  setPresenceIn,
} from '../../dialer/representatives/write-representative.ts';
import { DialerWorld, type WorldOptions } from './dialer-world.ts';

export class PacedWorld {
  readonly world: DialerWorld;
  readonly queueIds = new Map<string, string>();

  constructor(world: DialerWorld) {
    this.world = world;
  }

  static async open(t: Test, options: WorldOptions = {}): Promise<PacedWorld> {
    const world = await DialerWorld.open(t, options);
    await world.start();
    return new PacedWorld(world);
  }

  /** Signed on, in the queue of that engagement. */
  async representative(engagementId: string, name: string): Promise<string> {
    const { world } = this;
    const { queue_id: queueId } = await world.engagementRow(engagementId);
    const id = await world.db.transaction().execute(async (tx) => {
      const input = { name, sipUri: `sip:${name}@127.0.0.1`, queueIds: [queueId] };
      const { id } = await createRepresentativeIn(tx, world.writer, input);
      await setPresenceIn(tx, world.writer, id, 'available');
      return id;
    });
    await world.dialer.desk.changed(id);
    await world.settle();
    return id;
  }

  async setPresence(id: string, presence: string): Promise<void> {
    const { world } = this;
    await world.db.transaction().execute((tx) => setPresenceIn(tx, world.writer, id, presence));
    await world.dialer.desk.changed(id);
    await world.settle();
  }

  /** Ends the wrap-up of whoever is in it, as soon as they are. */
  wrapUpAtOnce(): void {
    const { desk } = this.world.dialer;
    desk.subscribe(({ work, representativeId }) => {
      if (work === 'wrapUp') desk.wrapUpDone(representativeId);
    });
  }
}
