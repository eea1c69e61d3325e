import type { IdJagIssued, TokenIssued, TokenSeen } from '../../src/contracts/index.js';
import {
  createControlState,
  type ControlRecord,
  type ControlState,
  type NewControlRecord,
  type RuleRecord,
  type Seq,
} from '../../src/control/index.js';
import { createSeenTokenRecorder, type OwnEvent, type SeenToken } from '../../src/ingest/index.js';
import {
  createIntrospection,
  createRemoteAddress,
  type CountedRefusal,
  type Introspection,
  type OnSeen,
  type TenantCount,
} from '../../src/introspection/index.js';
import { createLog } from '../../src/platform/log/index.js';
import { createMetrics, type Metrics } from '../../src/platform/observe/index.js';
import type { LineageReader, StoredIdJag, StoredLineage, StoredToken } from '../../src/projections/index.js';
import { createAuthenticator, createKeySets } from '../../src/registry/index.js';
import { ruleKey, selectorKey, tokenParts, tokenRef, type RuleKey, type Selector } from '../../src/rules/index.js';
import * as parties from './parties.js';

/** 2026-11-24T09:00:00Z. */
export const NOW = 1_795_510_800;
const KEY = Buffer.from(parties.TENANT.key, 'base64url');

/** The decision on the real state, rules, keys and authentication, with facts in memory in place of PostgreSQL. */
export interface MemoryWorld extends Introspection {
  now: number;
  isCurrent: boolean;
  readonly state: ControlState;
  readonly metrics: Metrics;
  readonly counts: readonly TenantCount[];
  /** Recorded tokens that were refused, handed on after `stop`. */
  readonly refused: readonly CountedRefusal[];
  /** Events `token.seen` of tokens recorded at first sight. */
  readonly seen: readonly OwnEvent[];
  readonly log: string[];
  /** Statements sent to the reader so far. */
  readonly statements: number;
  apply(record: NewControlRecord): Seq;
  order(selector: Selector, over?: Partial<RuleRecord>): Seq;
  recordToken(facts: TokenIssued, over?: Partial<StoredToken>): void;
  recordIdJag(facts: IdJagIssued, over?: Partial<StoredIdJag>): void;
  forget(): void;
  /** Says what the reader is to fail with from now on. */
  failReads(error: Error | undefined): void;
  ask(token: string, as?: string, hint?: string): Promise<{ kind: string; body: string | undefined }>;
  count(outcome: string): Promise<number>;
}

export interface MemoryWorldOptions {
  /** Count introspections, as the service does; what was counted stands in `counts` after `stop`. */
  readonly countIntrospections?: boolean;
  /** In place of the appender: records a token at first sight by `write`, which takes what the ledger would. Absent: this node cannot. */
  readonly onSeen?: (seen: SeenToken, write: OnSeen) => Promise<boolean>;
  readonly trustedProxy?: boolean;
  readonly maxTokens?: number;
  /** In place of what was recorded. */
  readonly lineage?: LineageReader;
  /** Milliseconds by which the bounds of callers fill up again. */
  readonly monotonic?: () => number;
  /** How key sets are fetched from localhost: whose certificates count, and a clock in milliseconds. */
  readonly fetching?: { readonly ca: readonly string[]; readonly monotonic: () => number };
}

