/** Contact lists of any length, without holding them: each row a number of its own. */

export interface ListShape {
  readonly rows: number;
  /** Line (from 2) to the text of that row instead of a good one. */
  readonly odd?: ReadonlyMap<number, string>;
}

const HEADER =
  'UniqueIdentifier,FirstName,LastName,MobilePhoneNumber,State,PostalCode,TimeZone,Priority,Balance';
const ROWS_PER_CHUNK = 500;

/** North American numbers that are possible, and differ up to 7,200,000 rows. */
export function numberOfRow(row: number): string {
  const area = 201 + Math.floor(row / 10_000);
  return `+1${area}555${String(row % 10_000).padStart(4, '0')}`;
}

export function* contactListText({ rows, odd = new Map() }: ListShape): Generator<string> {
  let text = `${HEADER}\n`;
  for (let row = 0; row < rows; row += 1) {
    const good = `C-${row},Ada,Roy,${numberOfRow(row)},WA,98101,America/Los_Angeles,${row % 10},${row}.50`;
    text += `${odd.get(row + 2) ?? good}\n`;
    if ((row + 1) % ROWS_PER_CHUNK !== 0) continue;
    yield text;
    text = '';
  }
  yield text;
}

export function contactListBytes(shape: ListShape): () => AsyncIterable<Uint8Array> {
  return async function* () {
    for (const text of contactListText(shape)) yield Buffer.from(text);
  };
}
