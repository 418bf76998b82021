import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { ContactsCsvError } from '../../dialer/intake/contacts-csv-error.ts';
import {
  readContactsCsv,
  type BadRow,
  type ContactRow,
  type ContactsCsv,
  type ContactsCsvOptions,
} from '../../dialer/intake/contacts-csv.ts';
import { csvRecords, type CsvFault, type CsvRecord } from '../../dialer/intake/csv-records.ts';
import { asRegion, readDestination } from '../../dialer/intake/destination.ts';

const OPTIONS: ContactsCsvOptions = {
  format: 'e164',
  bytesMax: 10_000_000,
  identifier: 'lineNumber',
};

async function* chunked(bytes: Uint8Array, size = bytes.length): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size)
    yield bytes.subarray(start, start + size);
}

function open(csv: string | Buffer, options: Partial<ContactsCsvOptions> = {}) {
  return readContactsCsv(chunked(Buffer.from(csv)), { ...OPTIONS, ...options });
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function rowsOf(csv: string | Buffer, options: Partial<ContactsCsvOptions> = {}) {
  return collect((await open(csv, options)).rows);
}

/** One line per row: `3 +12025550100` or `4 bad: reason`. */
function inShort(rows: readonly (ContactRow | BadRow)[]): string[] {
  return rows.map((row) =>
    row.kind === 'bad'
      ? `${String(row.line)} bad: ${row.reason}`
      : `${String(row.line)} ${row.contact.phones[0].destination}`,
  );
}

async function refusal(promise: Promise<unknown>): Promise<ContactsCsvError | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    if (error instanceof ContactsCsvError) return error;
    throw error;
  }
}

t.test(
  'The sample of the specification is read whole, types and pass-through columns',
  async (t) => {
    const csv = `UniqueIdentifier,FirstName,LastName,MobilePhoneNumber,HomePhoneNumber,State,PostalCode,TimeZone,Priority,AccountId,Balance
C-100,Ada,Roy,+12025550100,,WA,98101,America/Los_Angeles,10,H-7,120.50
C-101,Ben,Roy,+12025550101,+12025550102,WA,98101,America/Los_Angeles,10,H-7,120.50
C-200,Cy,Lund,,+46850551000,,11122,Europe/Stockholm,5,,80.00
`;
    const rows = await rowsOf(csv, { identifier: 'required' });
    t.same(inShort(rows), ['2 +12025550100', '3 +12025550101', '4 +46850551000']);
    const [, ben, cy] = rows;
    t.match(ben, {
      contact: {
        uniqueIdentifier: 'C-101',
        phones: [
          { field: 'MobilePhoneNumber', destination: '+12025550101' },
          { field: 'HomePhoneNumber', destination: '+12025550102' },
        ],
        fields: { FirstName: 'Ben', PostalCode: '98101', AccountId: 'H-7', Priority: '10' },
        attributes: { Balance: '120.50' },
      },
    });
    t.match(cy, { contact: { phones: [{ field: 'HomePhoneNumber' }] } });
  },
);

const headers: { header: string; field: string }[] = [
  'phone',
  'PHONE',
  'number',
  'mobile',
  'tel',
  'Mobile Phone Number',
  'mobile_phone_number',
  'MOBILEPHONENUMBER',
  '"Tel."',
].map((header) => ({ header, field: 'MobilePhoneNumber' }));
headers.push(
  { header: 'businessPhoneNumber', field: 'BusinessPhoneNumber' },
  { header: 'Home Phone', field: 'HomePhoneNumber' },
);

for (const { header, field } of headers) {
  t.test(`The column ${header} is the ${field}`, async (t) => {
    const [row] = await rowsOf(`name,${header}\nAda,+12025550100\n`);
    t.match(row, {
      kind: 'contact',
      contact: { phones: [{ field }], attributes: { name: 'Ada' } },
    });
  });
}

t.test('A full column name wins over an alias, and the alias passes through', async (t) => {
  const [row] = await rowsOf('phone,MobilePhoneNumber\n+12025550111,+12025550100\n');
  t.match(row, {
    contact: {
      phones: [{ destination: '+12025550100' }],
      attributes: { phone: '+12025550111' },
    },
  });
});

