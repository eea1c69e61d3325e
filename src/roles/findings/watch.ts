import { createWatch, sendReports, type Watch } from '../../feeds/index.js';
import type { Findings } from '../../findings/index.js';
import { createPool } from '../../platform/postgres/index.js';
import { newsOf } from './news.js';
import type { Parts } from '../parts.js';

/** One connection hears the guards; two read for every stream, and send reports of guards. They open when they are needed. */
const WATCH_CONNECTIONS = 3;

export interface Watched {
  readonly watch: Watch;
  /** Tells the processes that people watch which guards have applied a record. */
  readonly reportGuards: (messages: readonly string[]) => Promise<unknown>;
}

/** Makes the stream of findings, rules and coverage. It has connections of its own, so that no question waits for it. */
export function startWatch(parts: Parts, findings: Findings): Watched {
  const { url, follower, controlLog, metrics, log, lifecycle, watchPool } = parts;
  const pool = createPool({
    url,
    max: WATCH_CONNECTIONS,
    applicationName: 'rescind-stream',
    onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost'),
  });
  lifecycle.onStop('stream pool', () => pool.end());
  watchPool('stream', pool);
  const news = newsOf(findings, pool);
  const watch = createWatch({ follower, controlLog, pool, findings: news, metrics, log });
  return { watch, reportGuards: sendReports(pool) };
}
