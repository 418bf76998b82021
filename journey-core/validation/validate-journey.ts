/** From any JSON value to a journey that can run, or every reason why it cannot. */
import type { JourneyAssets } from '../definition/assets.schema.ts';
import { Journey } from '../definition/journey.schema.ts';
import { assetFaults } from './asset-faults.ts';
import { assetIndex } from './asset-index.ts';
import { entryFaults } from './entry-faults.ts';
import { graphFaults } from './graph-faults.ts';
import type { JourneyFault, JourneyFaultCode } from './journey-fault.ts';
import { shapeFaults, type ShapeSchema } from './shape-faults.ts';
import { stepFaults } from './step-faults.ts';

export interface JourneyVerdict {
  /** Errors first, then what blocks publishing, then warnings; each in the order of the definition. */
  readonly faults: readonly JourneyFault[];
  /** Null when there is an error. It is the value that was given: nothing is filled in. */
  readonly journey: Journey | null;
  /** Neither errors nor anything that is not ready. */
  readonly isPublishable: boolean;
}

/**
 * Checks shape, then the graph, then what is referred to: each presumes the one before. `assets`
 * replaces those of the definition, as a service does with its own. Pure and total; time grows
 * with steps × branches.
 */
export function validateJourney(value: unknown, assets?: JourneyAssets): JourneyVerdict {
  const shape = shapeFaults(SHAPE, value);
  if (shape.length > 0) return verdict(shape, null);
  const journey = value as Journey;
  const used = assets ?? journey.assets ?? {};
  const index = assetIndex(used);
  const ofAssets = assetFaults(used, index, '/assets');
  const ofGraph = graphFaults(journey);
  // What can have happened before a step is asked of the graph: its names must hold.
  if (ofGraph.some(({ code }) => NAME_CODES.includes(code))) {
    return verdict([...ofGraph, ...ofAssets], journey);
  }
  const checked = { journey, assets: index };
  const ofSteps = journey.steps.flatMap((step, at) => stepFaults(checked, step, `/steps/${at}`));
  return verdict([...entryFaults(checked), ...ofGraph, ...ofSteps, ...ofAssets], journey);
}

/** TypeBox builds plain JSON Schema; it is read as such. */
const SHAPE = Journey as object as ShapeSchema;

const NAME_CODES: readonly JourneyFaultCode[] = ['DUPLICATE', 'RESERVED_NAME', 'UNKNOWN_STEP'];

const ORDER = ['error', 'blocksPublishing', 'warning'];

function verdict(faults: readonly JourneyFault[], journey: Journey | null): JourneyVerdict {
  const isValid = faults.every(({ severity }) => severity !== 'error');
  const sorted = [...faults].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  return {
    faults: sorted,
    journey: isValid ? journey : null,
    isPublishable: faults.every(({ severity }) => severity === 'warning'),
  };
}