t.test('Without a phone column the file is refused and the columns found are listed', async (t) => {
  const error = await refusal(open('name,city\nAda,Rome\n'));
  t.equal(error?.fault, 'noPhoneColumn');
  t.match(error?.message, /Columns found: 'name', 'city'\.$/);
});

t.test('A file without header is refused without repeating its numbers', async (t) => {
  const error = await refusal(open('+12025550100,Ada\n+12025550101,Ben\n'));
  t.equal(error?.fault, 'noPhoneColumn');
  t.notMatch(error?.message, '2025550100');
  t.match(error?.message, /looks like data/);
});

t.test('[API-23] Missing UniqueIdentifier or all phone columns is refused', async (t) => {
  const noId = await refusal(open('phone\n+12025550100\n', { identifier: 'required' }));
  t.equal(noId?.fault, 'noIdentifierColumn');
  const noPhone = await refusal(open('UniqueIdentifier\nC-1\n', { identifier: 'required' }));
  t.equal(noPhone?.fault, 'noPhoneColumn');
  t.same(
    inShort(await rowsOf('UniqueIdentifier,tel\n,+12025550100\n', { identifier: 'required' })),
    ['2 bad: has no UniqueIdentifier'],
  );
});

t.test('Where the demo reads it, a missing identifier is the line number', async (t) => {
  const rows = await rowsOf('phone\n\n+12025550100\n"+12025550101"\n');
  t.same(
    rows.map((row) => (row.kind === 'contact' ? row.contact.uniqueIdentifier : '')),
    ['3', '4'],
  );
});

const encodings: { name: string; given: Buffer; fault: string }[] = [
  {
    name: 'UTF-16 with its mark',
    given: Buffer.from('\ufeffphone\n+12025550100\n', 'utf16le'),
    fault: 'notUtf8',
  },
  {
    name: 'UTF-16, big end first',
    given: Buffer.from('\ufeffphone\n+12025550100\n', 'utf16le').swap16(),
    fault: 'notUtf8',
  },
  {
    name: 'UTF-16 without a mark',
    given: Buffer.from('phone\n+12025550100\n', 'utf16le'),
    fault: 'notText',
  },
  { name: 'a workbook', given: Buffer.from('PK\u0003\u0004xl/'), fault: 'notText' },
  { name: 'an empty file', given: Buffer.alloc(0), fault: 'empty' },
  { name: 'a file of blank lines', given: Buffer.from('\n\r\n\n'), fault: 'empty' },
];
for (const { name, given, fault } of encodings) {
  t.test(`Refused as a whole: ${name}`, async (t) => {
    t.equal((await refusal(open(given)))?.fault, fault);
  });
}

t.test('UTF-8 is read with and without its mark, and names keep their letters', async (t) => {
  for (const mark of ['', '\ufeff']) {
    const [row] = await rowsOf(`${mark}phone,FirstName\n+12025550100,Žofie\n`);
    t.match(row, { contact: { fields: { FirstName: 'Žofie' } } });
  }
});

t.test('A row that is not UTF-8 is reported and the rest goes on', async (t) => {
  const csv = Buffer.concat([
    Buffer.from('phone,name\n+12025550100,Ada\n+12025550101,Ren'),
    Buffer.from([0xe9]),
    Buffer.from('\n+12025550102,Žofie\n'),
  ]);
  t.same(inShort(await rowsOf(csv)), [
    '2 +12025550100',
    '3 bad: is not UTF-8: save the file as "CSV UTF-8"',
    '4 +12025550102',
  ]);
});

t.test('More than 10 MB is refused, 10 MB is not', async (t) => {
  const row = `+12025550100,${'x'.repeat(1_000)}\n`; // few rows: the limit is of bytes
  const fill = (bytes: number) => {
    const csv = `phone,name\n${row.repeat(Math.floor((bytes - 11) / row.length))}`;
    return Buffer.from(csv.padEnd(bytes, '\n'));
  };
  const whole = async (bytes: Buffer) => {
    const { rows } = await readContactsCsv(chunked(bytes, 1 << 16), OPTIONS);
    let count = 0;
    for await (const one of rows) count += one.kind === 'contact' ? 1 : 0;
    return count;
  };
  t.equal(await whole(fill(10_000_000)), Math.floor((10_000_000 - 11) / row.length));
  t.equal((await refusal(whole(fill(10_100_000))))?.fault, 'tooLarge');
});

