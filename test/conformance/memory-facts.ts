import type { IdJagIssued, TokenIssued } from '../../src/contracts/index.js';
import type { ControlState } from '../../src/control/index.js';
import type { LineageReader, StoredIdJag, StoredLineage, StoredToken } from '../../src/projections/index.js';
import { ruleKey, tokenParts, tokenRef, type RuleKey } from '../../src/rules/index.js';
import * as parties from './parties.js';

export const TENANT_KEY = Buffer.from(parties.TENANT.key, 'base64url');

/** Recorded tokens and ID-JAGs in memory, in place of PostgreSQL. */
export interface MemoryFacts {
  readonly lineage: LineageReader;
  /** Statements sent to the reader so far. */
  readonly statements: number;
  recordToken(facts: TokenIssued, over?: Partial<StoredToken>): void;
  recordIdJag(facts: IdJagIssued, over?: Partial<StoredIdJag>): void;
  forget(): void;
  /** Says what the reader is to fail with from now on. */
  failReads(error: Error | undefined): void;
}

export function createMemoryFacts(state: ControlState): MemoryFacts {
  const tokens = new Map<RuleKey, StoredToken>();
  const idJags = new Map<RuleKey, StoredIdJag>();
  let statements = 0;
  let readError: Error | undefined;

  const readMany =
    (find: (key: RuleKey) => StoredLineage | undefined) => async (_: string, keys: readonly RuleKey[]) => {
      statements++;
      if (readError) throw readError;
      return keys.map(find);
    };

  return {
    lineage: {
      tokens: readMany((key) => (tokens.has(key) ? walk({ tokens, idJags }, { token: key }) : undefined)),
      idJags: readMany((key) => (idJags.has(key) ? walk({ tokens, idJags }, { idJag: key }) : undefined)),
    },
    get statements() {
      return statements;
    },
    recordToken(facts, over = {}) {
      const key = ruleKey(TENANT_KEY, 'token', tokenParts(tokenRef(facts)));
      const idJagKey =
        facts.id_jag?.jti === undefined
          ? undefined
          : ruleKey(TENANT_KEY, 'id_jag', [facts.id_jag.iss, facts.id_jag.jti]);
      tokens.set(key, {
        key,
        ix: 1n,
        seenSeq: state.head,
        source: parties.RAS_SOURCE.id,
        facts,
        conflict: false,
        idJagKey,
        parentKey: parentKey(facts),
        ...over,
      });
    },
    recordIdJag(facts, over = {}) {
      const key = ruleKey(TENANT_KEY, 'id_jag', [facts.iss, facts.jti]);
      idJags.set(key, {
        key,
        ix: 1n,
        seenSeq: state.head,
        source: parties.IDP_SOURCE.id,
        facts,
        conflict: false,
        parentKey: parentKey(facts),
        ...over,
      });
    },
    forget() {
      tokens.clear();
      idJags.clear();
    },
    failReads(error) {
      readError = error;
    },
  };
}

const parentKey = ({ parent }: TokenIssued | IdJagIssued): RuleKey | undefined =>
  parent && ruleKey(TENANT_KEY, 'token', parent.sha256 === undefined ? [parent.iss, parent.jti] : [parent.sha256]);

interface Recorded {
  readonly tokens: ReadonlyMap<RuleKey, StoredToken>;
  readonly idJags: ReadonlyMap<RuleKey, StoredIdJag>;
}

function walk(recorded: Recorded, from: { token: RuleKey } | { idJag: RuleKey }): StoredLineage {
  const found = { tokens: [] as StoredToken[], idJags: [] as StoredIdJag[] };
  let complete = true;
  let broken = false;
  const visit = (kind: 'tokens' | 'idJags', key: RuleKey | undefined, path: readonly string[]): void => {
    if (key === undefined) return;
    if (path.includes(kind + key) || path.filter((step) => step.startsWith('tokens')).length > 8) {
      broken = true;
      complete = false;
      return;
    }
    const member = recorded[kind].get(key);
    if (!member) {
      complete = false;
      return;
    }
    (found[kind] as unknown[]).push(member);
    const onward = [...path, kind + key];
    if ('idJagKey' in member) visit('idJags', member.idJagKey as RuleKey | undefined, onward);
    visit('tokens', member.parentKey, onward);
  };
  if ('token' in from) visit('tokens', from.token, []);
  else visit('idJags', from.idJag, []);
  return { ...found, complete, broken };
}