export function createMemoryWorld(options: MemoryWorldOptions = {}): MemoryWorld {
  const { countIntrospections = false, trustedProxy = false, maxTokens } = options;
  const state = createControlState();
  const tokens = new Map<RuleKey, StoredToken>();
  const idJags = new Map<RuleKey, StoredIdJag>();
  const metrics = createMetrics();
  const lines: string[] = [];
  const log = createLog({ level: 'debug', destination: { write: (line) => lines.push(line) } });
  let statements = 0;
  let readError: Error | undefined;

  const readMany =
    (find: (key: RuleKey) => StoredLineage | undefined) => async (_: string, keys: readonly RuleKey[]) => {
      statements++;
      if (readError) throw readError;
      return keys.map(find);
    };
  const lineage: LineageReader = options.lineage ?? {
    tokens: readMany((key) => (tokens.has(key) ? walk({ tokens, idJags }, { token: key }) : undefined)),
    idJags: readMany((key) => (idJags.has(key) ? walk({ tokens, idJags }, { idJag: key }) : undefined)),
  };

  const authenticate = createAuthenticator({ state: () => state, now: () => world.now * 1000 });
  const keySets = createKeySets({
    state,
    log,
    allowedHosts: options.fetching ? ['localhost'] : [],
    ...options.fetching,
  });
  const follower = { state, isCurrent: () => world.isCurrent };
  const counts: TenantCount[] = [];
  const refused: CountedRefusal[] = [];
  const seen: OwnEvent[] = [];
  const writeSeen = createSeenTokenRecorder({
    state,
    now: () => world.now * 1000,
    appender: {
      submit: async ({ own = [] }) => {
        seen.push(...own);
        for (const { data } of own) {
          const { source, ...facts } = data as TokenSeen;
          world.recordToken({ kind: 'access', ...facts }, { source });
        }
        return [];
      },
    },
  });
  const introspection = createIntrospection({
    follower,
    authenticate,
    keySets,
    lineage,
    metrics,
    log,
    ...(countIntrospections ? { onCounts: async (counted) => void counts.push(...counted) } : {}),
    ...(options.onSeen ? { onSeen: (token) => options.onSeen!(token, writeSeen) } : {}),
    onRefused: async (refusals) => void refused.push(...refusals),
    ...(trustedProxy ? { remoteAddress: createRemoteAddress({ trustedProxy }) } : {}),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(options.monotonic ? { monotonic: options.monotonic } : {}),
    now: () => world.now * 1000,
  });

  const world: MemoryWorld = {
    ...introspection,
    now: NOW,
    isCurrent: true,
    state,
    metrics,
    counts,
    refused,
    seen,
    log: lines,
    get statements() {
      return statements;
    },
    apply(record) {
      const seq = (state.head + 1n) as Seq;
      state.apply({ ...record, seq, version: 1, at: world.now * 1000 } as ControlRecord);
      return seq;
    },
    order(selector, over = {}) {
      const { shape, key } = selectorKey(KEY, selector);
      const id = `rule-${state.head}`;
      const rule: RuleRecord = {
        id,
        effect: 'revoke',
        selector,
        shape,
        key: Buffer.from(key, 'latin1').toString('base64url'),
        reauthenticate: false,
        reason: 'spec',
        author: { caller: 'admin' },
        ...over,
      };
      return world.apply({ kind: 'rule.ordered', tenant: parties.TENANT.id, subject: id, body: rule });
    },
    recordToken(facts, over = {}) {
      const key = ruleKey(KEY, 'token', tokenParts(tokenRef(facts)));
      const idJagKey =
        facts.id_jag?.jti === undefined ? undefined : ruleKey(KEY, 'id_jag', [facts.id_jag.iss, facts.id_jag.jti]);
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
      const key = ruleKey(KEY, 'id_jag', [facts.iss, facts.jti]);
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
    async ask(token, as = parties.basic('chat-api'), hint = undefined) {
      const answer = await introspection.introspect({
        token,
        hint,
        authenticate: () => authenticate({ authorization: as, remoteAddress: '127.0.0.1' }),
      });
      return { kind: answer.kind, body: answer.kind === 'decided' ? answer.body : undefined };
    },
    async count(outcome) {
      const text = await metrics.text();
      return Number(
        new RegExp(`^rescind_introspections_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0,
      );
    },
  };

  const tenant = parties.TENANT.id;
  world.apply({ kind: 'tenant.changed', tenant, subject: tenant, body: parties.TENANT });
  for (const body of [parties.IDP_SOURCE, parties.RAS_SOURCE, parties.OTHER_RAS_SOURCE]) {
    world.apply({ kind: 'source.changed', tenant, subject: body.id, body });
  }
  const callers = [
    parties.RESOURCE_SERVER,
    parties.AUTHORIZATION_SERVER,
    parties.OTHER_RESOURCE_SERVER,
    parties.WAITING_SERVER,
    parties.NO_ROLE,
  ];
  for (const body of callers) world.apply({ kind: 'caller.changed', tenant, subject: body.id, body });
  return world;
}

const parentKey = ({ parent }: TokenIssued | IdJagIssued): RuleKey | undefined =>
  parent && ruleKey(KEY, 'token', parent.sha256 === undefined ? [parent.iss, parent.jti] : [parent.sha256]);

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
