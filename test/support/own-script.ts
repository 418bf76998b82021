import { fileURLToPath } from 'node:url';

/**
 * What node is given to run a script of ours in a process of its own, as this one runs: compiled where the
 * test runner has compiled everything, from source with tsx otherwise.
 */
export function ownScript(file: URL): string[] {
  const path = fileURLToPath(file);
  const isCompiled = import.meta.url.endsWith('.js');
  return isCompiled ? [path.replace(/\.ts$/, '.js')] : ['--import', 'tsx', path];
}

/** `ringfence`, as the console has it. */
export const RINGFENCE = ownScript(new URL('../../cli/main.ts', import.meta.url));
