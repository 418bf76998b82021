/** The journeys of docs/journeys, read and tried. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Journey } from '../../journey-core/definition/journey.schema.ts';
import { simulateJourney } from '../../journey-core/simulation/simulate-journey.ts';
import { simulatedPath, type SimulatedPath } from '../../journey-core/simulation/simulated-path.ts';
import type {
  SimulatedPerson,
  SimulationPlan,
} from '../../journey-core/simulation/simulation-inputs.schema.ts';
import { faultLine } from '../../journey-core/validation/journey-fault.ts';
import { readJourney } from '../../journey-core/validation/read-journey.ts';

const FOLDER = new URL('../../docs/journeys/', import.meta.url);

export function exampleNames(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.replace('.yaml', ''));
}

export function exampleText(name: string): string {
  return readFileSync(new URL(`${name}.yaml`, FOLDER), 'utf8');
}

/** Throws every fault, warnings too. */
export function exampleJourney(name: string): Journey {
  const { journey, faults } = readJourney(`${name}.yaml`, exampleText(name));
  if (journey === null || faults.length > 0) throw new Error(faults.map(faultLine).join('\n'));
  return journey;
}

/** Everything opted in that anybody may ask for; by phone and e-mail. */
export const ADA: SimulatedPerson = {
  id: 'ada',
  attributes: { firstName: 'Ada', city: 'Bern' },
  contactPoints: [
    { kind: 'mobile', value: '+12025550123' },
    { kind: 'home', value: '+12025550124' },
    { kind: 'email', value: 'ada@example.com' },
  ],
};

/** Monday, 23 November 2026, 10:00 in Amsterdam. */
export const MONDAY_MS = Date.UTC(2026, 10, 23, 9);

export function tried(
  name: string,
  plan: SimulationPlan,
  person: SimulatedPerson = ADA,
): SimulatedPath {
  const journey = exampleJourney(name);
  return simulatedPath(journey, simulateJourney(journey, person, plan, MONDAY_MS));
}

/** Ids in order; a second visit is told again. */
export function stepsOf({ path }: SimulatedPath): string {
  return path.map(({ step }) => step).join(' ');
}
