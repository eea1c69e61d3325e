import { loadSql } from '../../platform/postgres/index.js';
import type { Detection } from '../detection.js';
import { bySql, prepared } from '../fresh.js';

const SQL = prepared('source-trouble', loadSql(import.meta.url, 'source-trouble.sql'));
const SILENT_MS = 6 * 3_600_000;
const BEHIND_MS = 30 * 60_000;

export const sourceTrouble: Detection = {
  kind: 'source-trouble',
  severity: 'medium',
  means: 'Rescind does not hear all that a source has to say, so answers about it are incomplete.',
  next: 'Check the source: `rescind source check`.',
  looks: `Missing sequence numbers; silence of over ${SILENT_MS / 3_600_000} hours and half longer than the longest of 21 days; events that come over ${BEHIND_MS / 60_000} minutes after their time.`,
  stop: [],
  see: 'coverage',
  says: ({ source, count, details }) =>
    details['how'] === 'gaps'
      ? `${count} events of ${source} are missing.`
      : details['how'] === 'silent'
        ? `${source} has been silent for ${String(details['hours'])} hours.`
        : `Events of ${source} come ${String(details['minutes'])} minutes late.`,
  find: bySql(SQL, ({ nowMs }) => [nowMs, SILENT_MS, BEHIND_MS]),
  isCondition: true,
};
