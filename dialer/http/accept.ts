/** What a client says it can read (RFC 9110 §12.5.1), as far as we can choose at all. */
import { HttpError } from './http-error.ts';

/** Throws NOT_ACCEPTABLE when `produced` is ruled out. `*` produces whatever is there. */
export function requireAcceptable(accept: string | undefined, produced: string): void {
  if (accept === undefined || accept.trim() === '' || produced === '*') return;
  const [type = ''] = produced.split('/');
  const wanted = accept.split(',').map((range) => {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const isRefused = parameters.some((parameter) => /^q=0(?:\.0{0,3})?$/.test(parameter));
    return { name, isRefused };
  });
  const fits = [produced, `${type}/*`, '*/*'];
  // The most exact range that fits decides.
  for (const name of fits) {
    const range = wanted.find((entry) => entry.name === name);
    if (range === undefined) continue;
    if (!range.isRefused) return;
    break;
  }
  throw new HttpError('NOT_ACCEPTABLE', `what there is is ${produced}`);
}
