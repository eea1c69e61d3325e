import type { Pool } from 'pg';
import type { Leaving } from '../platform/postgres/index.js';
import { createAccessQuestion } from './access/access.pg.js';
import type { AccessCounts, AccessPage } from './access/answers.js';
import type { FindUses } from './access/find-uses.js';
import { createCountsQuestion } from './access/counts.pg.js';
import type { ConnectionPage, EntryAnswer, GrantPage, SequencesAnswer } from './lists/answers.js';
import type { ChangePage } from './changes/answers.js';
import { createChangesQuestion } from './changes/changes.pg.js';
import type { CoverageAnswer, SourceCheckAnswer } from './coverage/answers.js';
import { createSourceCheck, type CheckAsker, type SourceSight } from './coverage/check.pg.js';
import { createCoverageQuestion } from './coverage/coverage.pg.js';
import { createConnectionsQuestion } from './lists/connections.pg.js';
import type { DirectoryPage, EntityAnswer } from './directory/answers.js';
import { createDirectoryQuestion } from './directory/directory.pg.js';
import type { LedgerAnswer } from './evidence/answers.js';
import { createLedgerQuestion } from './evidence/ledger.pg.js';
import { createEvidenceArchive } from './evidence/evidence.pg.js';
import { createEntityQuestion } from './directory/entity.pg.js';
import { createEntityLists, type EntityQuestions } from './entities/entities.pg.js';
import { createEntryQuestion } from './lists/entries.pg.js';
import { createGrantsQuestion } from './lists/grants.pg.js';
import type { GraphAnswer } from './graph/answers.js';
import { createGraphQuestion } from './graph/graph.pg.js';
import { createFollowPairs } from './graph/pairs.pg.js';
import type { MatrixAnswer } from './matrix/answers.js';
import { createMatrixQuestion } from './matrix/matrix.pg.js';
import { createBlastQuestions, type BlastQuestions, type PreviewOrder } from './reach/blast.pg.js';
import { createQuarantineQuestions, type QuarantineQuestions } from './lists/quarantine.pg.js';
import type { Asker } from './ask/documented.controller.js';
import type { ReadOpenFindings } from './ask/open-findings.js';
import { createReader, type ControlView } from './ask/reader.js';
import { createAccessReview } from './reports/access-review.pg.js';
import { createIncidentReport, type Incident } from './reports/incident.pg.js';
import { createOcsfExport, type OcsfExport } from './export/ocsf.pg.js';
import { createReportStreams, type Report } from './reports/stream.js';
import type { SearchAnswer } from './search/answers.js';
import { createSearchQuestion } from './search/search.pg.js';
import { createSequencesQuestion } from './lists/sequences.pg.js';
import { createOcsfReader } from '../ocsf/index.js';
import { createAsk, type ColdUses } from '../projections/index.js';
import { createFindStopping, type FindStopping } from './lists/token-lineage.js';
import type { TimelinePage } from './timeline/answers.js';
import { createTimelineQuestion } from './timeline/timeline.pg.js';
import { createTokenQuestions, type TokenQuestions } from './lists/tokens.pg.js';

/** A question with query parameters. It checks the raw parameters itself. */
type Question<A> = (tenant: string, query: unknown) => Promise<A>;

/**
 * The security team's questions. Each question reads one snapshot of one tenant and says up to which index (`as_of`).
 * It rejects with a `RescindError`: `invalid-request`, `invalid-cursor`, `filter-too-wide`, `not-found`.
 */
export interface Questions {
  readonly connections: Question<ConnectionPage>;
  readonly grants: Question<GrantPage>;
  readonly access: Question<AccessPage>;
  readonly accessCounts: Question<AccessCounts>;
  readonly graph: Question<GraphAnswer>;
  readonly matrix: Question<MatrixAnswer>;
  readonly changes: Question<ChangePage>;
  readonly quarantine: QuarantineQuestions;
  readonly sequences: Question<SequencesAnswer>;
  readonly reach: BlastQuestions;
  readonly reports: { readonly accessReview: Question<Report>; readonly incident: Question<Incident> };
  readonly exportOcsf: Question<OcsfExport>;
  readonly evidence: Question<Report>;
  readonly ledger: Question<LedgerAnswer>;
  readonly coverage: Question<CoverageAnswer>;
  readonly sourceCheck: (asker: CheckAsker, source: string, query: unknown) => Promise<SourceCheckAnswer>;
  readonly entity: (tenant: string, id: string, query: unknown) => Promise<EntityAnswer>;
  readonly entities: EntityQuestions;
  readonly directory: Question<DirectoryPage>;
  readonly search: (asker: Asker, query: unknown) => Promise<SearchAnswer>;
  readonly timeline: Question<TimelinePage>;
  readonly token: TokenQuestions;
  readonly entry: (tenant: string, index: string, query: unknown) => Promise<EntryAnswer>;
}

