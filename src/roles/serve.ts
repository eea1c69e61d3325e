import { randomUUID } from 'node:crypto';
import { CHANNEL_ENTITIES } from '../channels/index.js';
import type { Caller, ControlFollower } from '../control/index.js';
import { createExplore, type ArchivedUses } from '../explore/index.js';
import { createFeeds, type Feeds } from '../feeds/index.js';
import { createOpenFindings } from '../findings/index.js';
import { createSeenTokenRecorder, type Appender, type OwnEvent } from '../ingest/index.js';
import {
  AUTHORIZE_REQUEST_PATH,
  createIntrospection,
  createRefusedTokenWriter,
  createRemoteAddress,
  type TenantCount,
} from '../introspection/index.js';
import type { HotHandler } from '../platform/http/index.js';
import { createCancellingPool } from '../platform/postgres/index.js';
import { createLineageReader } from '../projections/index.js';
import {
  createLedgerHandler,
  createQuestions,
  createReader,
  REPORTS_AT_ONCE,
  type PreviewOrder,
  type SourceSight,
} from '../query/index.js';
import { createIdentify, createTurns, type KeySets } from '../registry/index.js';
import { createRevocations, createRevokeHandler } from '../revocation/index.js';
import type { SettingsParts } from '../settings/index.js';
import { WEB_ENTITIES } from '../web/index.js';
import { createChannelFacts } from './findings/channels.js';
import { createFindingsServing } from './findings/serving.js';
import type { Ingest } from './ingest.js';
import type { Parts } from './parts.js';
import { startWatch } from './findings/watch.js';
import { startErasures } from './serving/erasure.js';
import { createWebFor } from './web.js';

/** Questions of `explore` that compute at the same time; one tenant leaves room for another. Each has two threads. */
const EXPLORING_AT_ONCE = 3;

/** Parts of the process that the role stands on. */
interface Under {
  readonly ingest: Ingest | undefined;
  /** Writes events of Rescind's own. */
  readonly appender: Appender;
  readonly cold: ArchivedUses;
  readonly keySets: KeySets;
}

/** Starts the role `serve`: introspection, orders, questions, and the feeds of guards where the process has the role `feed` too. */
export function startServing(parts: Parts, { ingest, appender, cold, keySets }: Under) {
  const {
    config,
    url,
    log,
    metrics,
    lifecycle,
    pool,
    questionPool,
    leaving,
    controlLog,
    follower,
    orderWaits,
    authenticate,
  } = parts;
  const told = {
    onSeen: createSeenTokenRecorder({ state: follower.state, appender }),
    ...(ingest
      ? {
          onCounts: (counts: readonly TenantCount[]) =>
            appender.submit({ events: [], own: counts.map((count) => countedEvent(follower, count)) }),
        }
      : {}),
  };
  const partitions: SourceSight['partitions'] = async (asker) =>
    (await ingest?.parts.partitions?.list({ ...asker, operator: false })) ?? null;
  const lineage = createLineageReader({ pool });
  const remoteAddress = createRemoteAddress(config.listen);
  const introspection = createIntrospection({
    follower,
    authenticate,
    keySets,
    lineage,
    metrics,
    log,
    remoteAddress,
    onRefused: createRefusedTokenWriter(pool),
    ...told,
  });
  const revocations = createRevocations({
    controlLog,
    follower,
    pool,
    questionPool,
    confirmShare: config.confirmShare,
    freshUsers: config.people.freshUsers,
    ...(orderWaits ? { waits: orderWaits } : {}),
  });
  const revoke = createRevokeHandler({
    authenticate,
    revocations,
    verifier: introspection.verifier,
    lineage,
    follower,
    log,
    metrics,
    remoteAddress,
  });
  // The guard has let in a whole caller, of which questions know the tenant alone.
  const previewOrder: PreviewOrder = (caller, order) => revocations.preview(caller as Caller, order);
  const usableKeys = async (id: string): Promise<number> => {
    const source = follower.state.source(id)!;
    const fitting = await Promise.all(source.profile.algorithms.map((alg) => keySets.find(source, { alg })));
    return new Set(fitting.flat()).size;
  };
  const onIdleError = (err: Error): void => log.warn({ err }, 'an idle database connection was lost');
  const reportPool = openReportPool(parts, onIdleError);
  const reader = createReader(() => follower.state);
  const explore = createExplore({
    pool: questionPool,
    log,
    metrics,
    turns: createTurns({ atOnce: EXPLORING_AT_ONCE }),
    leaving,
    sources: { find: reader.findSource, all: reader.sources },
    nameOfSource: (id) => reader.source(id).name,
    archiveRoot: config.archiveDir,
    home: config.home,
  });
  lifecycle.onStop('explore', () => explore.stop());
  const questions = createQuestions({
    findUses: explore,
    cold,
    pool: questionPool,
    reportPool,
    leaving,
    control: () => follower.state,
    previewOrder,
    openFindings: createOpenFindings({ reader }),
    sight: { partitions, usableKeys, judge: introspection.judge },
  });
  const { findings, detections } = createFindingsServing(parts, reader, appender);
  const settings: SettingsParts = {
    url,
    onIdleError,
    watchPool: parts.watchPool,
    tenantKey: reader.tenantKey,
    now: () => Math.floor(Date.now() / 1000),
    entities: [...CHANNEL_ENTITIES, ...WEB_ENTITIES],
  };
  const channels = createChannelFacts(parts, reader);
  const erasures = startErasures(parts, appender);
  const { watch, reportGuards } = startWatch(parts, findings.findings);
  const { sight, authorizeRequest } = introspection;
  const keysVersion = (): number => keySets.version;
  const feeds: Feeds | undefined = config.roles.has('feed')
    ? createFeeds({ follower, authenticate, sight, keysVersion, metrics, log, remoteAddress, reportGuards })
    : undefined;
  const web = createWebFor(parts);
  const ledgers = createLedgerHandler({
    pool: questionPool,
    logOrigin: config.logOrigin,
    publicLedgers: config.publicLedgers,
    identify: createIdentify(authenticate, web.sessions),
    remoteAddress,
    log,
  });
  const hot = new Map<string, HotHandler>([
    ...web.handlers,
    ['/introspect', introspection.handle],
    ['/revoke', revoke],
    ['/ledger/*', ledgers],
    [AUTHORIZE_REQUEST_PATH, authorizeRequest],
    [`${AUTHORIZE_REQUEST_PATH}/*`, authorizeRequest],
    ...(feeds?.handlers ?? []),
  ]);
  // Hands on what was counted while the appender still takes it.
  lifecycle.onStop('introspection counts', () => introspection.stop());
  return {
    questions,
    explore,
    findings,
    detections,
    watch,
    revocations,
    settings,
    channels,
    erasures,
    web,
    introspection,
    feeds,
    hot,
  };
}

function openReportPool({ url, leaving, pool, lifecycle, watchPool }: Parts, onIdleError: (err: Error) => void) {
  const reportPool = createCancellingPool({
    url,
    max: REPORTS_AT_ONCE,
    applicationName: 'rescind-reports',
    onIdleError,
    leaving,
    canceller: pool,
  });
  lifecycle.onStop('reports pool', () => reportPool.end());
  watchPool('reports', reportPool);
  return reportPool;
}

function countedEvent({ state }: ControlFollower, { tenant, data }: TenantCount): OwnEvent<'introspection.counted'> {
  return {
    tenant: state.tenant(tenant)!,
    name: 'introspection.counted',
    id: randomUUID(),
    timeMs: data.to * 1000,
    data,
  };
}
