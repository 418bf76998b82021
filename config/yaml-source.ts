/** A YAML file that remembers where each of its values was written. */
import {
  isMap,
  isNode,
  isScalar,
  Lexer,
  LineCounter,
  parseDocument,
  Parser,
  visit,
  type Document,
} from 'yaml';
import type { ConfigFault } from './config-error.ts';
import type { ConfigPath } from './config-path.ts';

export interface YamlSource {
  readonly value: unknown;
  /** Offset in the text of the value at the path, or of the nearest thing around it. */
  offsetOf(path: ConfigPath): number;
  /** Offset of a key inside the mapping at the path. */
  offsetOfKey(path: ConfigPath, key: string): number;
  /** An offset as `file:line:column`, both counted from 1. */
  place(offset: number): string;
  /** The scalar as it was typed: `012` where the value reads 12. */
  typed(path: ConfigPath): string | undefined;
}

/** Aliases that one document may expand to; a bomb of nested aliases is refused. */
const ALIASES_MAX = 100;
/**
 * Nodes around a node. Documents are composed by recursion, and at the end of the stack V8 ends the whole
 * process where it has to compile a regular expression; nothing that we read is a tenth as deep.
 */
const DEPTH_MAX = 200;

export function readYaml(file: string, text: string): YamlSource | ConfigFault[] {
  const deep = tooDeep(file, text);
  if (deep !== undefined) return [deep];
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => placeIn(file, lines, offset);
  // A warning here is an unknown tag or directive: the value would not mean what was written.
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) {
    return problems.map(({ pos, code, message }) => ({
      where: at(code === 'MISSING_CHAR' ? openedAt(document, pos[0]) : pos[0]),
      path: '',
      problem: `is not valid YAML: ${firstSentence(message)}`,
      remedy: REMEDIES[code] ?? 'correct the line, or the one before it',
    }));
  }
  try {
    return source(document, at, document.toJS({ maxAliasCount: ALIASES_MAX }));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return [{ where: at(0), path: '', problem, remedy: 'write the values without aliases' }];
  }
}

/** Undefined: nowhere. The parser keeps a stack of its own, and so can be asked first. */
function tooDeep(file: string, text: string): ConfigFault | undefined {
  const lines = new LineCounter();
  const parser = new Parser(lines.addNewLine);
  for (const lexeme of new Lexer().lex(text)) {
    const { offset } = parser;
    // Asked for its tokens only so that it goes on.
    Array.from(parser.next(lexeme));
    if (parser.stack.length <= DEPTH_MAX) continue;
    const problem = `is nested more than ${DEPTH_MAX} levels deep`;
    const where = placeIn(file, lines, offset);
    return { where, path: '', problem, remedy: 'write it flatter' };
  }
  return undefined;
}

function placeIn(file: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${file}:${String(Math.max(1, line))}:${String(Math.max(1, col))}`;
}

const REMEDIES: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'keep one of the two lines',
  TAB_AS_INDENT: 'indent with spaces',
  MULTIPLE_DOCS: 'keep one document in the file',
  MISSING_CHAR: 'close the quote or the bracket that was opened',
};

function firstSentence(message: string): string {
  const line = message.split('\n')[0] ?? '';
  return line.replace(/ at line \d+.*$|;.*$/, '').replace(/[.:]$/, '');
}

/** Where the quote began that is still open at the offset: the line to correct is that one. */
function openedAt(document: Document, offset: number): number {
  let opened = offset;
  visit(document, {
    Scalar(_, { range, type }) {
      const isQuoted = type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE';
      if (isQuoted && range && range[0] < offset && range[1] >= offset) opened = range[0];
    },
  });
  return opened;
}

function source(document: Document, at: (offset: number) => string, value: unknown): YamlSource {
  const nodeAt = (path: ConfigPath) =>
    path.length === 0 ? document.contents : document.getIn(path, true);
  const offsetOf = (path: ConfigPath): number => {
    for (let length = path.length; length >= 0; length -= 1) {
      const node = nodeAt(path.slice(0, length));
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  };
  return {
    value,
    place: at,
    offsetOf,
    offsetOfKey(path, key) {
      const holder = nodeAt(path);
      const pair = isMap(holder)
        ? holder.items.find((item) => isScalar(item.key) && item.key.value === key)
        : undefined;
      return isNode(pair?.key) && pair.key.range ? pair.key.range[0] : offsetOf(path);
    },
    typed(path) {
      const node = nodeAt(path);
      return isScalar(node) ? node.source : undefined;
    },
  };
}
