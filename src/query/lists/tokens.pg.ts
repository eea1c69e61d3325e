import { RescindError, timeText } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import type { Ask, Snapshot, StoredLineage } from '../../projections/index.js';
import { ruleKey, ruleKeyFromBytes, ruleKeyToBytes, tokenParts, type TokenRef } from '../../rules/index.js';
import type { TokenAnswer } from './answers.js';
import { asOfOf, readAsOf, type AskedMoment } from '../ask/as-of.js';
import { readInactive, type JudgeToken } from './inactive.pg.js';
import { orNull, readNames } from '../ask/names.pg.js';
import { findingsOf, type ReadOpenFindings } from '../ask/open-findings.js';
import {
  inconsistent,
  needBeside,
  readDigest,
  readParameters,
  readTokenId,
  type Parameters,
} from '../ask/parameters.js';
import { findStoppingAsOf, keysOf, readLineages } from '../../selection/index.js';
import type { Reader } from '../ask/reader.js';
import { readExchanged } from './exchanged.pg.js';
import { describeLineage, type FindStopping } from './token-lineage.js';

const TOKEN = { name: 'token', text: loadSql(import.meta.url, 'token.sql') };

export const TOKEN_PARAMETERS = ['as_of'] as const;
const IDENTITY_PARAMETERS = ['iss', 'jti', 'sha256', 'signing_input_sha256'] as const;
export const TOKEN_LOOKUP_PARAMETERS = [...IDENTITY_PARAMETERS, ...TOKEN_PARAMETERS] as const;

export interface TokenQuestions {
  /** Finds a token by the key that other answers give. */
  byId(tenant: string, id: string, query: unknown): Promise<TokenAnswer>;
  /** Finds a token by its issuer and `jti`, or by its digest; never by its text. */
  byName(tenant: string, query: unknown): Promise<TokenAnswer>;
}

export function createTokenQuestions(options: {
  readonly ask: Ask;
  readonly reader: Reader;
  readonly findStopping: FindStopping;
  readonly judge: JudgeToken | undefined;
  readonly openFindings: ReadOpenFindings | undefined;
}): TokenQuestions {
  const { ask, reader, findStopping, judge, openFindings } = options;

  /**
   * Uses the rules of this process for the present, because it introspects by them, and those of the ledger for the
   * past.
   */
  async function findStoppingOf(
    snapshot: Snapshot,
    lineages: readonly StoredLineage[],
  ): Promise<readonly (readonly string[])[]> {
    const tenantKey = reader.tenantKey(snapshot.tenant);
    const keys = lineages.map((lineage) => keysOf(reader, tenantKey, lineage));
    return snapshot.present
      ? keys.map((one) => (one === undefined ? [] : findStopping(snapshot.tenant, one, snapshot.at)))
      : findStoppingAsOf(snapshot, tenantKey, keys);
  }

  const find = (tenant: string, key: Buffer, asked: AskedMoment | undefined): Promise<TokenAnswer> =>
    ask(
      tenant,
      async (snapshot) => {
        const { index } = snapshot;
        const [row] = await snapshot.rows<TokenRow>({ ...TOKEN, uses: () => [{ index, tok: [key] }] }, [
          key,
          String(index),
        ]);
        const [lineage] = row ? await readLineages(snapshot, reader.tenantKey(tenant), [ruleKeyFromBytes(key)]) : [];
        if (!row || !lineage)
          throw new RescindError('not-found', { detail: 'no event has said that this token was issued' });
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
          exchanged: await readExchanged(snapshot, reader, key, (lineages) => findStoppingOf(snapshot, lineages)),
          stopped_by: (await findStoppingOf(snapshot, [lineage]))[0]!.map((rule) => ({ rule })),
          ...(await readInactive(snapshot, key, lineage, judge)),
          ...(await findingsOf(openFindings, snapshot, { kind: 'token', key })),
          accesses: {
            count: Number(row.accesses),
            allowed: Number(row.allowed),
            denied: Number(row.accesses) - Number(row.allowed),
            first: orNull(row.first, (at) => timeText(Number(at))),
            last: orNull(row.last, (at) => timeText(Number(at))),
          },
        };
      },
      asked,
    );

  return {
    byId(tenant, id, query) {
      const parameters = readParameters(query, TOKEN_PARAMETERS);
      return find(tenant, readTokenId(id), readAsOf(parameters));
    },
    byName(tenant, query) {
      const parameters = readParameters(query, TOKEN_LOOKUP_PARAMETERS);
      const ref = readReference(parameters);
      return find(
        tenant,
        ruleKeyToBytes(ruleKey(reader.tenantKey(tenant), 'token', tokenParts(ref))),
        readAsOf(parameters),
      );
    },
  };
}

function readReference(parameters: Parameters): TokenRef {
  const sha256 = readDigest(parameters, 'sha256');
  const signingInput = readDigest(parameters, 'signing_input_sha256');
  if (sha256 === undefined && signingInput === undefined)
    return { iss: needBeside(parameters, 'iss'), jti: needBeside(parameters, 'jti') };
  if (IDENTITY_PARAMETERS.filter((name) => parameters.has(name)).length > 1)
    throw inconsistent('give `iss` and `jti`, or one digest');
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
