/** Which features the last run proved: IDs in brackets in the titles of tests that passed. */
import type { FeatureRow } from './feature-rows.ts';

export interface NamedTest {
  readonly file: string;
  readonly title: string;
}

/** What test/run.mjs leaves in .tap/features-run.json. */
export interface LastRun {
  readonly mode: 'all' | 'unit' | 'long';
  readonly startedAt: string;
  readonly passed: readonly NamedTest[];
  readonly failed: readonly NamedTest[];
  readonly skipped: readonly NamedTest[];
}

export interface Comparison {
  /** Passing tests by ID. */
  readonly proofs: ReadonlyMap<string, readonly NamedTest[]>;
  readonly unproven: readonly FeatureRow[];
  /** Rows that claim more than the run showed. Empty for a run of a part of the tests. */
  readonly doneWithoutProof: readonly FeatureRow[];
  /** Titles that name an ID no row has: a typing error that would otherwise prove nothing. */
  readonly unknownIds: readonly { readonly id: string; readonly test: NamedTest }[];
}

const ID_IN_TITLE = /\[([A-Z]{2,3}-\d{2})\]/g;

/** The IDs a title names: `[OUT-05] busy ...`, also in the title of a test around it. */
export function idsIn(title: string): string[] {
  return [...title.matchAll(ID_IN_TITLE)].flatMap(([, id]) => (id === undefined ? [] : [id]));
}

export function compareRun(rows: readonly FeatureRow[], run: LastRun): Comparison {
  const known = new Set(rows.map(({ id }) => id));
  const unknownIds = [...run.passed, ...run.failed, ...run.skipped].flatMap((test) =>
    idsIn(test.title)
      .filter((id) => !known.has(id))
      .map((id) => ({ id, test })),
  );
  const proofs = new Map<string, NamedTest[]>();
  for (const test of run.passed) {
    for (const id of new Set(idsIn(test.title))) {
      proofs.set(id, [...(proofs.get(id) ?? []), test]);
    }
  }
  const unproven = rows.filter(({ id }) => !proofs.has(id));
  return {
    proofs,
    unproven,
    // Rows proven end to end cannot be judged by a run that left the end-to-end tests out.
    doneWithoutProof: run.mode === 'all' ? unproven.filter(({ status }) => status === 'done') : [],
    unknownIds,
  };
}
