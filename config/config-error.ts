/** What is wrong with a configuration: every fault at once, each where the operator wrote it. */

export interface ConfigFault {
  /** `ringfence.yaml:12:5` (line and column count from 1) or `environment:RINGFENCE_LOG_LEVEL`. */
  readonly where: string;
  /** `gateway.trunks[0].channelsMax`; empty when the fault is the file's as a whole. */
  readonly path: string;
  readonly problem: string;
  readonly remedy: string;
}

/** `file:line:column: path: problem; what to do`, on one line, as compilers write it. */
export function faultLine({ where, path, problem, remedy }: ConfigFault): string {
  const subject = path === '' ? '' : `${path}: `;
  return `${where}: ${subject}${problem}; ${remedy}`;
}

export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super(faults.map(faultLine).join('\n'));
    this.name = 'ConfigError';
    this.faults = faults;
  }
}