const quotes: { name: string; given: string; expected: string[] }[] = [
  {
    name: 'An open quote in the middle costs its own line only',
    given: 'phone,name\n+12025550100,Ada\n+12025550101,"Ben\n+12025550102,Cy\n+12025550103,Di\n',
    expected: [
      '2 +12025550100',
      '3 bad: opens a quote that is not closed',
      '4 +12025550102',
      '5 +12025550103',
    ],
  },
  {
    name: 'An open quote that a later quote closes by chance costs its own line only',
    given:
      'phone,name,city\n+12025550100,"Ada,Rome\n+12025550101,Ben,Oslo\n+12025550102,"Lund, Cy",Bern\n+12025550103,Di,Nice\n',
    expected: [
      '2 bad: opens a quote that is not closed',
      '3 +12025550101',
      '4 +12025550102',
      '5 +12025550103',
    ],
  },
  {
    name: 'An open quote in the last line is named',
    given: 'phone,name\n+12025550100,Ada\n+12025550101,"Ben',
    expected: ['2 +12025550100', '3 bad: opens a quote that is not closed'],
  },
  {
    name: 'A quoted field may span lines, and the lines after it keep their numbers',
    given: 'phone,name\r\n+12025550100,"Ada\r\nRoy"\r\n1,x\r\n+12025550101,Ben\r\n',
    expected: [
      '2 +12025550100',
      '4 bad: MobilePhoneNumber is a short number, and the trunk takes E.164 only (destinationFormat: any takes it)',
      '5 +12025550101',
    ],
  },
  {
    name: 'Quotes inside a field are taken as they are',
    given: 'phone,name\n+12025550100,5" pipe\n+12025550101, "Ada ""A"" Roy" \n',
    expected: ['2 +12025550100', '3 +12025550101'],
  },
  {
    name: 'A quote that is not doubled inside a quoted field costs its line',
    given: 'phone,name\n+12025550100,"Ada "A" Roy"\n+12025550101,Ben\n',
    expected: [
      '2 bad: has text after a closing quote: a quote inside a quoted field is written twice',
      '3 +12025550101',
    ],
  },
  {
    name: 'Too many fields are a bad row, empty ones too many are not',
    given: 'phone,name\n+12025550100,Roy, Ada\n+12025550101,Ben,,\n',
    expected: [
      '2 bad: has 3 fields where the header has 2: a field that holds a separator needs quotes',
      '3 +12025550101',
    ],
  },
  {
    name: 'Old Mac line ends',
    given: 'phone,name\r+12025550100,Ada\r+12025550101,Ben\r',
    expected: ['2 +12025550100', '3 +12025550101'],
  },
  {
    name: 'Semicolons, as spreadsheets write them where the comma is the decimal sign',
    given: 'phone;name;balance\n+12025550100;Ada;1,5\n',
    expected: ['2 +12025550100'],
  },
  {
    name: 'Tabs behind the note that Excel writes to itself',
    given: 'sep=\t\nphone\tname\n+12025550100\tAda\n',
    expected: ['3 +12025550100'],
  },
  { name: 'A header and nothing else', given: 'phone\n', expected: [] },
];
for (const { name, given, expected } of quotes) {
  t.test(name, async (t) => {
    t.same(inShort(await rowsOf(given)), expected);
  });
}

t.test('A short row is taken with a warning', async (t) => {
  const [row] = await rowsOf('phone,name,city\n+12025550100,Ada\n');
  t.match(row, {
    kind: 'contact',
    warnings: ['has 2 fields where the header has 3: those missing are taken as empty'],
  });
});

t.test('A header whose quote stays open refuses the file and names the line', async (t) => {
  const error = await refusal(open('phone,"name\n+12025550100,Ada\n'));
  t.match(error?.message, /^The header, line 1, opens a quote that is not closed/);
});

