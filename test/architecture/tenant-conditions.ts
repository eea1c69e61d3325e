import type { Tree } from './sql-texts.js';

/** A place in a statement where rows of a table are read or written whatever their tenant is. */
export interface Unbound {
  readonly table: string;
  readonly alias: string;
}

interface Scope {
  /** Alias of each table with a tenant, and the table. */
  readonly tables: Map<string, string>;
  /** The group of aliases that an alias is equal in tenant with; `''` stands for a tenant that is given. */
  readonly groups: { a: string; b: string }[];
}

const GIVEN = '';

/** Finds the tables with a `tenant` column that the migrations make. */
export function tenantTables(statements: readonly Tree[]): Set<string> {
  const found = new Set<string>();
  for (const statement of statements) {
    const create = statement['CreateStmt'] as Tree | undefined;
    if (create === undefined) continue;
    const name = (create['relation'] as Tree)['relname'] as string;
    const columns = list(create['tableElts']).map((element) => (element['ColumnDef'] as Tree | undefined)?.['colname']);
    const parents = list(create['inhRelations']).map((parent) => (parent['RangeVar'] as Tree)['relname'] as string);
    if (columns.includes('tenant') || parents.some((parent) => found.has(parent))) found.add(name);
  }
  return found;
}

/** Finds tables of `tables` that no condition of their query ties to a given tenant, in every query of a statement. */
export function unboundTables(statement: Tree, tables: ReadonlySet<string>): Unbound[] {
  const found: Unbound[] = [];
  visit(statement, new Set(), (query, kind, withs) => {
    found.push(...unboundIn(query, kind, new Set([...tables].filter((table) => !withs.has(table)))));
  });
  return found;
}

const QUERIES = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);

