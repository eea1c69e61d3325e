import type { Token } from '../../api/token.js';

type Facts = Token['facts'];

/** A step of a lineage: a sign-in, an ID-JAG or a token. */
export interface Step {
  readonly id: string;
  readonly kind: 'sign-in' | 'ID-JAG' | 'token';
  /** Steps that it came from. */
  readonly from: readonly string[];
  /** Counted from the sign-in. */
  readonly layer: number;
  /** The `sid` of a sign-in; of others who is named and what for. */
  readonly name: string | undefined;
  readonly issuedAt: string | undefined;
  /** The ledger's entry about it, and the source that sent it. */
  readonly entry?: { readonly index: string; readonly source: string | null };
  /** How it is used and stopped; undefined if this answer does not tell. */
  readonly accesses?: { readonly count: number; readonly denied: number };
  readonly stoppedBy: readonly string[];
  readonly isThis: boolean;
}

type Unplaced = Omit<Step, 'layer'>;

/** Orders everything that a token came from and everything that came from it, so that each step stands behind those that it came from. */
export function stepsOf(token: Token): Step[] {
  const above = [
    ...token.lineage.id_jags.map((one) => ({ ...one, kind: 'ID-JAG' as const })),
    ...token.lineage.tokens.map((one) => ({ ...one, kind: 'token' as const })),
  ];
  const self = { ...token, kind: 'token' as const };
  const origins = originsOf([...above, self]);
  const stated = [...above, self].map(
    (one): Unplaced => ({
      ...stepOf(one),
      from: origins(one),
      isThis: one === self,
      ...(one === self ? { accesses: token.accesses, stoppedBy: rulesOf(token) } : {}),
    }),
  );
  const exchanged = token.exchanged.items.map(
    (one): Unplaced => ({
      ...stepOf({ ...one, kind: one.kind === 'id_jag' ? 'ID-JAG' : 'token' }),
      from: [one.came_from],
      ...(one.kind === 'token' ? { accesses: one.accesses, stoppedBy: rulesOf(one) } : {}),
    }),
  );
  return placed([...signInsOf(stated, above), ...exchanged]);
}

interface Member {
  readonly id: string;
  readonly kind: 'ID-JAG' | 'token';
  readonly index: string;
  readonly source: { readonly name: string | null };
  readonly facts: Facts;
}

const rulesOf = ({ stopped_by: rules }: { readonly stopped_by: readonly { readonly rule: string }[] }): string[] =>
  rules.map(({ rule }) => rule);

function stepOf({ id, kind, index, source, facts }: Member): Unplaced {
  const iat = facts['iat'];
  return {
    id,
    kind,
    from: [],
    name: [facts['resource'] ?? facts['aud']].flat().find((one) => typeof one === 'string'),
    issuedAt: typeof iat === 'number' ? new Date(iat * 1_000).toISOString() : undefined,
    entry: { index, source: source.name },
    stoppedBy: [],
    isThis: false,
  };
}

/** Names that events have for a token or an ID-JAG. */
function namesOf(named: unknown): string[] {
  if (typeof named !== 'object' || named === null) return [];
  const { iss, jti, sha256, signing_input_sha256: signing } = named as Facts;
  return [
    ...(jti === undefined ? [] : [JSON.stringify([iss, jti])]),
    ...[sha256, signing].flatMap((digest) => (digest === undefined ? [] : [String(digest)])),
  ];
}

/** Finds the steps from which each came. A token that names the ID-JAG of its parent came from the parent, and one that names an ID-JAG for its parent from the ID-JAG. */
function originsOf(members: readonly Member[]): (member: Member) => string[] {
  const named = new Map(
    members.flatMap((one) => namesOf(one.facts).map((name) => [`${one.kind} ${name}`, one] as const)),
  );
  const find = (kind: Member['kind'], name: unknown): Member | undefined =>
    namesOf(name)
      .map((one) => named.get(`${kind} ${one}`))
      .find((one) => one !== undefined);
  return ({ facts }) => {
    const parent = find('token', facts['parent']);
    const idJag = find('ID-JAG', facts['id_jag']);
    if (parent === undefined || idJag === undefined) return [parent ?? idJag].flatMap((one) => one?.id ?? []);
    return [find('token', idJag.facts['parent']) === parent ? idJag.id : parent.id];
  };
}

/** Puts the sign-in before the steps that came from nothing else, if an ID-JAG names its session. */
function signInsOf(steps: readonly Unplaced[], members: readonly Member[]): Unplaced[] {
  const sid = members.find(({ kind, facts }) => kind === 'ID-JAG' && typeof facts['sid'] === 'string')?.facts['sid'];
  if (sid === undefined) return [...steps];
  const id = 'sign-in';
  const signIn = {
    id,
    kind: 'sign-in' as const,
    from: [],
    name: String(sid),
    issuedAt: undefined,
    stoppedBy: [],
    isThis: false,
  };
  return [
    signIn,
    ...steps.map((step) => (step.kind === 'ID-JAG' && step.from.length === 0 ? { ...step, from: [id] } : step)),
  ];
}

/** Counts layers along the longest way. A lineage has few steps, and one that is broken ends. */
function placed(steps: readonly Unplaced[]): Step[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const layerOf = (id: string, seen: readonly string[]): number =>
    Math.max(
      0,
      ...byId
        .get(id)!
        .from.filter((origin) => byId.has(origin) && !seen.includes(origin))
        .map((origin) => 1 + layerOf(origin, [...seen, id])),
    );
  return [...byId.values()]
    .map((step) => ({ ...step, from: step.from.filter((origin) => byId.has(origin)), layer: layerOf(step.id, []) }))
    .sort((one, other) => one.layer - other.layer);
}
