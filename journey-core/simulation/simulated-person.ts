/** The person of a simulation as the decisions know people; changes as the plan says. */
import { instantMs } from '../definition/instant.ts';
import type { Facts } from '../interpreter/facts.ts';
import type { Values } from '../interpreter/json-value.ts';
import type { ConsentRecord } from '../sending/consent.ts';
import type { Recipient } from '../sending/decide-send.ts';
import type { SimulatedPerson, SimulationPlan } from './simulation-inputs.schema.ts';

type Consent = NonNullable<SimulatedPerson['consents']>[number];

export class PersonState {
  readonly #person: SimulatedPerson;
  readonly #timeZone: string;
  readonly #variants: Readonly<Record<string, string>>;
  readonly #segments: Set<string>;
  readonly #consents: ConsentRecord[] = [];
  readonly #sent: Recipient['sent'][number][];
  #attributes: Values;

  constructor(person: SimulatedPerson, plan: SimulationPlan, timeZone: string) {
    this.#person = person;
    this.#timeZone = timeZone;
    this.#variants = plan.variants ?? {};
    this.#segments = new Set(person.segments);
    const points = (person.contactPoints ?? []).map(({ kind, value }) => [kind, value] as const);
    this.#attributes = { ...Object.fromEntries(points), ...person.attributes };
    for (const consent of person.consents ?? []) this.consent(consent, Number.NEGATIVE_INFINITY);
    this.#sent = (person.sent ?? []).map(({ contactPoint, channel, at }) => ({
      ...{ contactPointId: contactPoint, channel },
      atMs: instantMs(at, timeZone) ?? 0,
    }));
  }

  get facts(): Facts {
    return {
      attributes: this.#attributes,
      segments: [...this.#segments],
      variants: this.#variants,
    };
  }

  get recipient(): Recipient {
    const { isActive = true, timeZone, country, state, contactPoints = [] } = this.#person;
    return {
      isActive,
      timeZone: timeZone ?? null,
      country: country ?? null,
      state: state ?? null,
      contactPoints: contactPoints.map((point) => ({
        id: point.id ?? point.kind,
        kind: point.kind,
        value: point.value,
        timeZone: point.timeZone ?? null,
        isUsable: point.isUsable ?? true,
      })),
      consents: this.#consents,
      sent: this.#sent,
    };
  }

  consent({ contactPoint, channel, purpose, topic, status, at }: Consent, atMs: number): void {
    this.#consents.push({
      ...{ id: `consent-${this.#consents.length + 1}`, contactPointId: contactPoint, channel },
      ...{ kind: topic === undefined ? 'purpose' : 'topic', purpose, topic: topic ?? null, status },
      modifiedAtMs: at === undefined ? atMs : (instantMs(at, this.#timeZone) ?? atMs),
    });
  }

  change(attributes: Values): void {
    this.#attributes = { ...this.#attributes, ...attributes };
  }

  join(segment: string): void {
    this.#segments.add(segment);
  }

  leave(segment: string): void {
    this.#segments.delete(segment);
  }

  countSent(sent: Recipient['sent'][number]): void {
    this.#sent.push(sent);
  }
}
