/**
 * Starts a worker thread from a module of ours, whether we run from source or from `dist/`.
 *
 * Node 20 cannot load `.ts` and does not apply `--import` hooks inside workers, so from source the
 * worker first registers tsx and then imports the module.
 */
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** `module` is the worker's file as the caller sees it: `new URL('./x.worker.ts', import.meta.url)`. */
export function startThread(
  module: URL,
  options: Omit<WorkerOptions, 'eval' | 'execArgv'>,
): Worker {
  if (module.pathname.endsWith('.js')) return new Worker(module, options);
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const entry = JSON.stringify(module.href);
  const source = `import(${tsx}).then(({ register }) => { register(); return import(${entry}); });`;
  return new Worker(source, { ...options, eval: true, execArgv: [] });
}
