import type { Rule, Selector } from '../../api/rules.js';
import { isDuration, type Duration } from '../../display/rule/words.js';

/** The URL of an order: the selector, member by member, and the terms. A link with a selector is an order that somebody may read and send. */
export interface StopSearch extends Selector {
  readonly effect?: Rule['effect'];
  readonly until?: Duration;
  readonly resume?: true;
  /** Carried through a new sign-in. */
  readonly reason?: string;
  /** The rule that was ordered here. */
  readonly rule?: string;
}

/** Names that each member has, in every form it may take. The last ones may be missing. */
export const FORMS = {
  user: [{ needed: ['iss', 'sub'], optional: ['tenant'] }],
  client: [{ needed: ['iss', 'client_id'] }],
  agent: [{ needed: ['iss', 'id'] }],
  session: [{ needed: ['iss', 'sid'] }],
  token: [{ needed: ['iss', 'jti'] }, { needed: ['sha256'] }, { needed: ['signing_input_sha256'] }],
  id_jag: [{ needed: ['iss', 'jti'] }, { needed: ['sha256'] }],
} as const satisfies Partial<Record<keyof Selector, readonly Form[]>>;
export const IDENTIFIERS = ['agent_type', 'resource', 'issuer'] as const;

interface Form {
  readonly needed: readonly string[];
  readonly optional?: readonly string[];
}

/** Reads the search of a URL that anybody may have written: what is not known is left out. */
export function readStopSearch(search: Record<string, unknown>): StopSearch {
  const { effect, until, resume, reason, rule } = search;
  return {
    ...readSelector(search),
    ...(effect === 'block' || effect === 'revoke' ? { effect } : {}),
    ...(isDuration(until) ? { until } : {}),
    ...(resume === true ? { resume } : {}),
    ...(isName(reason) ? { reason: String(reason) } : {}),
    ...(isName(rule) ? { rule: String(rule) } : {}),
  };
}

function readSelector(search: Record<string, unknown>): Selector {
  const members: Record<string, unknown> = search['all'] === true ? { all: true } : {};
  for (const member of IDENTIFIERS) if (isName(search[member])) members[member] = String(search[member]);
  for (const [member, forms] of Object.entries<readonly Form[]>(FORMS)) {
    const value = readForms(search[member], forms);
    if (value !== undefined) members[member] = value;
  }
  return members as Selector;
}

function readForms(given: unknown, forms: readonly Form[]): Readonly<Record<string, string>> | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const names = given as Readonly<Record<string, unknown>>;
  const form = forms.find(({ needed }) => needed.every((name) => isName(names[name])));
  if (form === undefined) return undefined;
  const has = [...form.needed, ...(form.optional ?? []).filter((name) => isName(names[name]))];
  return Object.fromEntries(has.map((name) => [name, String(names[name])]));
}

/** The router reads a bare number as one. */
const isName = (value: unknown): value is string | number =>
  (typeof value === 'string' && value !== '') || typeof value === 'number';

const MEMBERS = [...Object.keys(FORMS), ...IDENTIFIERS, 'all'];

/** The members of the search that select. */
export const selectorOf = (search: StopSearch): Selector =>
  Object.fromEntries(Object.entries(search).filter(([name, value]) => MEMBERS.includes(name) && value !== undefined));
