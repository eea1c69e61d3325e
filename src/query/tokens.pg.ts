import { RescindError } from '../contracts/index.js';
import { loadSql } from '../platform/index.js';
import { ruleKey, ruleKeyFromBytes, ruleKeyToBytes, tokenParts, type TokenRef } from '../rules/index.js';
import type { TokenAnswer } from './answers.js';
import { asOfOf } from './as-of.js';
import { orNull, readNames } from './names.pg.js';
import { invalid, need, readDigest, readParameters, readTokenId, type Parameters } from './parameters.js';
import type { Reader } from './reader.js';
import type { Ask } from './snapshot.pg.js';
import { describeLineage, type FindStopping } from './token-lineage.js';

const TOKEN = loadSql(import.meta.url, 'token.sql');

export const TOKEN_LOOKUP_PARAMETERS = ['iss', 'jti', 'sha256', 'signing_input_sha256'] as const;

export interface TokenQuestions {
  /** By the key that other answers give. */
  byId(tenant: string, id: string, query: unknown): Promise<TokenAnswer>;
  /** By the identity that its issuer gave it, or its digest: never by its text. */
  byName(tenant: string, query: unknown): Promise<TokenAnswer>;
}

export function createTokenQuestions(options: {
  readonly ask: Ask;
  readonly reader: Reader;
  readonly findStopping: FindStopping;
}): TokenQuestions {
  const { ask, reader, findStopping } = options;

  const find = (tenant: string, key: Buffer): Promise<TokenAnswer> =>
    ask(tenant, async (snapshot) => {
      const [row] = await snapshot.rows<TokenRow>(TOKEN, [key]);
      const [lineage] = await snapshot.lineage.tokens(tenant, [ruleKeyFromBytes(key)]);
      if (!row || !lineage) throw new RescindError('not-found', { detail: 'no event has said that this token was issued' });
      const names = await readNames(snapshot, [row.usr, row.client, row.agent]);
      return {
        as_of: asOfOf(snapshot),
        id: row.key.toString('base64url'),
        index: row.ix,
        source: reader.source(row.source),
        facts: row.facts,
        conflict: row.conflict_ix,
        user: orNull(row.usr, names.user),
        client: names.client(row.client),
        agent: orNull(row.agent, names.agent),
        lineage: describeLineage(lineage, reader.tenantKey(tenant), reader),
        stopped_by: findStopping(tenant, lineage, snapshot.at).map((rule) => ({ rule })),
        accesses: {
          count: Number(row.accesses),
          allowed: Number(row.allowed),
          denied: Number(row.accesses) - Number(row.allowed),
          first: row.first === null ? null : Number(row.first),
          last: row.last === null ? null : Number(row.last),
        },
      };
    });

  return {
    byId(tenant, id, query) {
      readParameters(query, []);
      return find(tenant, readTokenId(id));
    },
    byName(tenant, query) {
      const ref = readReference(readParameters(query, TOKEN_LOOKUP_PARAMETERS));
      return find(tenant, ruleKeyToBytes(ruleKey(reader.tenantKey(tenant), 'token', tokenParts(ref))));
    },
  };
}

function readReference(parameters: Parameters): TokenRef {
  const sha256 = readDigest(parameters, 'sha256');
  const signingInput = readDigest(parameters, 'signing_input_sha256');
  if (sha256 === undefined && signingInput === undefined) return { iss: need(parameters, 'iss'), jti: need(parameters, 'jti') };
  if (parameters.size > 1) throw invalid('give `iss` and `jti`, or one digest');
  return sha256 === undefined ? { signing_input_sha256: signingInput! } : { sha256 };
}

interface TokenRow {
  readonly [column: string]: unknown;
  readonly key: Buffer;
  readonly ix: string;
  readonly source: string;
  readonly facts: Record<string, unknown>;
  readonly usr: number | null;
  readonly client: number;
  readonly agent: number | null;
  readonly conflict_ix: string | null;
  readonly accesses: string;
  readonly allowed: string;
  readonly first: string | null;
  readonly last: string | null;
}
