/** The pool of connections, with the codec in front of every statement, and an orderly end. */
import pg from 'pg';
import { DialerError } from '../../../machines/errors.ts';
import type { CommitListener } from '../open-database.ts';
import { toBindables } from '../bindable.ts';

type Connected = Parameters<pg.Pool['connect']>[0];

export class BindingPool extends pg.Pool {
  onCommit: CommitListener = () => undefined;
  /** Connections lent out or waited for. */
  #users = 0;
  #isDraining = false;
  #onDrained: (() => void) | undefined;

  override async connect(): Promise<pg.PoolClient>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<pg.PoolClient> | void {
    if (callback !== undefined) return super.connect(callback);
    return this.#lend();
  }

  /**
   * Resolves when everybody who asked for a connection has had it and given it back; whoever asks
   * from now on is refused. Ending the pool before would leave those who wait for one waiting forever.
   */
  async drained(): Promise<void> {
    this.#isDraining = true;
    if (this.#users === 0) return;
    await new Promise<void>((resolve) => {
      const before = this.#onDrained;
      this.#onDrained = () => {
        before?.();
        resolve();
      };
    });
  }

  async #lend(): Promise<pg.PoolClient> {
    if (this.#isDraining) {
      throw new DialerError('STORE_UNAVAILABLE', 'the database cannot be used: it is closed');
    }
    this.#users += 1;
    try {
      const client = binding(await super.connect(), (tookMs) => {
        this.onCommit({ sessions: 1, tookMs });
      });
      return this.#countingRelease(client);
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  /** The pool gives a connection a new `release` each time it lends it. */
  #countingRelease(client: pg.PoolClient): pg.PoolClient {
    const release = client.release.bind(client);
    client.release = (error?: Error | boolean): void => {
      release(error);
      this.#leave();
    };
    return client;
  }

  #leave(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#onDrained?.();
  }
}

const isBinding = new WeakSet<pg.PoolClient>();

/** Sends every bound value through the codec, as the SQLite driver does. */
function binding(client: pg.PoolClient, onCommit: (tookMs: number) => void): pg.PoolClient {
  if (isBinding.has(client)) return client;
  isBinding.add(client);
  // While a connection is lent out nobody else listens, and an error that is not heard would end the
  // process. The statement under way, or the next one, is rejected with it.
  client.on('error', () => undefined);
  const query = client.query.bind(client) as (text: string, values: unknown[]) => Promise<unknown>;
  const checked = async (text: string, values: readonly unknown[] = []): Promise<unknown> => {
    const beganAtMs = performance.now();
    const result = await query(text, toBindables(values));
    if (text === 'commit') onCommit(performance.now() - beganAtMs);
    return result;
  };
  client.query = checked as typeof client.query;
  return client;
}