function visit(
  node: unknown,
  withs: ReadonlySet<string>,
  act: (query: Tree, kind: string, withs: ReadonlySet<string>) => void,
): void {
  if (Array.isArray(node)) {
    for (const inner of node) visit(inner, withs, act);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  for (const [kind, inner] of Object.entries(node as Tree)) {
    // The arms of a union are queries without a name of their kind.
    const isQuery =
      QUERIES.has(kind) ||
      ((kind === 'larg' || kind === 'rarg') && 'op' in (inner as Tree) && 'limitOption' in (inner as Tree));
    if (!isQuery) {
      visit(inner, withs, act);
      continue;
    }
    const ctes = list(((inner as Tree)['withClause'] as Tree | undefined)?.['ctes']).map(
      (cte) => (cte['CommonTableExpr'] as Tree)['ctename'] as string,
    );
    const known = new Set([...withs, ...ctes]);
    act(inner as Tree, QUERIES.has(kind) ? kind : 'SelectStmt', known);
    visit(inner, known, act);
  }
}

function unboundIn(query: Tree, kind: string, tables: ReadonlySet<string>): Unbound[] {
  const scope: Scope = { tables: new Map(), groups: [] };
  const target = query['relation'] as Tree | undefined;
  if (kind === 'InsertStmt') {
    const table = target!['relname'] as string;
    const names = list(query['cols']).map((column) => (column['ResTarget'] as Tree)['name']);
    return tables.has(table) && !names.includes('tenant') ? [{ table, alias: table }] : [];
  }
  if (target !== undefined) addTable(target, tables, scope);
  const from = [
    ...list(query['fromClause']),
    ...list(query['usingClause']),
    ...(query['sourceRelation'] ? [query['sourceRelation'] as Tree] : []),
  ];
  for (const item of from) addFrom(item, tables, scope);
  for (const item of from) addJoins(item, scope);
  for (const condition of [query['whereClause'], query['joinCondition']])
    scope.groups.push(...tiesOf(condition as Tree | undefined, scope));
  const bound = new Set([GIVEN]);
  for (let grows = true; grows; ) {
    const more = scope.groups.filter(({ a, b }) => bound.has(a) !== bound.has(b)).flatMap(({ a, b }) => [a, b]);
    grows = more.length > 0;
    for (const alias of more) bound.add(alias);
  }
  return [...scope.tables].filter(([alias]) => !bound.has(alias)).map(([alias, table]) => ({ table, alias }));
}

function addTable(range: Tree, tables: ReadonlySet<string>, { tables: found }: Scope): void {
  const table = range['relname'] as string;
  if (tables.has(table))
    found.set(((range['alias'] as Tree | undefined)?.['aliasname'] as string | undefined) ?? table, table);
}

function addFrom(item: Tree, tables: ReadonlySet<string>, scope: Scope): void {
  if (item['RangeVar']) addTable(item['RangeVar'] as Tree, tables, scope);
  const join = item['JoinExpr'] as Tree | undefined;
  if (join) for (const side of ['larg', 'rarg']) addFrom(join[side] as Tree, tables, scope);
}

/** Ties of ON and of USING, and the aliases of tables under the item. */
function addJoins(item: Tree, scope: Scope): string[] {
  const range = item['RangeVar'] as Tree | undefined;
  if (range) {
    const alias =
      ((range['alias'] as Tree | undefined)?.['aliasname'] as string | undefined) ?? (range['relname'] as string);
    return scope.tables.has(alias) ? [alias] : [];
  }
  const join = item['JoinExpr'] as Tree | undefined;
  if (!join) return [];
  const [left, right] = ['larg', 'rarg'].map((side) => addJoins(join[side] as Tree, scope)) as [string[], string[]];
  const using = list(join['usingClause']).map((name) => (name['String'] as Tree)['sval']);
  if (using.includes('tenant') || join['isNatural'] === true) {
    for (const a of left) for (const b of right) scope.groups.push({ a, b });
    if (left.length === 0 || right.length === 0)
      for (const a of [...left, ...right]) scope.groups.push({ a, b: GIVEN });
  }
  scope.groups.push(...tiesOf(join['quals'] as Tree | undefined, scope));
  return [...left, ...right];
}

/** Equalities of tenants that hold wherever the condition does. */
function tiesOf(condition: Tree | undefined, scope: Scope): { a: string; b: string }[] {
  const bool = condition?.['BoolExpr'] as Tree | undefined;
  if (bool?.['boolop'] === 'AND_EXPR') return list(bool['args']).flatMap((arg) => tiesOf(arg, scope));
  if (bool?.['boolop'] === 'OR_EXPR') {
    const [first, ...others] = list(bool['args']).map((arg) => tiesOf(arg, scope));
    return first!.filter(({ a, b }) => others.every((ties) => ties.some((other) => other.a === a && other.b === b)));
  }
  const compared = condition?.['A_Expr'] as Tree | undefined;
  if (compared && isEquality(compared)) return tie(compared['lexpr'] as Tree, compared['rexpr'] as Tree, scope);
  const among = condition?.['SubLink'] as Tree | undefined;
  if (among?.['subLinkType'] === 'ANY_SUBLINK' && among['operName'] === undefined)
    return tie(among['testexpr'] as Tree, {}, scope);
  return [];
}

const isEquality = (compared: Tree): boolean =>
  ['AEXPR_OP', 'AEXPR_OP_ANY', 'AEXPR_IN', 'AEXPR_NOT_DISTINCT'].includes(compared['kind'] as string) &&
  list(compared['name']).some((name) => (name['String'] as Tree)['sval'] === '=');

function tie(left: Tree, right: Tree, scope: Scope): { a: string; b: string }[] {
  const [lefts, rights] = [left, right].map((side) => list((side['RowExpr'] as Tree | undefined)?.['args'])) as [
    Tree[],
    Tree[],
  ];
  if (lefts.length > 0) return lefts.flatMap((one, at) => tie(one, rights[at] ?? {}, scope));
  const [a, b] = [aliasOf(left, scope), aliasOf(right, scope)];
  return a === undefined && b === undefined ? [] : [{ a: a ?? GIVEN, b: b ?? GIVEN }];
}

/** The alias of the table whose tenant the expression is; undefined if it is another expression, which gives a tenant. */
function aliasOf(expression: Tree, scope: Scope): string | undefined {
  const { tables } = scope;
  // The operator's part of the quarantine, whose tenant is null, is given as a tenant of its own.
  const coalesced = list((expression['CoalesceExpr'] as Tree | undefined)?.['args']);
  if (coalesced.length > 0) return aliasOf(coalesced[0]!, scope);
  const fields = list((expression['ColumnRef'] as Tree | undefined)?.['fields']).map(
    (field) => (field['String'] as Tree | undefined)?.['sval'] as string,
  );
  if (fields.at(-1) !== 'tenant') return undefined;
  if (fields.length === 1) return tables.size === 1 ? [...tables.keys()][0] : undefined;
  return tables.has(fields.at(-2)!) ? fields.at(-2) : undefined;
}

const list = (value: unknown): Tree[] => (Array.isArray(value) ? (value as Tree[]) : []);
