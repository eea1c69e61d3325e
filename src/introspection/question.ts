import type { Caller, Tenant } from '../control/index.js';
import { type CompactJws, parseCompactJws, type TokenSeen } from '../contracts/index.js';
import type { StoredLineage } from '../projections/index.js';
import type { RuleKey } from '../rules/index.js';
import type { MemoryKey } from './facts/facts.js';
import type { KnownToken } from './facts/known-token.js';
import type { Refusal } from './outcomes.js';
import type { TokenUse } from './jwt/issuer-sources.js';

/** One text that one caller asks about, at one moment. Made anew for every examination. */
export interface Question {
  readonly tenant: Tenant;
  readonly role: NonNullable<Caller['roles']['introspect']>;
  /** A guard or a proxy asks: the token was presented for access. */
  readonly atResource: boolean;
  readonly text: string;
  /** SHA-256 of the text: names it in memory, identifies an opaque token. */
  readonly digest: string;
  /** Epoch seconds. */
  readonly now: number;
}

/** The data fetched for a question so far. None of it is a decision. */
export interface Gathered {
  /** Undefined: not looked at yet. Null: the text is no JWT. */
  jws?: CompactJws | null;
  /** Null: looked for and not recorded. */
  token?: KnownToken | null;
  idJag?: StoredLineage | null;
  /** The signature was checked and is not that of a registered key. */
  unverified?: boolean;
  /** How often a token not yet seen was looked for again. */
  polls: number;
  /** There is nothing more to wait for. */
  waited?: true;
  /** The token was to be recorded at first sight: whether it is. */
  recorded?: boolean;
}

/** The data that an examination lacks. It is fetched, and the whole examination runs again. */
export type Need =
  | { readonly what: 'token'; readonly key: RuleKey; readonly memoryKey: MemoryKey }
  | { readonly what: 'id-jag'; readonly key: RuleKey }
  | { readonly what: 'signature'; readonly jws: CompactJws; readonly use: TokenUse }
  /** The facts may still be on their way. Where `otherwise` is absent, the examination says what holds after the wait. */
  | { readonly what: 'time'; readonly key: RuleKey; readonly memoryKey: MemoryKey; readonly otherwise?: Refusal }
  /** The JWT verified, no event announced it, and its source asks for none: these facts are to be recorded. */
  | { readonly what: 'record'; readonly key: RuleKey; readonly memoryKey: MemoryKey; readonly facts: TokenSeen };

/** The token of a text that is refused, for those who run its source: `member` differs from what is recorded or registered. */
export interface About {
  readonly token: KnownToken;
  readonly member?: string | undefined;
}

/** Why not; or what is missing to tell; or the answer that nothing speaks against. `known`: what is recorded of it. */
export type Examination =
  | {
      readonly refusal: Refusal;
      readonly need?: undefined;
      readonly body?: undefined;
      readonly known?: KnownToken;
      readonly about?: About;
    }
  | { readonly refusal?: undefined; readonly need: Need; readonly body?: undefined; readonly known?: undefined }
  /** `bytes` is the length of the body in UTF-8. */
  | {
      readonly refusal?: undefined;
      readonly need?: undefined;
      readonly body: string;
      readonly bytes: number;
      readonly known?: KnownToken;
    };

/** The text taken apart, once a question. */
export function jwsOf({ text }: Question, gathered: Gathered): CompactJws | undefined {
  if (gathered.jws === undefined) gathered.jws = parseCompactJws(text) ?? null;
  return gathered.jws ?? undefined;
}

/** The role's bound: tokens of these issuers that may be presented at one of these resources. */
export function maySee({ role }: Question, iss: string, audience: readonly string[]): boolean {
  if (!role.issuers.includes(iss)) return false;
  for (const resource of audience) if (role.resources.includes(resource)) return true;
  return false;
}
