import { parseSync } from '@swc/core';

/** One wrong line: the text from `start` to `end` of the source is replaced. */
export interface Mutant {
  readonly file: string;
  /** Line number, counted from 1. */
  readonly line: number;
  readonly kind: string;
  /** Byte offsets in the UTF-8 source. */
  readonly start: number;
  readonly end: number;
  readonly original: string;
  readonly replacement: string;
  /** A statement is probed in front of it, an expression around it. */
  readonly isStatement: boolean;
}

type Node = Record<string, unknown> & {
  readonly type: string;
  readonly span: { readonly start: number; readonly end: number };
};
type Change = (kind: string, node: Node, replacement: string) => void;

/** Each binary operator, and what is put in its place. */
const OPERATORS: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
  '&&': '||',
  '||': '&&',
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '<<': '>>',
  '>>': '<<',
  '>>>': '<<',
  '&': '|',
  '|': '&',
};
const METHODS: ReadonlyMap<string, string> = new Map([
  ['some', 'every'],
  ['every', 'some'],
  ['min', 'max'],
  ['max', 'min'],
]);
/** Expressions that only carry a type; the other nodes named Ts… are erased. */
const TYPED = new Set([
  'TsAsExpression',
  'TsNonNullExpression',
  'TsSatisfiesExpression',
  'TsConstAssertion',
  'TsInstantiation',
]);
/** Log lines are for people, and no spec compares them. */
const LOGS = /^(?:this\.)?log\??\.|^onError\(/;

/** Makes every mutant of a TypeScript source, in the order of the source. */
export function makeMutants(source: string, file: string): Mutant[] {
  const bytes = Buffer.from(source);
  // Spans count on from the last parse; the semicolon in front shows where this one begins.
  const module = parseSync(`;${source}`, { syntax: 'typescript', decorators: true, target: 'es2022' }) as unknown as {
    readonly body: readonly Node[];
  };
  const base = module.body[0]!.span.start + 1;
  const text = (from: number, to: number): string => bytes.toString('utf8', from - base, to - base);
  const found = new Map<string, Mutant>();
  const change: Change = (kind, node, replacement) => {
    const [start, end] = [node.span.start - base, node.span.end - base];
    const original = bytes.toString('utf8', start, end);
    if (original === replacement) return;
    const line = bytes.subarray(0, start).filter((byte) => byte === 0x0a).length + 1;
    found.set(`${start} ${end} ${replacement}`, {
      file,
      line,
      kind,
      start,
      end,
      original,
      replacement,
      isStatement: node.type.endsWith('Statement'),
    });
  };
  visit(module.body.slice(1), (node) => {
    mutateNode(node, (inner) => text(inner.span.start, inner.span.end), change);
  });
  return [...found.values()].sort((one, other) => one.start - other.start || one.end - other.end);
}

/** Puts a mutant into its source. */
export function applyMutant(
  source: string,
  { start, end, replacement }: Pick<Mutant, 'start' | 'end' | 'replacement'>,
): string {
  const bytes = Buffer.from(source);
  return `${bytes.toString('utf8', 0, start)}${replacement}${bytes.toString('utf8', end)}`;
}

/** Puts a call in front of each mutant's place, which says by its number that the place has been reached. */
export function addProbes<M extends Pick<Mutant, 'start' | 'end' | 'isStatement'>>(
  source: string,
  mutants: readonly M[],
  numberOf: (mutant: M) => number,
): string {
  const bytes = Buffer.from(source);
  const insertions = mutants.flatMap((mutant) => {
    const call = `globalThis.mutateReached?.add(${numberOf(mutant)})`;
    if (mutant.isStatement)
      return [
        { at: mutant.start, order: -mutant.end, text: `{${call};` },
        { at: mutant.end, order: -mutant.start, text: '}' },
      ];
    return [
      { at: mutant.start, order: -mutant.end, text: `(${call},` },
      { at: mutant.end, order: -mutant.start, text: ')' },
    ];
  });
  // At one place, mutants that end there close first, the inner before the outer; then those that begin there open, the outer first.
  const closes = (text: string): number => (text === ')' || text === '}' ? 0 : 1);
  insertions.sort(
    (one, other) => one.at - other.at || closes(one.text) - closes(other.text) || one.order - other.order,
  );
  let from = 0;
  let probed = '';
  for (const { at, text } of insertions) {
    probed += bytes.toString('utf8', from, at) + text;
    from = at;
  }
  return probed + bytes.toString('utf8', from);
}

function visit(node: unknown, act: (node: Node) => void): void {
  if (Array.isArray(node)) {
    for (const inner of node) visit(inner, act);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  const { type } = node as Node;
  if (typeof type === 'string' && type.startsWith('Ts')) {
    if (TYPED.has(type)) visit((node as Node)['expression'], act);
    return;
  }
  if (typeof type === 'string' && (node as Node).span !== undefined) act(node as Node);
  for (const [key, inner] of Object.entries(node)) if (key !== 'decorators' && key !== 'span') visit(inner, act);
}

function mutateNode(node: Node, textOf: (node: Node) => string, change: Change): void {
  switch (node.type) {
    case 'BinaryExpression':
      mutateBinary(node, textOf, change);
      return;
    case 'UnaryExpression':
      if (node['operator'] === '!') change('negation', node, `(${textOf(node['argument'] as Node)})`);
      return;
    case 'IfStatement':
    case 'ConditionalExpression':
      change('condition', node['test'] as Node, 'true');
      change('condition', node['test'] as Node, 'false');
      return;
    case 'WhileStatement':
    case 'ForStatement':
      if (node['test']) change('condition', node['test'] as Node, 'false');
      return;
    case 'BooleanLiteral':
      change('boolean', node, String(node['value'] !== true));
      return;
    case 'NumericLiteral':
      change('constant', node, `(${textOf(node)} + 1)`);
      return;
    case 'BigIntLiteral':
      change('constant', node, `(${textOf(node)} + 1n)`);
      return;
    case 'CallExpression':
      mutateCall(node, textOf, change);
      return;
    default:
      mutateStatement(node, textOf, change);
  }
}

function mutateBinary(node: Node, textOf: (node: Node) => string, change: Change): void {
  const [left, right] = [node['left'] as Node, node['right'] as Node];
  const operator = node['operator'] as string;
  if (operator === '??') change('default', node, `(${textOf(left)})`);
  const other = OPERATORS[operator];
  if (other === undefined || (operator === '+' && [left, right].some(isText))) return;
  change(
    operator === '&&' || operator === '||' ? 'logic' : 'operator',
    node,
    `((${textOf(left)}) ${other} (${textOf(right)}))`,
  );
}

const isText = ({ type }: Node): boolean => type === 'StringLiteral' || type === 'TemplateLiteral';

function mutateCall(node: Node, textOf: (node: Node) => string, change: Change): void {
  const callee = node['callee'] as Node;
  if (callee.type !== 'MemberExpression') return;
  const name = callee['property'] as Node;
  const other = name.type === 'Identifier' ? METHODS.get(name['value'] as string) : undefined;
  if (other === undefined) return;
  const whole = textOf(node);
  const at = name.span.start - node.span.start;
  const method = name['value'] as string;
  const bytes = Buffer.from(whole);
  change('method', node, `${bytes.toString('utf8', 0, at)}${other}${bytes.toString('utf8', at + method.length)}`);
}

function mutateStatement(node: Node, textOf: (node: Node) => string, change: Change): void {
  switch (node.type) {
    case 'ExpressionStatement':
      if (!LOGS.test(textOf(node))) change('removed', node, ';');
      return;
    case 'ThrowStatement':
    case 'ContinueStatement':
    case 'BreakStatement':
      change('removed', node, ';');
      return;
    case 'ReturnStatement':
      if (node['argument'] === undefined || node['argument'] === null) change('removed', node, ';');
      return;
    default:
  }
}