t.test('A file full of open quotes is refused', async (t) => {
  const error = await refusal(rowsOf(`phone,name\n${'+12025550100,"x\n'.repeat(301)}`));
  t.equal(error?.fault, 'notCsv');
});

t.test('A repeated column name is left out with a warning', async (t) => {
  const { columns } = await open('phone,note,note\n');
  t.same(columns.warnings, ["column 3 repeats the name 'note' and is left out"]);
});

t.test('The way the bytes arrive changes nothing', async (t) => {
  const lines = Array.from(
    { length: 40 },
    (_, n) => `"C,${String(n)}","line\r\nbreak Žé",+120255501${String(n).padStart(2, '0')}\r\n`,
  );
  const bytes = Buffer.from(`UniqueIdentifier,FirstName,phone\r\n${lines.join('')}`);
  const { rows } = await readContactsCsv(chunked(bytes), OPTIONS);
  const expected = await collect(rows);
  t.equal(expected.filter(({ kind }) => kind === 'contact').length, 40);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: bytes.length }), async (size) => {
      const csv: ContactsCsv = await readContactsCsv(chunked(bytes, size), OPTIONS);
      t.strictSame(await collect(csv.rows), expected);
    }),
    { numRuns: 25 },
  );
});

t.test('A list without quotes is read as one with them, whatever it holds', async (t) => {
  const signs = [
    'a',
    'é',
    ' ',
    '\t',
    '\f',
    '\v',
    '\u00a0',
    '\u2028',
    '\n',
    '\r',
    '\r\n',
    ',',
    ';',
    '|',
  ];
  const inputs = fc.tuple(
    fc.constantFrom(',', ';', '\t', '|'),
    fc.array(fc.constantFrom(...signs), { maxLength: 40 }),
  );
  await fc.assert(
    fc.asyncProperty(inputs, async ([delimiter, body]) => {
      const read = (first: string) => {
        const header = [first, 'second', 'third', 'fourth', 'fifth'].join(delimiter);
        const bytes = Buffer.from(`${header}\n${body.join('')}`);
        return collect(csvRecords(chunked(bytes), { bytesMax: 1_000_000 }));
      };
      // One quote in it, and the careful reader takes the whole batch.
      return isDeepStrictEqual(await read('first'), await read('"first"'));
    }),
    { numRuns: 400 },
  );
  t.pass();
});

