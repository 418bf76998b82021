/** Goal: what is scraped of pacing and of representatives is what the real dialer did, in virtual time. */
import assert from 'node:assert/strict';
import t, { type Test } from 'tap';
import { EngagementLabels } from '../../dialer/metrics/engagement-labels.ts';
import { measureDialer, type DialerMeasurement } from '../../dialer/metrics/measure-dialer.ts';
import { PrometheusMeter } from '../../dialer/metrics/prometheus-meter.ts';
import {
  createRepresentativeIn,
  setPresenceIn,
} from '../../dialer/representatives/write-representative.ts';
import { DialerWorld, MINUTE_MS, type WorldOptions } from '../support/dialer-world.ts';
import { silentLog } from '../support/silent-log.ts';
import type { FarEnd } from '../support/simulated-gateway.ts';

t.setTimeout(120_000);

const PERSON: FarEnd = { does: 'answer', afterMs: 3_000, hangUpAfterMs: 20_000, verdict: 'human' };
const ANSWERING = {
  ...{ amdAction: 'hangup', customerWaitThresholdSeconds: 6 },
  abandonedMessage: { text: 'This was Example Ltd. Nobody was free to talk to you.' },
};
const repLed = (mode: Readonly<Record<string, unknown>>, stopPercent = 100) => ({
  ...{ engagementType: 'repLed', mode },
  answering: { ...ANSWERING, stopRule: { percent: stopPercent, lookbackMinutes: 60 } },
});

class MeasuredWorld {
  readonly world: DialerWorld;
  readonly #meter = new PrometheusMeter({ log: silentLog });
  readonly #measurement: DialerMeasurement;

  static async open(t: Test, options: WorldOptions = {}, labels = 100): Promise<MeasuredWorld> {
    const world = await DialerWorld.open(t, { farEnd: () => PERSON, ...options });
    await world.start();
    return new MeasuredWorld(world, labels);
  }

