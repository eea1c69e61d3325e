import { DIMENSION_TABLE, parsePart, type Dimension, type Parts, type Statement } from '../../rules/index.js';

/** Values of a statement, added as its text is built. */
export class Parameters {
  readonly values: unknown[];

  constructor(first: readonly unknown[]) {
    this.values = [...first];
  }

  add(value: unknown, type: string): string {
    this.values.push(value);
    // `$1` is the tenant, which every statement has.
    return `$${this.values.length + 1}::${type}`;
  }
}

/**
 * Facts that belong to a token's lineage, in SQL: the token `s`, the token `p` that it came from, and the ID-JAG `j` of
 * either. `aud` says whether a part stands in the list of those that the facts are addressed to.
 */
interface Facts {
  readonly of: Statement['of'];
  readonly document: string;
  readonly isFor: (value: string) => string;
}

const TOKENS = ['s', 'p'] as const;
const FACTS: readonly Facts[] = [
  ...TOKENS.flatMap((token): Facts[] => [
    { of: 'token', document: `${token}.facts`, isFor: (value) => `${token}.facts -> 'aud' ? ${value}` },
    // A RAS accepts only an ID-JAG that is addressed to itself (rules/dimension.ts).
    {
      of: 'id_jag',
      document: `(${token}.facts -> 'id_jag')`,
      isFor: (value) => `(${token}.facts ? 'id_jag' AND ${token}.facts ->> 'iss' = ${value})`,
    },
  ]),
  { of: 'id_jag', document: 'j.facts', isFor: (value) => `j.facts -> 'aud' ? ${value}` },
];

/**
 * Builds the condition that the facts state a value of a dimension, from the table of dimensions. A small id says the
 * same as the facts that it was taken from: if it matches, no facts are read.
 */
export function statesValue(
  parameters: Parameters,
  dimension: Dimension,
  parts: Parts,
  { id, key }: { readonly id: number | undefined; readonly key: Buffer },
): string {
  // Identities of tokens are recorded as keys.
  if (dimension === 'token') return `${parameters.add(key, 'bytea')} IN (s.key, s.parent_key)`;
  const values = parts.map((part) => (part === null ? null : parameters.add(part, 'text')));
  const { column, stated } = DIMENSION_TABLE[dimension];
  const ids = column === undefined || id === undefined ? [] : idIn(column, parameters.add(id, 'int'));
  const texts = stated
    .filter((statement) => statement.parts.length === parts.length)
    .flatMap((statement) =>
      FACTS.filter(({ of }) => of === statement.of).map((facts) => statesParts(facts, statement, values)),
    );
  return `(${[...ids, ...texts].join('\n      OR ')})`;
}

const idIn = (column: string, id: string): string[] =>
  TOKENS.map((token) => (column === 'res' ? `${id} = ANY (${token}.res)` : `${token}.${column} = ${id}`));

function statesParts(facts: Facts, { parts }: Statement, values: readonly (string | null)[]): string {
  const conditions = parts.map((part, nth) => {
    const { path, each, optional } = parsePart(part);
    const value = values[nth]!;
    const isAudience = path.length === 1 && path[0] === 'aud';
    if (each) return isAudience ? facts.isFor(value) : `${facts.document} -> '${path[0]}' ? ${value}`;
    const member =
      path.length === 1 ? `${facts.document} ->> '${path[0]}'` : `${facts.document} #>> '{${path.join(',')}}'`;
    if (optional) return value === null ? `${member} IS NULL` : `${member} = ${value}`;
    return `${member} = ${value}`;
  });
  return `(${conditions.join(' AND ')})`;
}

/** Finds the least of a time of the whole lineage; null if none of its facts state it. */
export const leastOf = (member: 'iat' | 'auth_time'): string =>
  `least(${FACTS.map(({ document }) => `(${document} ->> '${member}')::bigint`).join(', ')})`;
