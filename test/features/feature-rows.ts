/** docs/features.md as data: one row per feature, grouped under headings. */

export const FEATURE_STATUSES = ['planned', 'partly', 'done'] as const;
export type FeatureStatus = (typeof FEATURE_STATUSES)[number];

export interface FeatureRow {
  readonly id: string;
  readonly text: string;
  readonly status: FeatureStatus;
  readonly line: number;
}

export interface FeatureTable {
  readonly rows: readonly FeatureRow[];
  /** What is wrong with the table itself, one sentence each with its line. */
  readonly problems: readonly string[];
}

const ID_PATTERN = /^[A-Z]{2,3}-\d{2}$/;

/** Reads every table row whose first cell looks like an ID, and reports the ones it cannot accept. */
export function featureTable(markdown: string): FeatureTable {
  const rows: FeatureRow[] = [];
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [index, text] of markdown.split('\n').entries()) {
    const cells = text.split('|').map((cell) => cell.trim());
    const [, id, words, status] = cells;
    if (id === undefined || !ID_PATTERN.test(id)) continue;
    const line = index + 1;
    const known = FEATURE_STATUSES.find((name) => name === status);
    if (seen.has(id)) problems.push(`line ${line}: ${id} appears twice`);
    if (words === undefined || words === '') problems.push(`line ${line}: ${id} says nothing`);
    if (known === undefined) {
      problems.push(`line ${line}: ${id} has the status "${status ?? ''}"`);
    } else if (!seen.has(id)) {
      rows.push({ id, text: words ?? '', status: known, line });
    }
    seen.add(id);
  }
  if (rows.length === 0) problems.push('no feature row was found');
  return { rows, problems };
}
