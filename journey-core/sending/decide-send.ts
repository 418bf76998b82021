/**
 * May what a step asked for leave now? (spec G.2) In this order: a contact point, consent, quiet
 * time, frequency cap. Asked right before sending by whoever runs the journey, and again whenever
 * a hold ends; every check that was made is in the answer, so that it can be accounted for.
 */
import type { JourneyAssets } from '../definition/assets.schema.ts';
import type { Channel, Compliance, ContactPointKind } from '../definition/sending.schema.ts';
import type { SendMessage, StartConversation } from '../interpreter/effects.ts';
import { isTimeZone } from '../definition/instant.ts';
import { assetIndex, type AssetIndex } from '../validation/asset-index.ts';
import { decideConsent, type ConsentDecision, type ConsentRecord } from './consent.ts';
import { decideCap, type CapDecision } from './frequency-cap.ts';
import {
  openSpans,
  quietAt,
  type OpenSpan,
  type QuietQuestion,
  type QuietVerdict,
} from './quiet-time.ts';

/** One number or address of the person. */
export interface ContactPoint {
  readonly id: string;
  readonly kind: ContactPointKind;
  /** E.164 for numbers; for advanced quiet rules. */
  readonly value: string;
  /** IANA, where it is known for this one; null: the person's. */
  readonly timeZone: string | null;
  /** False: known to be dead or malformed. */
  readonly isUsable: boolean;
}

export interface Recipient {
  /** False: the contact is deactivated. */
  readonly isActive: boolean;
  readonly timeZone: string | null;
  readonly country: string | null;
  readonly state: string | null;
  /** In the order in which they are tried. */
  readonly contactPoints: readonly ContactPoint[];
  /** Those of this person's contact points; others are ignored. */
  readonly consents: readonly ConsentRecord[];
  /** Commercial messages started in the last 30 days. */
  readonly sent: readonly {
    readonly contactPointId: string;
    readonly channel: Channel;
    readonly atMs: number;
  }[];
}

export const BLOCK_REASONS = [
  'contact_inactive',
  'no_contact_point',
  'no_consent',
  'quiet_time', // no hour that is not quiet before it would be too late
  'frequency_cap',
  'asset_missing', // the message or the profile is gone
] as const;
export type BlockReason = (typeof BLOCK_REASONS)[number];

/** What was found for one contact point; null: not asked, an earlier check had failed. */
export interface PointVerdict {
  readonly contactPointId: string;
  readonly consent: ConsentDecision;
  readonly quiet: QuietVerdict | 'not_applied' | null;
  readonly cap: CapDecision | null;
}

export type SendDecision =
  | {
      readonly decide: 'send';
      /** In order. */
      readonly contactPointIds: readonly string[];
      /** When the dialer may start: the hours that are quiet for none of them. Epoch ms. */
      readonly windows: readonly OpenSpan[];
      readonly verdicts: readonly PointVerdict[];
    }
  /** Quiet now: ask again then. */
  | {
      readonly decide: 'hold';
      readonly untilMs: number;
      readonly verdicts: readonly PointVerdict[];
    }
  | {
      readonly decide: 'block';
      readonly reason: BlockReason;
      readonly verdicts: readonly PointVerdict[];
    };

type Sending = StartConversation | SendMessage;

export interface SendContext {
  readonly assets: JourneyAssets;
  /** The journey's. */
  readonly timeZone: string;
  readonly recipient: Recipient;
}

/** Which kinds of contact point serve a channel. */
const KINDS_OF: Readonly<Record<Channel, readonly ContactPointKind[]>> = {
  voice: ['mobile', 'business', 'home'],
  sms: ['mobile'],
  email: ['email'],
  push: ['push'],
  custom: ['custom'],
};

export function decideSend(sending: Sending, context: SendContext, nowMs: number): SendDecision {
  const { recipient, assets } = context;
  const index = assetIndex(assets);
  const means = meansOf(sending, index);
  if (means === undefined) return block('asset_missing');
  if (!recipient.isActive) return block('contact_inactive');
  const kinds = means.to === null ? KINDS_OF[means.channel] : [means.to];
  const points = recipient.contactPoints.filter(
    ({ kind, isUsable }) => isUsable && kinds.includes(kind),
  );
  if (points.length === 0) return block('no_contact_point');
  const asked = points.map((point) => ask(sending, means, point, { ...context, index }, nowMs));
  const verdicts = asked.map(({ verdict }) => verdict);
  const consenting = asked.filter(({ verdict }) => verdict.consent.passes);
  if (consenting.length === 0) return block('no_consent', verdicts);
  const open = consenting.filter(({ verdict }) => isOpen(verdict));
  if (open.length === 0) return held(consenting, sending.notAfterMs, nowMs, verdicts);
  const free = open.filter(({ verdict }) => verdict.cap?.passes === true);
  if (free.length === 0) return block('frequency_cap', verdicts);
  const untilMs = Math.max(sending.notAfterMs, nowMs + 1);
  return {
    decide: 'send',
    contactPointIds: free.map(({ verdict }) => verdict.contactPointId),
    windows: commonSpans(free, nowMs, untilMs),
    verdicts,
  };
}

