/** docs/journeys/journey.schema.json: the definition's shape, for editors. */
import { Journey } from '../../journey-core/definition/journey.schema.ts';
import {
  AttributeTest,
  Condition,
  SegmentTest,
} from '../../journey-core/definition/condition.schema.ts';
import { Compliance } from '../../journey-core/definition/sending.schema.ts';
import type { ShapeSchema } from '../../journey-core/validation/shape-faults.ts';

export const JOURNEY_SCHEMA_DOCUMENT = new URL(
  '../../docs/journeys/journey.schema.json',
  import.meta.url,
);

const SCALAR = { type: ['string', 'number', 'boolean'] };
const OPERAND = {
  anyOf: [SCALAR, { type: 'array', items: { type: ['string', 'number'] }, maxItems: 1000 }],
};

/** Plain JSON Schema: what only our validator knows is said in standard keywords, or left out. */
export function journeySchemaText(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Ringfence journey',
    ...(plain(JSON.parse(JSON.stringify(Journey)) as ShapeSchema) as object),
    $defs: Object.fromEntries(
      [...SHARED].map(([text, name]) => [name, inner(JSON.parse(text) as object)]),
    ),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** Parts that stand in many places, by their text. */
const SHARED: ReadonlyMap<string, string> = new Map(
  Object.entries({ Condition, AttributeTest, SegmentTest, Compliance }).map(([name, schema]) => [
    JSON.stringify(schema),
    name,
  ]),
);

function plain(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(plain);
  if (typeof node !== 'object' || node === null) return node;
  const shared = SHARED.get(JSON.stringify(node));
  return shared === undefined ? inner(node) : { $ref: `#/$defs/${shared}` };
}

function inner(node: object): unknown {
  const { scalar, operand, chosenByKey, discriminator, format, ...rest } = node as Record<
    string,
    unknown
  >;
  // A property may have one of these names: then it holds a schema, not an annotation.
  const named = Object.entries({ scalar, operand, chosenByKey, discriminator, format }).filter(
    ([, value]) => typeof value === 'object' && value !== null && 'type' in value,
  );
  const kept = Object.entries(rest).map(([key, value]) => [key, plain(value)]);
  return {
    ...Object.fromEntries([...kept, ...named.map(([key, value]) => [key, plain(value)])]),
    ...(scalar === true ? SCALAR : {}),
    ...(operand === true ? OPERAND : {}),
  };
}
