/**
 * Which branch of a union a value means. A union of shapes that names its discriminator (OpenAPI 3.1)
 * is replaced by the one branch whose literal the value has, all the way down, so that a fault is
 * told once and of the shape that was meant, not of every shape that there is.
 */
import type { TSchema } from 'typebox';
import { isMapping } from './config-path.ts';

interface Discriminated {
  readonly anyOf?: readonly TSchema[];
  readonly discriminator?: { readonly propertyName: string };
}

interface Shape {
  readonly properties?: Readonly<Record<string, TSchema>>;
}

interface Literal {
  readonly const?: unknown;
  readonly default?: unknown;
}

/** The schema itself where no union in it is decided by the value. */
export function meantSchema(schema: TSchema, value: unknown): TSchema {
  const meant = branchOf(schema, value);
  const { properties } = meant as Shape;
  if (properties === undefined || !isMapping(value)) return meant;
  const narrowed = Object.entries(properties).map(([name, property]) => {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    return [name, meantSchema(property, given)] as const;
  });
  if (narrowed.every(([name, property]) => property === properties[name])) return meant;
  return withProperties(meant, Object.fromEntries(narrowed));
}

/** Without the discriminator the branch for which it is the default is meant, else the first. */
export function branchOf(schema: TSchema, value: unknown): TSchema {
  const { anyOf = [], discriminator } = schema as Discriminated;
  if (discriminator === undefined || !isMapping(value)) return schema;
  const name = discriminator.propertyName;
  const literalOf = (branch: TSchema): Literal | undefined => (branch as Shape).properties?.[name];
  const given = value[name];
  const meant =
    given === undefined
      ? anyOf.find((branch) => literalOf(branch)?.default !== undefined)
      : anyOf.find((branch) => literalOf(branch)?.const === given);
  if (meant !== undefined) return meant;
  const first = anyOf[0];
  return first === undefined ? schema : choosing(first, name, anyOf.map(literalOf));
}

/** No branch is meant: the one fault worth telling is the discriminator's. */
function choosing(
  branch: TSchema,
  name: string,
  literals: readonly (Literal | undefined)[],
): TSchema {
  const known = literals.map((literal) => literal?.const);
  const property = (branch as Shape).properties?.[name] ?? {};
  const anyKnown = { type: 'string', enum: known, ...descriptionOf(property) };
  return { type: 'object', required: [name], properties: { [name]: anyKnown } };
}

function descriptionOf(schema: object): { readonly description?: string } {
  const { description } = schema as { readonly description?: string };
  return description === undefined ? {} : { description };
}

/** A copy with what TypeBox keeps beside the JSON Schema keywords. */
function withProperties(schema: TSchema, properties: Readonly<Record<string, TSchema>>): TSchema {
  const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(schema));
  return Object.assign(copy, { properties });
}
