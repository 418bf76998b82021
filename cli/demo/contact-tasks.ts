/** From a contact list to the tasks of one run: who is dialled, who is not, and why. */
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { TrunkConfig } from '../../config/trunk.schema.ts';
import { tooLong } from '../../dialer/intake/batch-rows.ts';
import type { ContactColumns } from '../../dialer/intake/contact-columns.ts';
import {
  CONTACTS_BYTES_MAX,
  readContactsCsv,
  type BadRow,
  type Contact,
  type ContactPhone,
  type ContactRow,
} from '../../dialer/intake/contacts-csv.ts';
import { tooLarge } from '../../dialer/intake/csv-records.ts';
import { asRegion, type DestinationRules } from '../../dialer/intake/destination.ts';
import { DialerError } from '../../machines/errors.ts';
import { CliError } from '../cli-error.ts';

/** What keeps a row from being dialled. */
export interface RowRefusal {
  readonly task: 'Error' | 'Suppressed';
  readonly reason: string;
}

export interface ContactTask {
  /** Line of the file, from 1. */
  readonly line: number;
  /** The first number to be dialled; for a refused row what was written, if anything. */
  readonly to: string;
  /** With the numbers that are dialled for it alone; undefined for a row that cannot be read. */
  readonly contact?: Contact;
  readonly refusal?: RowRefusal;
}

export interface ContactList {
  readonly columns: ContactColumns;
  readonly tasks: readonly ContactTask[];
  /** One sentence each, without telephone numbers. */
  readonly warnings: readonly string[];
}

/** 60 contacts at numbers reserved for fiction, whose last two digits choose what the lab does. */
export const SHIPPED_CONTACTS = fileURLToPath(
  new URL(
    // The list stays in the checkout's `lab`, also when this runs from `dist/cli/demo`.
    import.meta.url.endsWith('.ts') ? '../../lab/contacts.csv' : '../../../lab/contacts.csv',
    import.meta.url,
  ),
);

/** Reads the whole file before anything is dialled: a fault in the last line stops all of it. */
export async function readContactTasks(
  file: string,
  trunk: TrunkConfig,
  region: string | undefined,
): Promise<ContactList> {
  const rules = destinationRules(trunk, region);
  try {
    return await readList(file, rules);
  } catch (error) {
    if (!(error instanceof DialerError)) throw error;
    throw new CliError(error.code, `The contacts ${file} cannot be used. ${error.message}`);
  }
}

async function readList(file: string, rules: DestinationRules): Promise<ContactList> {
  await checkFile(file);
  const { columns, rows } = await readContactsCsv(createReadStream(file), {
    ...rules,
    bytesMax: CONTACTS_BYTES_MAX,
    identifier: 'lineNumber',
  });
  const read: (ContactRow | BadRow)[] = [];
  // What the dialer's intake would refuse is refused here, with the line of this file.
  for await (const row of rows) read.push((row.kind === 'contact' && tooLong(row)) || row);
  if (read.length === 0) {
    throw new DialerError('CONTACTS_INVALID', 'There is a header but not one contact.');
  }
  const warnings = columns.warnings.map((warning) => `${file}: ${warning}`);
  if (columns.fields.has('AccountId')) {
    warnings.push(`${file}: AccountId is not followed here: each row is a task of its own`);
  }
  for (const row of read) {
    if (row.kind !== 'contact') continue;
    warnings.push(...row.warnings.map((warning) => `${file}:${String(row.line)}: ${warning}`));
  }
  return { columns, tasks: tasksOf(read, columns.fields.has('UniqueIdentifier')), warnings };
}

function destinationRules(trunk: TrunkConfig, region: string | undefined): DestinationRules {
  if (region === undefined) return { format: trunk.destinationFormat };
  const defaultRegion = asRegion(region);
  if (defaultRegion === undefined) {
    throw new CliError(
      'REGION_UNKNOWN',
      `There is no region ${region}: write two letters of ISO 3166, such as US or GB.`,
    );
  }
  return { format: trunk.destinationFormat, defaultRegion };
}

async function checkFile(file: string): Promise<void> {
  const found = await stat(file).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be opened (${code ?? ''})`;
    throw new DialerError('CONTACTS_INVALID', `The file cannot be read: ${why}.`);
  });
  if (found.isDirectory()) {
    throw new DialerError('CONTACTS_INVALID', 'The file cannot be read: it is a folder.');
  }
  if (found.size > CONTACTS_BYTES_MAX) throw tooLarge(CONTACTS_BYTES_MAX);
}

/** Whether the file is the one that ships with the project, under whatever path. */
export async function isShippedList(file: string): Promise<boolean> {
  const [given, shipped] = await Promise.all(
    [file, SHIPPED_CONTACTS].map((path) => realpath(path).catch(() => path)),
  );
  return given === shipped;
}

/**
 * One task per row, in order. A repeated identifier updates the contact of the first row and makes
 * no second task; a repeated number is not dialled again, since two calls to one telephone need a
 * gap that is longer than a run.
 */
function tasksOf(rows: readonly (ContactRow | BadRow)[], hasIdentifiers: boolean): ContactTask[] {
  const tasks: ContactTask[] = [];
  const indexById = new Map<string, number>();
  for (const row of rows) {
    if (row.kind === 'bad') {
      tasks.push({
        line: row.line,
        to: row.written ?? '',
        refusal: { task: 'Error', reason: row.reason },
      });
      continue;
    }
    const { uniqueIdentifier } = row.contact;
    const known = hasIdentifiers ? indexById.get(uniqueIdentifier) : undefined;
    const first = known === undefined ? undefined : tasks[known];
    if (known === undefined || first === undefined) {
      indexById.set(uniqueIdentifier, tasks.length);
      tasks.push(taskOf(row));
    } else {
      tasks[known] = { ...taskOf(row), line: first.line };
      const reason = `repeats the identifier of line ${String(first.line)}, whose contact it updates`;
      tasks.push({ ...taskOf(row), refusal: { task: 'Suppressed', reason } });
    }
  }
  return withoutRepeatedNumbers(tasks);
}

function taskOf({ line, contact }: ContactRow): ContactTask {
  return { line, to: contact.phones[0].destination, contact };
}

/** A contact keeps the numbers that no earlier one has; one that keeps none is not dialled. */
function withoutRepeatedNumbers(tasks: readonly ContactTask[]): ContactTask[] {
  const lineByNumber = new Map<string, number>();
  return tasks.map((task) => {
    const { contact, line, to } = task;
    if (task.refusal !== undefined || contact === undefined) return task;
    const phones: ContactPhone[] = [];
    for (const phone of contact.phones) {
      if (lineByNumber.has(phone.destination)) continue;
      lineByNumber.set(phone.destination, line);
      phones.push(phone);
    }
    const [first, ...others] = phones;
    if (first !== undefined) {
      return {
        ...task,
        to: first.destination,
        contact: { ...contact, phones: [first, ...others] },
      };
    }
    const earlier = String(lineByNumber.get(to));
    const reason = `has the number of line ${earlier}, which is not dialled twice`;
    return { ...task, refusal: { task: 'Suppressed', reason } };
  });
}