export interface QuestionsOptions {
  readonly pool: Pool;
  /** Pool for reports, each of which keeps a connection until it ends. Default: `pool`. */
  readonly reportPool?: Pool;
  /**
   * Says whether the client of a question is still there. A question whose client has left sends no further statement.
   */
  readonly leaving?: Leaving;
  /** Returns the folded control state of this process: tenants' keys, names of sources, rules. */
  readonly control: () => ControlView;
  /** Finds the rules that stop a token. Default: looks among the rules of `control`. */
  readonly findStopping?: FindStopping;
  /** Finds uses by filters that no index serves. Without it, such filters walk all accesses of the window. */
  readonly findUses?: FindUses;
  /** Reads uses that have left the database. Without it, questions that need them are refused. */
  readonly cold?: ColdUses | undefined;
  /** Reads the open findings about the subject of an answer. Without it, answers show none. */
  readonly openFindings?: ReadOpenFindings;
  /** Previews a proposed rule. Without it, proposed rules come without a preview. */
  readonly previewOrder?: PreviewOrder;
  /** Facts about sources and tokens that other parts of this process know. */
  readonly sight?: SourceSight;
  /** Returns the current time in epoch seconds. */
  readonly now?: () => number;
}

export function createQuestions(options: QuestionsOptions): Questions {
  const reader = createReader(options.control);
  const { findStopping = createFindStopping(reader), now = () => Math.floor(Date.now() / 1000) } = options;
  const { pool, reportPool = pool, leaving, cold } = options;
  const ask = createAsk({ pool, now, leaving, cold });
  const askForReport = createAsk({ pool: reportPool, now, leaving, cold });
  const follow = createFollowPairs();
  const streams = createReportStreams();
  return {
    connections: createConnectionsQuestion({ ask, reader, follow }),
    grants: createGrantsQuestion({ ask, reader }),
    access: createAccessQuestion({ ask, reader, findUses: options.findUses }),
    accessCounts: createCountsQuestion({ ask, reader, findUses: options.findUses }),
    graph: createGraphQuestion({ ask, reader, follow }),
    matrix: createMatrixQuestion({ ask, reader, follow }),
    changes: createChangesQuestion({ ask, reader, follow }),
    quarantine: createQuarantineQuestions({ ask, reader }),
    sequences: createSequencesQuestion({ ask, reader }),
    reach: createBlastQuestions({ ask, reader, previewOrder: options.previewOrder }),
    coverage: createCoverageQuestion({ ask, reader }),
    sourceCheck: createSourceCheck({ ask, reader, sight: options.sight ?? {} }),
    reports: {
      accessReview: createAccessReview({ ask: askForReport, reader, streams }),
      incident: createIncidentReport({ ask, reader }),
    },
    exportOcsf: createOcsfExport({
      ask,
      reader,
      streams,
      ocsf: createOcsfReader({
        pool: reportPool,
        ask: askForReport,
        tenantName: reader.tenantName,
        sourceName: (id) => reader.source(id).name ?? id,
      }),
    }),
    ledger: createLedgerQuestion({ ask }),
    evidence: createEvidenceArchive({ ask, askForReport, reader, streams }),
    entity: createEntityQuestion({ ask, openFindings: options.openFindings }),
    entities: createEntityLists({ ask, reader, follow }),
    directory: createDirectoryQuestion({ ask, reader }),
    search: createSearchQuestion({ ask, reader }),
    timeline: createTimelineQuestion({ ask, reader }),
    token: createTokenQuestions({
      ask,
      reader,
      findStopping,
      judge: options.sight?.judge,
      openFindings: options.openFindings,
    }),
    entry: createEntryQuestion({ ask, reader }),
  };
}
