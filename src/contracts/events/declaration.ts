import type { Static, TSchema } from 'typebox';

/** Kinds of sources, as `rescind source create --as` names them. */
export const PARTIES = ['idp', 'authorization-server', 'resource-server'] as const;
export type Party = (typeof PARTIES)[number];

/** Names that a source must be registered for. The intake compares them with the names in the data. */
export type Bound = 'issuers' | 'resources';

/** The effect of an event on rules. The rules folder turns `names` into a selector. */
export interface RuleEffect {
  /** `lift`: ends blocks that the same source ordered. */
  readonly does: 'revoke' | 'block' | 'lift';
  readonly names: 'token' | 'session' | 'user' | 'client' | 'connection';
}

/** Everything that is said of one event type that sources send. */
export interface SourceEvent<S extends TSchema, P extends Party, R extends RuleEffect | undefined> {
  /** Schema of `data`: the single source of its type, its validator and its documentation. */
  readonly data: S;
  /** The party that says it. */
  readonly speaker: P;
  readonly bounds: readonly Bound[];
  /** Computes the key of its Kafka record. Events about one thing have one key, so that they stay in one partition, in order. */
  readonly key: (data: Static<S>) => string | undefined;
  readonly rule?: R;
}

/** An act of Rescind itself, in the same ledger. A source that sends one is refused. */
export interface OwnEvent<S extends TSchema> {
  readonly data: S;
  readonly speaker: 'rescind';
}

export const sourceEvent = <S extends TSchema, P extends Party, const R extends RuleEffect | undefined = undefined>(
  declaration: SourceEvent<S, P, R>,
): SourceEvent<S, P, R> => declaration;

export const ownEvent = <S extends TSchema>(data: S): OwnEvent<S> => ({ data, speaker: 'rescind' });

interface Identity {
  readonly iss?: string | undefined;
  readonly jti?: string | undefined;
  readonly sha256?: string | undefined;
  readonly signing_input_sha256?: string | undefined;
}

/** The key of a name at an issuer. */
export const nameKey = (issuer: string, name: string): string => `${issuer}|${name}`;

/** The key of a token or an ID-JAG; undefined if the data states no identity. */
export const identityKey = ({ iss, jti, sha256, signing_input_sha256: signed }: Identity): string | undefined =>
  jti === undefined ? (sha256 ?? signed) : nameKey(String(iss), jti);
