/** The configuration of this process: the one place that looks at its environment and folder. */
import { existsSync } from 'node:fs';
import { CONFIG_FILE_VARIABLE } from './environment.ts';
import { loadConfig, type LoadedConfig } from './load-config.ts';

export const CONFIG_FILE_DEFAULT = 'ringfence.yaml';

export interface ProcessConfig extends LoadedConfig {
  /** Undefined when there is no file and the defaults hold. */
  readonly file: string | undefined;
}

/** `--config FILE`, else $RINGFENCE_CONFIG, else ./ringfence.yaml if there is one, else defaults. */
export function loadProcessConfig(file: string | undefined): ProcessConfig {
  const named = file ?? (process.env[CONFIG_FILE_VARIABLE] || undefined);
  const chosen = named ?? (existsSync(CONFIG_FILE_DEFAULT) ? CONFIG_FILE_DEFAULT : undefined);
  return { ...loadConfig(chosen, process.env), file: chosen };
}

/** For a run that shall not pick up the service's own file by accident: only a file that is named. */
export function loadNamedConfig(file: string | undefined): ProcessConfig {
  return { ...loadConfig(file, process.env), file };
}
