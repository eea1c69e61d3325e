import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createArchivedUses } from '../explore/index.js';
import type { Config } from '../platform/config/index.js';
import { announceInstance, type Lifecycle } from '../platform/process/index.js';
import { ADMIN_CALLER, ADMIN_KEY_FILE } from '../registry/index.js';
import { startActions } from './findings/actions.js';
import { startArchive } from './archive.js';
import { startChannels } from './findings/channels.js';
import { startFindings, startFindingsFeed, startSiemFeed, startTopicFeeds } from './feed.js';
import { layFoundation } from './foundation.js';
import { createOwnAppender, startIngest } from './ingest.js';
import { startKeySets } from './key-sets.js';
import { listenFor, startKeyUses, startRegistry } from './listen.js';
import { startLedger } from './log.js';
import { VERSION, type StartOptions } from './parts.js';
import { endOf, type RunningRescind } from './running.js';
import { startServing } from './serve.js';

/** Starts the roles of one process, each on the ones before it, and listens once all of them are there. */
export async function startProcess(
  config: Config,
  options: StartOptions,
  lifecycle: Lifecycle,
): Promise<RunningRescind> {
  const { log, member } = options;
  const { parts, topicKeys, admin, kafkaProblem } = await layFoundation(config, options, lifecycle);
  const { servers } = parts;
  const registry = startRegistry(parts);
  const cold = createArchivedUses({ log, archiveRoot: config.archiveDir });
  lifecycle.onStop('cold uses', () => cold.stop());
  if (config.roles.has('feed') && servers) {
    startTopicFeeds(parts, servers, await topicKeys.ensure());
    startSiemFeed(parts, servers, cold);
    startFindingsFeed(parts, servers);
  }
  if (config.roles.has('feed')) {
    startFindings(parts, cold);
    startActions(parts);
    startChannels(parts);
  }
  const keySets = startKeySets(parts);
  const ingest = config.roles.has('ingest') ? await startIngest(parts, keySets) : undefined;
  if (config.roles.has('log')) startLedger(parts);
  if (config.roles.has('archive')) startArchive(parts);
  // A process that takes no events writes those of its own alone.
  const appender = ingest?.appender ?? createOwnAppender(parts, { paysOwed: false }).appender;
  const keyUses = startKeyUses(parts, appender);
  const serving = config.roles.has('serve') ? startServing(parts, { ingest, appender, cold, keySets }) : undefined;

  const url = await listenFor(parts, { registry, keyUses, ingest, serving });
  const administrator = admin.created ? parts.follower.state.caller(ADMIN_CALLER) : undefined;
  const link = serving && administrator && (await serving.web.link(administrator));
  // A group's holder does so for its members.
  if (!member) lifecycle.onStop('instance file', await announceInstance({ home: config.home, url, log }));
  log.info({ url, roles: [...config.roles], version: VERSION }, 'listening');
  return {
    url,
    adminKey: await readKey(join(config.home, ADMIN_KEY_FILE)),
    adminKeyPath: admin.path,
    firstStart: admin.created,
    consoleUrl: serving?.web.consoleUrl() ?? null,
    signInLink: link?.url ?? null,
    brokers: servers?.brokers ?? null,
    kafkaProblem,
    ...endOf(lifecycle),
  };
}

async function readKey(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
