/**
 * The engagements that run here. Those that are made, suspended, resumed or changed by somebody else
 * are found by their version, at the latest when the store is looked at again.
 */
import assert from 'node:assert/strict';
import type { AttemptEvent } from '../../machines/telephony-events.ts';
import type { Entered } from '../representatives/representative-runtime.ts';
import { readPacerPast, type PacerPast } from '../call-history/pacer-past.ts';
import { readEngagementFacts, type EngagementFacts } from '../engagements/engagement-facts.ts';
import type { PacingStanding } from '../pacing/pacing-standing.ts';
import type { PreviewOffers } from '../preview/preview-offers.ts';
import { EngagementRuntime, type RuntimeParts } from './engagement-runtime.ts';

export class EngagementRuntimes {
  readonly #parts: RuntimeParts;
  readonly #runtimes = new Map<string, EngagementRuntime>();
  readonly #loading = new Map<string, Promise<EngagementRuntime | undefined>>();
  /** Versions whose rows do not read back: told once, left alone until they change. */
  readonly #unreadable = new Map<string, number>();
  #timer: unknown;
  #isStopped = false;

  constructor(parts: RuntimeParts) {
    this.#parts = parts;
  }

  onAttempt(event: AttemptEvent): void {
    for (const runtime of this.#runtimes.values()) runtime.onAttempt(event);
  }

  /** A representative does something else from now on. */
  onEntered(entered: Entered): void {
    for (const runtime of this.#runtimes.values()) runtime.onEntered(entered);
  }

  /** A representative's leg has ended. */
  onLobbyLeft(lobbyId: string): void {
    for (const runtime of this.#runtimes.values()) runtime.preview?.onLobbyLeft(lobbyId);
  }

  /** The contacts of the engagement that shows this representative one. */
  previewOf(representativeId: string): PreviewOffers | undefined {
    for (const { preview } of this.#runtimes.values()) {
      if (preview?.offerOf(representativeId) !== undefined) return preview;
    }
    return undefined;
  }

  get standings(): readonly PacingStanding[] {
    return [...this.#runtimes.values()].map(({ standing }) => standing);
  }

  get(engagementId: string): EngagementRuntime | undefined {
    return this.#runtimes.get(engagementId);
  }

  /** For a chain in work: its engagement was loaded before it was started. */
  of(engagementId: string): EngagementRuntime {
    const runtime = this.#runtimes.get(engagementId);
    assert(runtime !== undefined, `engagement ${engagementId} is not loaded`);
    return runtime;
  }

  /** Loads an engagement whatever its status, with the chains of it that recovery found. */
  async load(engagementId: string, live: number): Promise<EngagementRuntime> {
    const runtime = await this.#load(engagementId, live);
    assert(runtime !== undefined, `there is no engagement ${engagementId}`);
    return runtime;
  }

  /** Finds what runs now, and begins with it. */
  async begin(): Promise<void> {
    await this.refresh();
    this.#sleep();
  }

  /** Looks at every engagement that may dial, and at those that are loaded. */
  async refresh(): Promise<void> {
    const rows = await this.#parts.database.db
      .selectFrom('engagements')
      .select(['id', 'version'])
      .where('status', '=', 'running')
      .execute();
    const versions = new Map(rows.map(({ id, version }) => [id, version]));
    for (const id of this.#runtimes.keys()) if (!versions.has(id)) versions.set(id, -1);
    for (const [id, version] of versions) {
      if (this.#isStopped) return;
      if (this.#isNews(id, version)) await this.#reload(id, version);
    }
  }

  /** The store says something new of this one. */
  async changed(engagementId: string): Promise<void> {
    await this.#reload(engagementId, undefined);
  }

  /** Nothing more starts in any of them. */
  stop(): void {
    this.#isStopped = true;
    this.#parts.clock.clearTimeout(this.#timer);
    for (const runtime of this.#runtimes.values()) runtime.stop();
  }

  #isNews(id: string, version: number): boolean {
    if (this.#unreadable.get(id) === version) return false;
    return this.#runtimes.get(id)?.facts.engagement.version !== version;
  }

  async #reload(id: string, version: number | undefined): Promise<void> {
    const runtime = this.#runtimes.get(id);
    try {
      if (runtime === undefined) {
        await this.#load(id, 0);
        return;
      }
      const facts = await readEngagementFacts(this.#parts.database, id);
      if (facts !== undefined && !this.#isStopped) runtime.update(facts);
    } catch (error) {
      if (version !== undefined) this.#unreadable.set(id, version);
      this.#parts.log.error({ engagementId: id, error }, 'an engagement cannot be read');
    }
  }

  #load(id: string, live: number): Promise<EngagementRuntime | undefined> {
    const known = this.#runtimes.get(id);
    if (known !== undefined) return Promise.resolve(known);
    const loading = this.#loading.get(id) ?? this.#make(id, live);
    this.#loading.set(id, loading);
    return loading.finally(() => this.#loading.delete(id));
  }

  async #make(id: string, live: number): Promise<EngagementRuntime | undefined> {
    const facts = await readEngagementFacts(this.#parts.database, id);
    if (facts === undefined) return undefined;
    const past = await this.#pastOf(facts);
    if (this.#isStopped) return undefined;
    const runtime = new EngagementRuntime(this.#parts, facts, live, past);
    this.#runtimes.set(id, runtime);
    runtime.start();
    return runtime;
  }

  /** Of a mode that is paced: a restart is no new budget. */
  async #pastOf(facts: EngagementFacts): Promise<PacerPast | undefined> {
    const { kind } = facts.config.mode;
    if (kind === 'copilot' || kind === 'preview') return undefined;
    const { database, rulePacks, clock } = this.#parts;
    return readPacerPast(database, facts, rulePacks, clock.now());
  }

  #sleep(): void {
    const { clock, limits, work, log, onRecheck } = this.#parts;
    if (this.#isStopped) return;
    this.#timer = clock.setTimeout(() => {
      work.run(async () => {
        await Promise.all([this.refresh(), onRecheck()]).catch((error: unknown) =>
          log.warn({ error }, 'the engagements cannot be looked at'),
        );
        this.#sleep();
      });
    }, limits.recheckMs);
  }
}
