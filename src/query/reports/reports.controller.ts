import { Controller, Get, Inject, Query, Res } from '@nestjs/common';
import { ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { CurrentCaller, requirePayloads, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import { parameterDocs } from '../ask/parameter-docs.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import type { Questions } from '../questions.pg.js';
import { REVIEW_PARAMETERS } from './access-review.pg.js';
import { IncidentReport, ReviewReport } from './answers.js';
import { incidentCsv } from './incident-csv.js';
import { INCIDENT_PARAMETERS } from './incident.pg.js';

@ApiTags('reports')
@Controller('v1/reports')
@RequireRole('audit')
export class ReportsController {
  readonly #questions: Questions;

  constructor(@Inject(QUESTIONS) questions: Questions) {
    this.#questions = questions;
  }

  @Get('access-review')
  @ApiProduces('application/json', 'text/csv')
  @Answers(
    'Access review: every standing grant of a user or a resource',
    ReviewReport,
    REVIEW_PARAMETERS,
    'The report is streamed, whatever its length; after a failure the body is cut off. CSV (RFC 4180): a cell that a spreadsheet would take for a formula (= + - @, tab, return) begins with an apostrophe; times are RFC 3339.',
    'report',
  )
  async accessReview(
    @CurrentCaller() caller: Asker,
    @Query() query: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { contentType, fileName, body } = await this.#questions.reports.accessReview(caller.tenant, query);
    void reply.header('content-type', contentType).header('content-disposition', `attachment; filename="${fileName}"`);
    await reply.send(body);
  }

  @Get('incident')
  @ApiProduces('application/json', 'text/csv')
  @Answers(
    'Incident report: what a rule hit, the uses before it, the attempts after it, and who confirmed it when',
    IncidentReport,
    parameterDocs(INCIDENT_PARAMETERS, { rule: { required: true } }),
    'Default of `since`: 30 days before the order. CSV: one line for each fact.',
  )
  async incident(
    @CurrentCaller() caller: Asker,
    @Query() query: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<IncidentReport | string> {
    const { format, report } = await this.#questions.reports.incident(caller.tenant, query);
    if (format === 'json') return report;
    requirePayloads(caller, 'exports');
    void reply
      .header('content-type', 'text/csv; charset=utf-8; header=present')
      .header('content-disposition', 'attachment; filename="incident.csv"');
    return incidentCsv(report);
  }
}
