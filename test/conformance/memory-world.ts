import type { TokenSeen } from '../../src/contracts/index.js';
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
import type { LineageReader } from '../../src/projections/index.js';
import { createAuthenticator, createKeySets } from '../../src/registry/index.js';
import { selectorKey, type Selector } from '../../src/rules/index.js';
import { createMemoryFacts, TENANT_KEY, type MemoryFacts } from './memory-facts.js';
import * as parties from './parties.js';

/** 2026-11-24T09:00:00Z. */
export const NOW = 1_795_510_800;

/** The decision on the real state, rules, keys and authentication, with facts in memory in place of PostgreSQL. */
export interface MemoryWorld extends Introspection, Omit<MemoryFacts, 'lineage'> {
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
  apply(record: NewControlRecord): Seq;
  order(selector: Selector, over?: Partial<RuleRecord>): Seq;
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
  const facts = createMemoryFacts(state);
  const metrics = createMetrics();
  const lines: string[] = [];
  const log = createLog({ level: 'debug', destination: { write: (line) => lines.push(line) } });
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
          const { source, ...said } = data as TokenSeen;
          facts.recordToken({ kind: 'access', ...said }, { source });
        }
        return [];
      },
    },
  });
  const introspection = createIntrospection({
    follower,
    authenticate,
    keySets,
    lineage: options.lineage ?? facts.lineage,
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
      return facts.statements;
    },
    apply(record) {
      const seq = (state.head + 1n) as Seq;
      state.apply({ ...record, seq, version: 1, at: world.now * 1000 } as ControlRecord);
      return seq;
    },
    order(selector, over = {}) {
      const { shape, key } = selectorKey(TENANT_KEY, selector);
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
    recordToken: facts.recordToken,
    recordIdJag: facts.recordIdJag,
    forget: facts.forget,
    failReads: facts.failReads,
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
