import { loadSql } from '../../platform/postgres/index.js';
import type { Detection } from '../detection.js';
import { bySql, prepared } from '../fresh.js';

const SQL = prepared('lineage-trouble', loadSql(import.meta.url, 'lineage-trouble.sql'));
const LATE_S = 4 * 3_600;

export const lineageTrouble: Detection = {
  kind: 'lineage-trouble',
  severity: 'medium',
  means: 'Two events contradict each other about a token, or its source told of it only after it was used.',
  next: 'Check the source. A token that is contradicted is never active again.',
  looks: `Tokens and ID-JAGs with contradicting events; uses whose token became known over ${LATE_S / 3_600} hours later.`,
  stop: [['token']],
  see: 'access',
  says: ({ count, client, source, details }) =>
    details['how'] === 'late'
      ? `${count} uses at ${source} were nobody’s for up to ${String(details['minutes'])} minutes: it told of their tokens later.`
      : `Events contradict each other about a token of ${client}.`,
  find: bySql(SQL, () => [LATE_S]),
};