t.test('Batches larger than one read keep lines and records, open quotes included', async (t) => {
  const lines = Array.from({ length: 6_000 }, (_, n) =>
    n % 500 === 7 ? `"open ${String(n)},x` : `"a, ${String(n)}","two\nlines"`,
  );
  const bytes = Buffer.from(`a,b\n${lines.join('\n')}\n`);
  const items: (CsvRecord | CsvFault)[] = await collect(
    csvRecords(chunked(bytes, 10_000), { bytesMax: 1_000_000 }),
  );
  const faults = items.filter(({ kind }) => kind === 'fault');
  t.equal(faults.length, 12);
  t.equal(items.length, 6_001, 'no line is lost');
  const text = bytes.toString().split('\n');
  for (const { line } of faults) t.match(text[line - 1], /^"open/);
});

t.test('Whatever stands in one line, every other line is read', async (t) => {
  const broken = fc.string({
    unit: fc.constantFrom('a', '"', ',', ' ', ';', 'é', "'"),
    maxLength: 12,
  });
  const good = (count: number) => Array<string>(count).fill('+12025550100,good');
  await fc.assert(
    fc.asyncProperty(
      broken,
      fc.nat({ max: 5 }),
      fc.nat({ max: 5 }),
      async (line, before, after) => {
        const lines = [...good(before), line, ...good(after)];
        const rows = await rowsOf(`phone,name\n${lines.join('\n')}\n`);
        const read = rows.flatMap((row) => (row.kind === 'contact' ? [row.line] : []));
        const expected = lines.flatMap((text, index) => (text.endsWith('good') ? [index + 2] : []));
        t.strictSame(read, expected, JSON.stringify(line));
      },
    ),
    { numRuns: 300 },
  );
});

const numbers: {
  written: string;
  format?: 'e164' | 'e164-no-plus' | 'any';
  region?: string;
  expected: string | RegExp;
}[] = [
  { written: '+1 (202) 555-0100', expected: '+12025550100' },
  { written: 'tel:+1-202-555-0100', expected: '+12025550100' },
  { written: "'+12025550100", expected: '+12025550100' },
  { written: '202-555-0100', region: 'us', expected: '+12025550100' },
  { written: '020 7946 0018', region: 'GB', expected: '+442079460018' },
  { written: '0044 20 7946 0018', region: 'DE', expected: '+442079460018' },
  { written: '202-555-0100', expected: /no country code/ },
  { written: '1001', expected: /short number/ },
  { written: '1001', region: 'US', expected: /too few or too many digits/ },
  { written: '1001', format: 'e164-no-plus', expected: /short number/ },
  { written: '1001', format: 'any', expected: '1001' },
  { written: '*98', format: 'any', expected: '*98' },
  { written: 'lobby.desk', format: 'any', expected: 'lobby.desk' },
  { written: '+1 202 555 0100', format: 'any', expected: '+12025550100' },
  { written: 'a b@c', format: 'any', expected: /signs that a SIP address cannot carry/ },
  { written: '+1202555', expected: /too few or too many digits/ },
  { written: '1.20256E+10', expected: /shortened by a spreadsheet/ },
  { written: '1,20256E+10', format: 'any', expected: /shortened by a spreadsheet/ },
  { written: '+12025550100 ext. 12', expected: /extension/ },
  { written: 'Ada', expected: /not a telephone number/ },
  { written: '+999 123 456 789', expected: /not a telephone number|digits for its country/ },
];
for (const { written, format = 'e164', region, expected } of numbers) {
  t.test(`A trunk of format ${format} is given ${written}${region ? ` of ${region}` : ''}`, (t) => {
    const defaultRegion = region === undefined ? undefined : asRegion(region);
    const reading = readDestination(written, {
      format,
      ...(defaultRegion === undefined ? {} : { defaultRegion }),
    });
    if (typeof expected === 'string') t.match(reading, { destination: expected });
    else t.match('problem' in reading ? reading.problem : '', expected);
    t.end();
  });
}

t.test('A possible number of no known range is dialled with a warning', (t) => {
  const reading = readDestination('+447700900123', { format: 'e164' });
  t.match(reading, { destination: '+447700900123', warning: /no known number range/ });
  t.end();
});

t.test('A region that does not exist is none', (t) => {
  t.equal(asRegion('XX'), undefined);
  t.equal(asRegion(' us '), 'US');
  t.end();
});

t.test('One bad number of two leaves the contact with the other, and a warning', async (t) => {
  const [row] = await rowsOf('mobile,home phone\n1001,+12025550100\n');
  t.match(row, {
    kind: 'contact',
    contact: { phones: [{ field: 'HomePhoneNumber', destination: '+12025550100' }] },
    warnings: [/^MobilePhoneNumber is a short number.*left out$/],
  });
});

t.test('A time zone that nobody knows is left out, with a warning', async (t) => {
  const zones = ['America/New_York', '', 'Pacific Standard Time', 'GMT-8', '(GMT-08:00) Pacific'];
  const rows = zones.map((zone) => `+12025550100,"${zone}"\n`).join('');
  const read = await rowsOf(`phone,TimeZone\n${rows}`);
  t.match(read[0], { contact: { fields: { TimeZone: 'America/New_York' } }, warnings: [] });
  for (const [index, row] of read.entries()) {
    if (row.kind !== 'contact') throw new Error(`row ${index} is bad`);
    if (index > 0) t.equal(row.contact.fields.TimeZone, undefined, zones[index] ?? '');
    t.equal(row.warnings.length, index > 1 ? 1 : 0);
  }
  t.match(read[2], { warnings: [/^TimeZone is not in the IANA data base/] });
});

t.test('A bad row keeps the number apart from its reason', async (t) => {
  const [row] = await rowsOf('phone\n12025550\n');
  t.match(row, { kind: 'bad', line: 2, written: '12025550' });
  t.notMatch(row?.kind === 'bad' ? row.reason : '', '12025550');
});
