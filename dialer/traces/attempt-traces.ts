/**
 * One trace an attempt: a span for all of it, and one below it for each phase, from the claim to the
 * record of its Result. Fed by what the dialer tells and by the gateway's events, like the metrics.
 *
 * Attributes follow OpenTelemetry where it has names; ours are `ringfence.*`. Ids are welcome here,
 * telephone numbers are not.
 */
import { SpanKind, SpanStatusCode, type Attributes, type Span } from '@opentelemetry/api';
import type { Result } from '../../machines/result.ts';
import {
  isAttemptEvent,
  type AttemptEvent,
  type EventOf,
  type TelephonyEvent,
} from '../../machines/telephony-events.ts';
import type { DialerNews, NewsOf } from '../dialer-news.ts';
import { traceIdOf } from './trace-id.ts';
import { startChild, type TraceSink } from './trace-sink.ts';

interface OpenTrace {
  readonly root: Span;
  readonly taskId: string;
  phase: Span | undefined;
}

/** Claims whose starts have not been told yet, by engagement: a claim is told before its starts. */
interface Claim {
  startsLeft: number;
  readonly beganAtMs: number;
}

/** The attempt itself went wrong, and not the person's answer. */
const FAILED: ReadonlySet<Result> = new Set<Result>([
  'CallFailed',
  'BotFailed',
  'Unknown',
  'Error',
]);

const OPEN_MAX = 20_000;

export class AttemptTraces {
  readonly #sink: TraceSink;
  readonly #nowMs: () => number;
  readonly #open = new Map<string, OpenTrace>();
  /** The attempt that a task is at. */
  readonly #ofTask = new Map<string, string>();
  readonly #claims = new Map<string, Claim>();

  constructor(sink: TraceSink, nowMs: () => number) {
    this.#sink = sink;
    this.#nowMs = nowMs;
  }

  /** Attempts whose span has not ended. */
  get open(): number {
    return this.#open.size;
  }

  hearNews(news: DialerNews): void {
    switch (news.type) {
      case 'claim.made': {
        const { engagementId, started, tookMs } = news;
        const beganAtMs = this.#nowMs() - tookMs;
        if (started > 0) this.#claims.set(engagementId, { startsLeft: started, beganAtMs });
        break;
      }
      case 'attempt.started':
        this.#begin(news);
        break;
      case 'attempt.recorded':
        this.#recorded(news);
        break;
      case 'task.left':
        this.#left(news.taskId);
        break;
      default:
    }
  }

  hearTelephony(event: TelephonyEvent): void {
    if (!isAttemptEvent(event)) return;
    const trace = this.#open.get(event.attemptId);
    if (trace !== undefined) this.#follow(trace, event);
  }

  #begin(news: NewsOf<'attempt.started'>): void {
    const { attemptId, deliveryId, taskId, engagementId, businessUnitId } = news;
    const nowMs = this.#nowMs();
    const claim = this.#claimOf(engagementId);
    const root = this.#sink.startRoot('attempt', traceIdOf(attemptId), {
      kind: SpanKind.CLIENT,
      startTime: claim?.beganAtMs ?? nowMs,
      attributes: {
        'network.protocol.name': 'sip',
        'ringfence.attempt.id': attemptId,
        'ringfence.delivery.id': deliveryId,
        'ringfence.task.id': taskId,
        'ringfence.engagement.id': engagementId,
        'ringfence.business_unit.id': businessUnitId,
      },
    });
    const trace: OpenTrace = { root, taskId, phase: undefined };
    this.#forgetOldest();
    this.#open.set(attemptId, trace);
    this.#ofTask.set(taskId, attemptId);
    if (claim !== undefined) this.#enter(trace, 'claim', claim.beganAtMs);
    this.#enter(trace, 'dial', nowMs);
  }

  #claimOf(engagementId: string): Claim | undefined {
    const claim = this.#claims.get(engagementId);
    if (claim === undefined) return undefined;
    claim.startsLeft -= 1;
    if (claim.startsLeft < 1) this.#claims.delete(engagementId);
    return claim;
  }

  #follow(trace: OpenTrace, event: AttemptEvent): void {
    const { root } = trace;
    switch (event.type) {
      case 'attempt.sent':
        root.setAttributes({
          'ringfence.trunk': event.trunk,
          'ringfence.sip.call_id': event.callId,
        });
        this.#enter(trace, 'setup', event.atMs);
        break;
      case 'attempt.alerting':
        root.addEvent(`SIP ${event.statusCode}`, undefined, event.atMs);
        this.#enter(trace, 'alerting', event.atMs);
        break;
      case 'attempt.answered':
        root.setAttribute('ringfence.sip.dialog_id', event.dialogId);
        this.#enter(trace, 'answered', event.atMs);
        break;
      case 'attempt.connected':
        this.#enter(trace, 'connected', event.atMs, { 'ringfence.target': event.target });
        break;
      case 'attempt.bridgeEnded':
        this.#enter(trace, 'answered', event.atMs);
        break;
      case 'attempt.connectFailed':
      case 'aiAgent.failed':
        root.addEvent(event.type, { 'error.type': event.reason }, event.atMs);
        break;
      case 'attempt.refused':
        root.setAttribute('error.type', event.code);
        this.#enter(trace, 'record', event.atMs);
        break;
      case 'attempt.ended':
        this.#ended(trace, event);
        break;
      default:
        root.addEvent(event.type, undefined, event.atMs);
    }
  }

  #ended(trace: OpenTrace, event: EventOf<'attempt.ended'>): void {
    const { sip, endedBy, invites, atMs } = event;
    trace.root.setAttributes({
      ...(sip.statusCode === null ? {} : { 'ringfence.sip.status_code': sip.statusCode }),
      'ringfence.sip.origin': sip.origin,
      'ringfence.ended_by': endedBy,
      'ringfence.sip.invites': invites,
    });
    this.#enter(trace, 'record', atMs);
  }

  #recorded({ attemptId, result, subReason }: NewsOf<'attempt.recorded'>): void {
    const trace = this.#open.get(attemptId);
    if (trace === undefined) return;
    const { root } = trace;
    root.setAttribute('ringfence.result', result);
    if (subReason !== null) root.setAttribute('ringfence.sub_reason', subReason);
    if (FAILED.has(result)) {
      root.setAttribute('error.type', subReason ?? result);
      root.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.#end(attemptId, trace);
  }

  /** Also a chain that broke has left: no Result will be told. */
  #left(taskId: string): void {
    const attemptId = this.#ofTask.get(taskId);
    const trace = attemptId === undefined ? undefined : this.#open.get(attemptId);
    if (attemptId !== undefined && trace !== undefined) this.#end(attemptId, trace);
  }

  /** Ends the phase that was, at the same moment. */
  #enter(trace: OpenTrace, name: string, atMs: number, attributes: Attributes = {}): void {
    trace.phase?.end(atMs);
    const { tracer } = this.#sink;
    trace.phase = startChild(tracer, trace.root, name, { startTime: atMs, attributes });
  }

  #end(attemptId: string, { root, phase, taskId }: OpenTrace): void {
    const nowMs = this.#nowMs();
    this.#open.delete(attemptId);
    if (this.#ofTask.get(taskId) === attemptId) this.#ofTask.delete(taskId);
    phase?.end(nowMs);
    root.end(nowMs);
  }

  /** A dialer that lost its lease tells of no more ends. */
  #forgetOldest(): void {
    if (this.#open.size < OPEN_MAX) return;
    for (const [attemptId, trace] of this.#open) {
      this.#end(attemptId, trace);
      return;
    }
  }
}
