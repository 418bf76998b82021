/** What one rule pack alone cannot say: names that are taken, or that nobody has; zones that are none. */
import type { AbandonmentConfig } from './abandonment.schema.ts';
import { nearestName } from './nearest-name.ts';
import type { SchemaFault } from './schema-faults.ts';
import { SHIPPED_RULE_PACKS } from './shipped-rule-packs.ts';

export function rulePackFaults({ applied, rulePacks }: AbandonmentConfig): SchemaFault[] {
  const names = [...rulePacks, ...SHIPPED_RULE_PACKS].map(({ name }) => name);
  const unknown = applied.flatMap((name, index) => {
    if (names.includes(name)) return [];
    const near = nearestName(name, names);
    const remedy = `write ${near ?? [...new Set(names)].join(', ')}, or add it to rulePacks`;
    return [
      { path: ['abandonment', 'applied', index], problem: `${name} is no rule pack`, remedy },
    ];
  });
  const packs = rulePacks.flatMap(({ name, timeZone }, index) => {
    const at = ['abandonment', 'rulePacks', index];
    const isTaken = rulePacks.slice(0, index).some((other) => other.name === name);
    const problem = `${name} is the name of another one`;
    return [
      ...(isTaken ? [{ path: [...at, 'name'], problem, remedy: 'give it a name of its own' }] : []),
      ...(isZone(timeZone)
        ? []
        : [
            {
              path: [...at, 'timeZone'],
              problem: `${timeZone} is no time zone`,
              remedy: 'write an IANA name, such as America/Toronto',
            },
          ]),
    ];
  });
  return [...unknown, ...packs];
}

function isZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