function block(reason: BlockReason, verdicts: readonly PointVerdict[] = []): SendDecision {
  return { decide: 'block', reason, verdicts };
}

interface Means {
  readonly channel: Channel;
  readonly compliance: Compliance;
  readonly to: ContactPointKind | null;
}

/** A call has its own profile, a message carries one (spec G.6). */
function meansOf(sending: Sending, { messages }: AssetIndex): Means | undefined {
  if (sending.type === 'startConversation' && sending.compliance !== null) {
    return { channel: sending.channel, compliance: sending.compliance, to: null };
  }
  const message = messages.get(sending.message ?? '');
  if (message === undefined) return undefined;
  const { channel, compliance } = message;
  return { channel, compliance, to: sending.type === 'sendMessage' ? sending.to : null };
}

interface Asked {
  readonly verdict: PointVerdict;
  /** Null: quiet time is not applied. */
  readonly quiet: QuietQuestion | null;
}

function ask(
  { quietTime, frequencyCap }: Sending,
  { channel, compliance }: Means,
  point: ContactPoint,
  context: SendContext & { readonly index: AssetIndex },
  nowMs: number,
): Asked {
  const { recipient, assets, index } = context;
  const profile = index.complianceProfiles.get(compliance.profile);
  const { id: contactPointId } = point;
  const { consents: records } = recipient;
  const consent = decideConsent({ profile, compliance, channel, contactPointId, records });
  if (!consent.passes) {
    return { verdict: { contactPointId, consent, quiet: null, cap: null }, quiet: null };
  }
  const purposeType =
    profile?.purposes.find(({ name }) => name === compliance.purpose)?.type ?? 'commercial';
  const name = quietTime === 'inherit' ? profile?.quietTime : quietTime;
  const setting = index.quietTimes.get(name ?? '');
  const question =
    setting === undefined || quietTime === 'none'
      ? null
      : { setting, channel, purposeType, ...whereAndWhen(setting.timeZone, point, context) };
  const quiet = question === null ? ('not_applied' as const) : quietAt(question, nowMs);
  if (quiet !== 'not_applied' && quiet.isQuiet) {
    return { verdict: { contactPointId, consent, quiet, cap: null }, quiet: question };
  }
  const sentAtMs = recipient.sent
    .filter((item) => item.contactPointId === contactPointId && item.channel === channel)
    .map(({ atMs }) => atMs);
  const isBypassed = frequencyCap === 'bypass';
  const cap = decideCap(
    { cap: assets.frequencyCap?.[channel], purposeType, isBypassed, sentAtMs },
    nowMs,
  );
  return { verdict: { contactPointId, consent, quiet, cap }, quiet: question };
}

/** The person's zone where the setting says so, the journey's where none is known (spec G.7). */
function whereAndWhen(
  clock: 'journey' | 'audience' | undefined,
  point: ContactPoint,
  { recipient, timeZone }: SendContext,
): Pick<QuietQuestion, 'place' | 'timeZone'> {
  const { country, state } = recipient;
  const isPhone = KINDS_OF.voice.includes(point.kind);
  const zones = [point.timeZone, recipient.timeZone];
  const theirs = zones.find((zone) => zone != null && isTimeZone(zone)) ?? timeZone;
  return {
    place: { country, state, phone: isPhone ? point.value : null },
    timeZone: clock === 'audience' ? theirs : timeZone,
  };
}

function isOpen({ quiet }: PointVerdict): boolean {
  return quiet === 'not_applied' || (quiet !== null && !quiet.isQuiet);
}

function held(
  consenting: readonly Asked[],
  notAfterMs: number,
  nowMs: number,
  verdicts: readonly PointVerdict[],
): SendDecision {
  const opens = consenting.flatMap(({ verdict: { quiet } }) =>
    quiet === null || quiet === 'not_applied' || quiet.openAtMs === null ? [] : [quiet.openAtMs],
  );
  const untilMs = Math.min(...opens);
  // Nothing is held for later than it may leave.
  if (!(untilMs < notAfterMs) || untilMs <= nowMs) return block('quiet_time', verdicts);
  return { decide: 'hold', untilMs, verdicts };
}

function commonSpans(asked: readonly Asked[], fromMs: number, untilMs: number): OpenSpan[] {
  return asked.reduce<OpenSpan[]>(
    (common, { quiet }) =>
      quiet === null ? common : intersect(common, openSpans(quiet, fromMs, untilMs)),
    [{ startMs: fromMs, endMs: untilMs }],
  );
}

function intersect(left: readonly OpenSpan[], right: readonly OpenSpan[]): OpenSpan[] {
  return left.flatMap((a) =>
    right.flatMap((b) => {
      const startMs = Math.max(a.startMs, b.startMs);
      const endMs = Math.min(a.endMs, b.endMs);
      return startMs < endMs ? [{ startMs, endMs }] : [];
    }),
  );
}