  private constructor(world: DialerWorld, engagementsMax: number) {
    this.world = world;
    this.#measurement = measureDialer({
      ...{ dialer: world.dialer, telephony: world.gateway, meter: this.#meter },
      ...{ log: silentLog, nowMs: () => world.nowMs, engagementsMax },
    });
  }

  /** Signed on, in the queue of that engagement. */
  async representative(
    engagementId: string,
    name: string,
    presence = 'available',
  ): Promise<string> {
    const { world } = this;
    const { queue_id: queueId } = await world.engagementRow(engagementId);
    const id = await world.db.transaction().execute(async (tx) => {
      const input = { name, sipUri: `sip:${name}@127.0.0.1`, queueIds: [queueId] };
      return (await createRepresentativeIn(tx, world.writer, input)).id;
    });
    await this.presence(id, presence);
    return id;
  }

  async presence(id: string, presence: string): Promise<void> {
    const { world } = this;
    await world.db.transaction().execute((tx) => setPresenceIn(tx, world.writer, id, presence));
    await world.dialer.desk.changed(id);
    await world.settle();
  }

  /** Whoever wraps up is done after so long. */
  wrapUpFor(ms: number): void {
    const { clock, dialer } = this.world;
    dialer.desk.subscribe(({ work, representativeId }) => {
      if (work === 'wrapUp') clock.setTimeout(() => dialer.desk.wrapUpDone(representativeId), ms);
    });
  }

  /** By name and labels as they are scraped: `name{label="value"}`. */
  async scrape(): Promise<(series: string) => number | undefined> {
    await this.#measurement.settled();
    const lines = (await this.#meter.scrape()).split('\n');
    return (series) => {
      const line = lines.find((one) => one.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    };
  }

  /** As a label: without numbers. */
  async name(engagementId: string): Promise<string> {
    return (await new EngagementLabels(this.world.database, 1).of(engagementId)).engagement;
  }
}

t.test('progressive: three representatives at work, second by second', async (t) => {
  const measured = await MeasuredWorld.open(t);
  const { world } = measured;
  const id = await world.engagement({ config: repLed({ kind: 'progressive' }) });
  const e = await measured.name(id);
  await world.tasks(id, world.people(12));
  await world.advance(5_000);
  const before = await measured.scrape();
  t.ok((before(limited(e, 'progressive', 'noRepresentatives')) ?? 0) > 0);
  t.equal(before(`dialer_pacing_calls_target{engagement="${e}",mode="progressive"}`), 0);
  t.equal(before(`dialer_competition_pending{engagement="${e}",priority="normal"}`), 12);

  measured.wrapUpFor(5_000);
  for (const name of ['ada', 'bob', 'eve']) await measured.representative(id, name);
  await measured.representative(id, 'zoe', 'lunch');
  await world.advance(2_000);
  const ringing = await measured.scrape();
  t.equal(ringing(`dialer_pacing_calls_target{engagement="${e}",mode="progressive"}`), 3);
  t.equal(ringing(`dialer_pacing_calls{engagement="${e}",mode="progressive",phase="ringing"}`), 3);
  t.equal(ringing(`dialer_pacing_over_dial_ratio{engagement="${e}",mode="progressive"}`), 1);
  t.equal(ringing(`dialer_engagement_representatives{engagement="${e}",state="held"}`), 3);
  t.equal(ringing('dialer_representatives{state="reserved"}'), 3);
  t.equal(ringing('dialer_representatives{state="away"}'), 1);
  t.equal(ringing(`dialer_throttle_factor_ratio{engagement="${e}"}`), 1);

  await world.advance(5 * MINUTE_MS);
  const after = await measured.scrape();
  t.equal(after(`dialer_live_answers_total{engagement="${e}",mode="progressive"}`), 12);
  t.equal(after('dialer_handle_seconds_count{phase="wrapUp"}'), 12);
  t.equal(after('dialer_handle_seconds_sum{phase="wrapUp"}'), 12 * 5);
  t.equal(after('dialer_representative_seconds_total{state="wrapUp"}'), 12 * 5);
  t.equal(after('dialer_representative_idle_seconds_count'), 12);
  t.equal(after('dialer_representatives_released_total{reason="callOver"}'), 12);
  t.equal(after('dialer_representative_seconds_total{state="offline"}'), undefined);
  const bridged = await world.db.selectFrom('attempts').selectAll().execute();
  const talkedMs = bridged.reduce(
    (sum, { joined_at_ms: joined, ended_at_ms: ended }) => sum + (ended ?? 0) - (joined ?? 0),
    0,
  );
  near(t, after('dialer_representative_seconds_total{state="connected"}'), talkedMs / 1_000, 1);
  const [first] = world.dialer.standing.pacing;
  const windows = first?.windows.map(({ window }) => window) ?? [];
  t.ok(windows.length > 0, windows.join());
  for (const window of windows) {
    const place = `engagement="${e}",window="${window}"`;
    const limit = after(`dialer_abandonment_limit_ratio{${place}}`) ?? 0;
    t.ok(limit > 0 && limit < 1, `${window}: ${limit}`);
    t.equal(after(`dialer_abandonment_ratio{${place}}`), 0);
    t.equal(after(`dialer_abandonment_live_answers{${place}}`), 12);
    near(t, after(`dialer_abandonment_budget_remaining{${place}}`), 12 * limit, 1e-9);
  }
  t.equal(after(`dialer_exceeded_wait_ratio{engagement="${e}"}`), 0);
  t.equal(after(`dialer_competition_pending{engagement="${e}",priority="normal"}`), 0);
  const accepted = after('dialer_invitations_total{kind="preDial",outcome="accepted"}') ?? 0;
  t.ok(accepted >= 3, `${accepted} invitations were taken for them`);
  t.equal(
    after('dialer_invitation_answer_seconds_count{kind="preDial"}'),
    undefined,
    'nobody was asked',
  );
});

t.test('predictive: what it believes, who was abandoned, and who left the phone', async (t) => {
  const measured = await MeasuredWorld.open(t);
  const { world } = measured;
  const id = await world.engagement({ config: repLed({ kind: 'predictive' }, 90) });
  const e = await measured.name(id);
  await world.tasks(id, world.people(24));
  measured.wrapUpFor(0);
  const ada = await measured.representative(id, 'ada');
  await measured.representative(id, 'bob');
  await world.advance(4_000);
  // Gone while the person talks: whoever waits meanwhile waits too long.
  world.gateway.phonesAnswer = false;
  for (const { lobbyId } of [...world.gateway.lobbies.values()]) {
    world.gateway.lobbyLeaves(lobbyId, 'lost');
  }
  await world.advance(MINUTE_MS);
  world.gateway.phonesAnswer = true;
  await world.advance(3 * MINUTE_MS);
  const scraped = await measured.scrape();
  const rows = await world.db.selectFrom('deliveries').selectAll().execute();
  const live = rows.filter(({ result }) => result === 'LiveAnswer').length;
  const exceeded = rows.filter((row) => row.exceeded_customer_wait_threshold === 1).length;
  t.ok(live >= 10 && exceeded > 0, `${live} answered, ${exceeded} waited too long`);
  const place = `engagement="${e}",mode="predictive"`;
  t.equal(scraped(`dialer_waits_exceeded_total{${place}}`) ?? 0, exceeded);
  near(t, scraped(`dialer_exceeded_wait_ratio{engagement="${e}"}`), exceeded / live, 1e-9);
  t.equal(scraped(`dialer_exceeded_wait_limit_ratio{engagement="${e}"}`), 0.9);
  t.equal(scraped(`dialer_exceeded_wait_live_answers{engagement="${e}"}`), live);
  const mean = scraped(`dialer_pacing_answer_probability_ratio{engagement="${e}",estimate="mean"}`);
  const upper = scraped(
    `dialer_pacing_answer_probability_ratio{engagement="${e}",estimate="upper"}`,
  );
  t.ok((mean ?? 0) > 0.3 && (upper ?? 0) >= (mean ?? 1), `${mean} and, carefully, ${upper}`);
  const permitted = scraped(`dialer_pacing_risk_ratio{engagement="${e}",of="permitted"}`);
  t.ok(permitted !== undefined && permitted <= 0.5, `${permitted}`);
  t.equal(scraped(`dialer_pacing_alarmed{engagement="${e}"}`) ?? -1, 0);
  t.ok((scraped('dialer_lobby_legs_ended_total{reason="lost"}') ?? 0) >= 1);
  t.ok((scraped(`dialer_abandonment_aim_ratio{engagement="${e}"}`) ?? 1) < 0.9);

  await measured.presence(ada, 'offline');
  await world.advance(MINUTE_MS);
  const later = await measured.scrape();
  t.equal(later('dialer_representatives{state="offline"}'), 1);
});

t.test('a stop by its rule, a throttle, and escalations that nobody takes', async (t) => {
  const measured = await MeasuredWorld.open(t, { withAgent: true });
  const { world } = measured;
  world.gateway.agent = { does: 'escalate', afterMs: 1_000 };
  const rules = [{ metric: 'escalationCount', threshold: 1, periodMinutes: 1 }];
  const id = await world.engagement({
    config: {
      ...{ engagementType: 'aiLed', mode: { kind: 'copilot', maxConcurrentCalls: 4 } },
      throttle: { rules, adjustPercent: 50 },
    },
  });
  const e = await measured.name(id);
  await world.tasks(id, world.people(80));
  await world.advance(10_000);
  const first = await measured.scrape();
  t.equal(first(`dialer_pacing_calls_target{engagement="${e}",mode="copilot"}`), 4);
  t.equal(first('dialer_escalations_open'), 4);
  await world.advance(61_000);
  const slower = await measured.scrape();
  t.equal(slower(`dialer_throttle_factor_ratio{engagement="${e}"}`), 0.5);
  t.equal(slower(`dialer_throttle_steps_total{engagement="${e}",direction="slower"}`), 1);
  t.equal(slower(`dialer_pacing_calls_target{engagement="${e}",mode="copilot"}`), 2);

  const { businessUnitId } = world;
  const request = { engagementId: id, businessUnitId, actor: 'operator' };
  const reason = '4 of the 30 people who answered waited too long';
  await world.dialer.suspend({
    ...{ ...request, suspension: { type: 'exceededCustomerWaitThreshold', reason } },
  });
  const stopped = await measured.scrape();
  const type = 'exceededCustomerWaitThreshold';
  t.equal(stopped(`dialer_engagement_suspended{engagement="${e}",type="${type}"}`), 1);
  t.equal(stopped(`dialer_pacing_calls_target{engagement="${e}",mode="copilot"}`), 0);
  await world.dialer.resume(request);
  const resumed = await measured.scrape();
  t.equal(resumed(`dialer_engagement_suspended{engagement="${e}",type="${type}"}`), undefined);
});

t.test('preview: a contact is declined, taken by another, and dialled', async (t) => {
  const measured = await MeasuredWorld.open(t, {}, 1);
  const { world } = measured;
  const mode = { kind: 'preview', callDelay: { kind: 'manual' } };
  const id = await world.engagement({ config: { mode } });
  const e = await measured.name(id);
  await world.tasks(id, world.people(1));
  const { desk } = world.dialer;
  const asked: string[] = [];
  desk.subscribe(({ work, representativeId, invitation }) => {
    if (work !== 'invited' || invitation === null) return;
    asked.push(representativeId);
    world.clock.setTimeout(() => {
      if (asked.length === 1) desk.reject(representativeId, invitation.id);
      else desk.accept(representativeId, invitation.id);
    }, 4_000);
  });
  for (const name of ['ada', 'bob']) await measured.representative(id, name);
  await world.advance(12_000);
  const [, second = ''] = asked;
  const shown = await measured.scrape();
  t.equal(shown(`dialer_preview_offers{engagement="${e}",state="accepted"}`), 1);
  t.equal(shown('dialer_invitations_total{kind="agentDial",outcome="rejected"}'), 1);
  t.equal(shown('dialer_invitations_total{kind="agentDial",outcome="accepted"}'), 1);
  t.equal(shown('dialer_invitation_answer_seconds_sum{kind="agentDial"}'), 4);
  const offers = world.dialer.previewOf(second);
  assert(offers !== undefined);
  offers.start(second, null, []);
  await world.advance(MINUTE_MS);
  const done = await measured.scrape();
  t.equal(done(`dialer_preview_offers{engagement="${e}",state="accepted"}`), 0);
  t.equal(done(`dialer_preview_offers_ended_total{engagement="${e}",outcome="called"}`), 1);

  const other = await world.engagement({ config: { mode } });
  t.ok(other, 'one engagement more than there are labels for');
  const shared = await measured.scrape();
  t.equal(shared('dialer_throttle_factor_ratio{engagement="other"}'), 1);
});

function limited(engagement: string, mode: string, limiter: string): string {
  const labels = `engagement="${engagement}",mode="${mode}",limiter="${limiter}"`;
  return `dialer_pacing_decisions_total{${labels}}`;
}

function near(t: Test, value: number | undefined, expected: number, within: number): void {
  t.ok(Math.abs((value ?? NaN) - expected) <= within, `${value}, for ${expected}`);
}
