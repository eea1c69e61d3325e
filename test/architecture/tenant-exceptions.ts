/** Queries that read or write rows of every tenant, by file and table, each with its reason. Adding a row is a decision (README). */
interface Exception {
  readonly file: string;
  readonly tables: readonly string[];
  readonly reason: string;
}

const WHOLE_LOG = 'a node applies the records of every tenant; the state that it builds is kept apart by tenant';
const BY_ID = 'the rows are named by ids that the caller has read under a tenant’s condition';
const BOUNDS = 'the bounds of age and size are of the whole quarantine; nothing of a row is shown';
const DELIVERER = 'one process delivers to the channels of every tenant, each message to a channel of its own tenant';
const HOLE = 'what stands for a hole is a step of the same statement, which has the condition';

const COOKIE =
  'who has the 256 bits of a cookie or a link is of its tenant; the rows that end are of a person of the one provider';

export const TENANT_EXCEPTIONS: readonly Exception[] = [
  {
    file: 'src/archive/find-closed.sql',
    tables: ['ledger_head'],
    reason: 'one process archives the ledger of every tenant, each by itself',
  },
  {
    file: 'src/archive/check.pg.ts',
    tables: ['archive_head'],
    reason: 'a check reads the files of every tenant, each by itself',
  },
  {
    file: 'src/log/publish/find-due.sql',
    tables: ['ledger_head', 'tree_head', 'ledger_checkpoint'],
    reason: 'one process publishes the ledger of every tenant, each by itself',
  },
  {
    file: 'src/log/publish/fence.pg.ts',
    tables: ['ledger_head'],
    reason: 'a start checks the ledger of every tenant, each by itself',
  },
  {
    file: 'src/log/witness/ledger-witnesses.pg.ts',
    tables: ['ledger_checkpoint', 'tree_head'],
    reason: 'one process asks witnesses for the ledger of every tenant, each by itself',
  },
  { file: 'src/channels/deliver/due.sql', tables: ['channel'], reason: DELIVERER },
  { file: 'src/channels/deliver/behind.sql', tables: ['finding_news_head', 'channel_cursor'], reason: DELIVERER },
  { file: 'src/channels/deliver/count.sql', tables: ['channel_delivery'], reason: DELIVERER },
  { file: 'src/control/follow/find-snapshot.sql', tables: ['control_log'], reason: WHOLE_LOG },
  { file: 'src/control/log/read-copies.sql', tables: ['control_log'], reason: WHOLE_LOG },
  { file: 'src/control/log/control-log.pg.ts', tables: ['control_log'], reason: WHOLE_LOG },
  {
    file: 'src/control/follow/confirmations.pg.ts',
    tables: ['control_log'],
    reason: 'the records are named by their seq, which is unique in the deployment',
  },
  { file: 'src/control/follow/snapshot.pg.ts', tables: ['control_snapshot_part'], reason: WHOLE_LOG },
  {
    file: 'src/ingest/append/take-outbox.sql',
    tables: ['control_log'],
    reason: 'one process at a time enters the records of every tenant in its ledger',
  },
  { file: 'src/ingest/append/refuse-again.sql', tables: ['quarantine'], reason: BY_ID },
  { file: 'src/ingest/append/quarantine.pg.ts', tables: ['quarantine'], reason: BY_ID },
  { file: 'src/ingest/append/trim-quarantine.sql', tables: ['quarantine'], reason: BOUNDS },
  {
    file: 'src/ingest/append/contradictions.pg.ts',
    tables: ['contradiction_owed'],
    reason: 'one process at a time orders the blocks that are owed to every tenant, each in its tenant',
  },
  {
    file: 'src/log/ranges.pg.ts',
    tables: ['ledger_head'],
    reason: 'partitions are made up to the highest index of any tenant',
  },
  {
    file: 'src/projections/rebuild/fold.pg.ts',
    tables: ['ledger_head'],
    reason: 'a rebuild folds the ledger of every tenant, each by itself',
  },
  {
    file: 'src/projections/rules/entries-of-rules.sql',
    tables: ['entry', 'payload'],
    reason: 'a fill walks the ledger of every tenant once and names the tenant of each entry',
  },
  {
    file: 'src/archive/leave/verified.pg.ts',
    tables: ['archive_file'],
    reason: 'one process verifies the archive of every tenant, each by itself',
  },
  {
    file: 'src/projections/cold/delete-cold.sql',
    tables: ['hole'],
    reason:
      'rows are deleted by their place, which a step of the same statement has found under the tenant’s condition',
  },
  {
    file: 'src/projections/cold/partitions.pg.ts',
    tables: ['access'],
    reason: 'it is analysed for the planner; no row is shown',
  },
  { file: 'src/projections/usage/user-uses.sql', tables: ['hole'], reason: HOLE },
  { file: 'src/query/access/counts.sql', tables: ['hole'], reason: HOLE },
  { file: 'src/query/changes/used-after.ts', tables: ['hole'], reason: HOLE },
  { file: 'src/selection/search/candidates.ts', tables: ['hole'], reason: HOLE },
  { file: 'src/web/sessions/sessions.pg.ts', tables: ['person_session'], reason: COOKIE },
  { file: 'src/web/sign-in/links.pg.ts', tables: ['sign_in_link'], reason: COOKIE },
];
