/** The files of the journey commands: read, checked, and every fault told with its line. */
import { readFileSync } from 'node:fs';
import { readYaml } from '../config/yaml-source.ts';
import { pathOfPointer } from '../config/config-path.ts';
import type { Journey } from '../journey-core/definition/journey.schema.ts';
import {
  SimulatedPerson,
  SimulationPlan,
} from '../journey-core/simulation/simulation-inputs.schema.ts';
import { faultLine } from '../journey-core/validation/journey-fault.ts';
import { readJourney } from '../journey-core/validation/read-journey.ts';
import { shapeFaults } from '../journey-core/validation/shape-faults.ts';
import type { JourneyVerdict } from '../journey-core/validation/validate-journey.ts';
import { faultLine as configFaultLine } from '../config/config-error.ts';
import { CliError } from './cli-error.ts';

const FILE_CHARS_MAX = 4 * 1024 * 1024;

export function journeyIn(file: string): JourneyVerdict {
  return readJourney(file, readableText(file));
}

/** A journey without errors; what is not ready yet may be tried and drawn. */
export function validJourney(file: string): Journey {
  const { journey, faults } = journeyIn(file);
  if (journey !== null) return journey;
  const errors = faults.filter(({ severity }) => severity === 'error');
  throw new CliError('JOURNEY_INVALID', errors.map(faultLine).join('\n'));
}

export function personIn(file: string): SimulatedPerson {
  return checked(file, SimulatedPerson) as SimulatedPerson;
}

export function planIn(file: string): SimulationPlan {
  return checked(file, SimulationPlan) as SimulationPlan;
}

function checked(file: string, schema: object): unknown {
  const yaml = readYaml(file, readableText(file));
  if (Array.isArray(yaml)) {
    throw new CliError('SIMULATION_INVALID', yaml.map(configFaultLine).join('\n'));
  }
  const value = yaml.value ?? {};
  const faults = shapeFaults(schema, value);
  if (faults.length === 0) return value;
  const lines = faults.map((found) => {
    return faultLine({ ...found, where: yaml.place(yaml.offsetOf(pathOfPointer(found.path))) });
  });
  throw new CliError('SIMULATION_INVALID', lines.join('\n'));
}

/** Of a file, or of stdin: 0. */
export function readableText(file: string | 0): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/,.*$/, '') : String(error);
    throw new CliError('FILE_UNREADABLE', `${nameOf(file)} cannot be read (${reason}).`);
  }
  if (text.length <= FILE_CHARS_MAX) return text;
  throw new CliError('FILE_UNREADABLE', `${nameOf(file)} is larger than 4 MiB.`);
}

function nameOf(file: string | 0): string {
  return file === 0 ? 'stdin' : file;
}
