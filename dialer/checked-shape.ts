/** Input against a schema of journey-core, told in the words that journeys are told in. */
import type { TSchema } from 'typebox';
import { shapeFaults } from '../journey-core/validation/shape-faults.ts';
import type { JourneyFault } from '../journey-core/validation/journey-fault.ts';
import { DialerError } from '../machines/errors.ts';

/** Throws REQUEST_INVALID with every fault. `pointer` is where it stands in the request. */
export function checkShape(schema: TSchema, value: unknown, pointer: string): void {
  refuseFaults(shapeFaults(schema, value, pointer));
}

export function refuseFaults(faults: readonly JourneyFault[]): void {
  if (faults.length === 0) return;
  const places = faults.map(({ path, problem, remedy }) => {
    return { pointer: path, detail: `${problem}: ${remedy}` };
  });
  const detail = places.map((place) => `${place.pointer} ${place.detail}`).join('; ');
  throw new DialerError('REQUEST_INVALID', detail, { faults: places });
}
