import { canonicalJson } from '../contracts/index.js';
import { erasedName, ERASED_PREFIX, shownErased, userKey, userParts, type Parts } from '../rules/index.js';

/** Characters of a text that is looked for inside other texts. A shorter one would be found everywhere. */
export const MIN_TEXT = 4;

/** Members that hold texts of people or of sources, in which a name may stand. All others are names themselves and are never changed. */
const FREE_TEXTS: ReadonlySet<string> = new Set([
  'reason',
  'error',
  'path',
  'on_behalf_of',
  'event',
  'trace_id',
  'decision_id',
]);
const PERSON_ID = /^person:(.*)#([^#]*)$/s;

/** Everything by which one person is named. */
export interface PersonNames {
  /** Names of users, the one that was asked for first. */
  readonly users: readonly Parts[];
  /** Further texts: names and addresses of the directory. */
  readonly texts: readonly string[];
}

/** Tells which persons a value names. */
export interface Said {
  /** It names the person where a user stands. */
  named: boolean;
  /** Its texts mention the person. */
  mentioned: boolean;
  /** It names somebody else where a user stands, who is not erased. */
  others: boolean;
}

/** Takes one person out of values. The same value always becomes the same value. */
export interface Eraser {
  /** Short form, for people. */
  readonly shown: string;
  /** Texts that a value which names the person contains: as they are, in lower and in upper case, and as JSON spells them. */
  readonly texts: readonly string[];
  /** Replaces the person's names in the data of an event, in facts, or in the `member` of them that a column holds. */
  data<T>(value: T, said?: Said, member?: string): T;
  /** Replaces the person's names in every text of a value that decides nothing. */
  loose<T>(value: T): T;
  text(value: string, said?: Said): string;
  /** Whether any text of a value holds the person's name. */
  isIn(value: unknown): boolean;
}

export const nothingSaid = (): Said => ({ named: false, mentioned: false, others: false });

/** The issuers of the names in an object. */
interface Within {
  readonly iss: string | undefined;
  /** Issuers of `aud_sub`. */
  readonly aud: readonly string[];
  /** Names of clients and agents of the event: an actor (`act`) of such a name is no person. */
  readonly things: ReadonlySet<unknown>;
  readonly loose: boolean;
  readonly said: Said;
}

export function createEraser(tenantKey: Uint8Array, { users, texts }: PersonNames): Eraser {
  const known = new Set(users.map((parts) => userKey(tenantKey, parts)));
  const names = [...new Set(users.map((parts) => parts.at(-1)!))];
  const shown = shownErased(erasedName(tenantKey, [users[0]!]))!;
  const all = [...new Set([...names, ...texts].flatMap((one) => [one, encodeURIComponent(one)]))];
  const anyCase = [...new Set(all.flatMap((one) => [one, one.toLowerCase(), one.toUpperCase()]))];
  const wanted = all.filter((one) => one.length >= MIN_TEXT);
  const inText = wanted.length === 0 ? undefined : textPattern(wanted);

  function text(value: string, said: Said = nothingSaid()): string {
    const [, iss, sub] = PERSON_ID.exec(value) ?? [];
    if (iss !== undefined) return `person:${iss}#${user([[iss, null, sub!]], said)}`;
    if (inText === undefined || value.startsWith(ERASED_PREFIX)) return value;
    return value.replace(inText, () => {
      said.mentioned = true;
      return shown;
    });
  }

  /** Returns the last part of a user's name, or the name that stands for it. */
  function user(stated: readonly Parts[], said: Said): string {
    const name = stated[0]!.at(-1)!;
    if (stated.some((parts) => known.has(userKey(tenantKey, parts)))) {
      said.named = true;
      return erasedName(tenantKey, stated);
    }
    if (!name.startsWith(ERASED_PREFIX)) said.others = true;
    return name;
  }

  function walk(member: string, value: unknown, within: Within): unknown {
    if (typeof value === 'string')
      return within.loose || FREE_TEXTS.has(member) || (member === 'caller' && PERSON_ID.test(value))
        ? text(value, within.said)
        : value;
    if (Array.isArray(value)) return value.map((one) => walk(member, one, within));
    if (typeof value !== 'object' || value === null) return value;
    return members(member, value as Readonly<Record<string, unknown>>, within);
  }

  function members(member: string, value: Readonly<Record<string, unknown>>, within: Within): unknown {
    const iss = typeof value['iss'] === 'string' ? value['iss'] : within.iss;
    // An ID-JAG that a token states is addressed to the token's issuer; one of its own event names its audiences.
    const own = value['idp_client_id'] !== undefined && Array.isArray(value['aud']) ? value['aud'] : undefined;
    const aud = member === 'id_jag' ? within.aud : ((own as string[] | undefined) ?? (iss === undefined ? [] : [iss]));
    const agent = (value['agent'] as { readonly id?: unknown } | undefined)?.id;
    const things = new Set([...within.things, value['client_id'], value['idp_client_id'], agent]);
    const inside = { ...within, iss, aud, things };
    const claim = (name: string): string | null => (typeof value[name] === 'string' ? value[name] : null);
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => {
        if (typeof one === 'string' && name === 'sub' && iss !== undefined && !(member === 'act' && things.has(one)))
          return [name, user([userParts({ iss, tenant: claim('tenant') ?? undefined, sub: one })], within.said)];
        if (typeof one === 'string' && name === 'aud_sub' && aud.length > 0)
          return [
            name,
            user(
              aud.map((at) => [at, claim('aud_tenant'), one]),
              within.said,
            ),
          ];
        // The id of an event is a text, the id of an agent is a name.
        if (name === 'id' && member === 'cause') return [name, text(String(one), within.said)];
        return [within.loose ? text(name, within.said) : name, walk(name, one, inside)];
      }),
    );
  }

  const start = (said: Said, loose: boolean): Within => ({ iss: undefined, aud: [], things: new Set(), loose, said });
  return {
    shown,
    texts: [...new Set(anyCase.flatMap((one) => [one, JSON.stringify(one).slice(1, -1)]))],
    data: <T>(value: T, said = nothingSaid(), member = '') => walk(member, value, start(said, false)) as T,
    loose: <T>(value: T) => walk('', value, start(nothingSaid(), true)) as T,
    text,
    isIn: (value) => canonicalJson(walk('', value, start(nothingSaid(), true))) !== canonicalJson(value),
  };
}

/** Matches each of the texts, in any case, where no letter, digit or underscore continues it, the longest first. */
function textPattern(texts: readonly string[]): RegExp {
  const escaped = texts
    .toSorted((one, other) => other.length - one.length)
    .map((one) => one.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
  return new RegExp(`(?<![\\p{L}\\p{N}_])(?:${escaped.join('|')})(?![\\p{L}\\p{N}_])`, 'giu');
}

/** Writes the event that stands for an entry. */
export const remainderOf = (event: { readonly id: string; readonly time: string; readonly data: object }): string =>
  canonicalJson(event);
