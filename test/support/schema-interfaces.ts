/** The row interfaces of dialer/store/schema/, read from their source: columns, types, nullability. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export interface ColumnShape {
  readonly type: 'text' | 'number';
  readonly isNullable: boolean;
}

export type TableShapes = Readonly<Record<string, Readonly<Record<string, ColumnShape>>>>;

const FOLDER = fileURLToPath(new URL('../../dialer/store/schema', import.meta.url));

/** By table name, as `…Tables` interfaces pair them with their rows. */
export function schemaInterfaces(): TableShapes {
  const rows = new Map<string, ts.InterfaceDeclaration>();
  const rowOfTable = new Map<string, string>();
  for (const file of readdirSync(FOLDER)) {
    const text = readFileSync(join(FOLDER, file), 'utf8');
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
    for (const statement of source.statements.filter((node) => ts.isInterfaceDeclaration(node))) {
      if (!statement.name.text.endsWith('Tables')) rows.set(statement.name.text, statement);
      else for (const [table, row] of propertiesOf(statement)) rowOfTable.set(table, row);
    }
  }
  return Object.fromEntries(
    [...rowOfTable].map(([table, rowName]) => {
      const row = rows.get(rowName);
      if (row === undefined) throw new Error(`no interface ${rowName} for the table ${table}`);
      const columns = propertiesOf(row).map(([name, type]) => [name, shapeOf(type)] as const);
      return [table, Object.fromEntries(columns)];
    }),
  );
}

function propertiesOf(node: ts.InterfaceDeclaration): [name: string, type: string][] {
  return node.members.map((member) => {
    if (!ts.isPropertySignature(member) || member.type === undefined) {
      throw new Error(`${node.name.text} holds something that is no column`);
    }
    return [member.name.getText(), member.type.getText()];
  });
}

function shapeOf(type: string): ColumnShape {
  const alternatives = type
    .replace(/^Generated<(.*)>$/, '$1')
    .split('|')
    .map((word) => word.trim());
  const [plain, ...others] = alternatives.filter((word) => word !== 'null');
  if (others.length > 0 || (plain !== 'string' && plain !== 'number')) {
    throw new Error(`a column cannot be of type ${type}`);
  }
  const isNullable = alternatives.includes('null');
  return { type: plain === 'string' ? 'text' : 'number', isNullable };
}
