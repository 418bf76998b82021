/** The few schema keywords that loading and documentation read, and a walk to one entry. */
import type { ConfigPath } from './config-path.ts';

export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  /** Environment variable that overrides the entry; `<NAME>` stands for the trunk's name. */
  readonly env?: string;
  /** The law or standard that sets the entry or its bounds. */
  readonly source?: string;
  /** The value is never shown in a message. */
  readonly secret?: boolean;
}

/** TypeBox builds plain JSON Schema; this reads it as such. */
export function schemaNode(schema: object): SchemaNode {
  return schema;
}

export function schemaAt(root: SchemaNode, path: ConfigPath): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  for (const key of path) {
    node = typeof key === 'number' ? node?.items : node?.properties?.[key];
  }
  return node;
}

/** Every entry that holds a value, with its path; a list of mappings is walked as `list[*]`. */
export function* entriesOf(
  node: SchemaNode,
  path: readonly string[] = [],
): Generator<{ path: readonly string[]; entry: SchemaNode }> {
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const here = [...path, key];
    if (child.properties !== undefined) yield* entriesOf(child, here);
    else if (child.items?.properties !== undefined) yield* entriesOf(child.items, [...here, '*']);
    else yield { path: here, entry: child };
  }
}
