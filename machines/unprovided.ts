import { fromCallback, type EventObject, type NonReducibleUnknown } from 'xstate';

/**
 * Stands for an effect that a machine declares and does not own. `main.ts`, or a test, supplies it
 * with `.provide({ actors })`; a machine started without it stops with this error.
 */
export function unprovided<TEvent extends EventObject, TInput extends NonReducibleUnknown>(
  name: string,
) {
  return fromCallback<TEvent, TInput>(() => {
    throw new Error(`effect not provided: ${name}`);
  });
}
