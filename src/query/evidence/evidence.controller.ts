import { Controller, Get, Inject, Query, Res } from '@nestjs/common';
import { ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { NDJSON_MEDIA_TYPE } from '../../contracts/index.js';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import { parameterDocs } from '../ask/parameter-docs.js';
import { INDEX } from '../ask/parameters.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import type { Questions } from '../questions.pg.js';
import { EvidenceFile, LedgerAnswer } from './answers.js';
import { MAX_ARCHIVE_ENTRIES } from './evidence.pg.js';

const INDEXES = {
  name: 'index',
  required: false,
  schema: { type: 'array', items: INDEX, maxItems: MAX_ARCHIVE_ENTRIES },
  description: 'only this entry; may be repeated. Not together with a window.',
};

@ApiTags('ledger')
@Controller('v1')
@RequireRole('audit')
export class EvidenceController {
  readonly #questions: Questions;

  constructor(@Inject(QUESTIONS) questions: Questions) {
    this.#questions = questions;
  }

  @Get('ledger')
  @Answers(
    'How far the ledger is published: its newest signed checkpoint, whether a witness cosigned one, and its keys',
    LedgerAnswer,
    [],
    'The checkpoint as it is now: the question takes no `as_of`.',
  )
  ledger(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<LedgerAnswer> {
    return this.#questions.ledger(caller.tenant, query);
  }

  @Get('evidence')
  @ApiProduces(NDJSON_MEDIA_TYPE)
  @Answers(
    'Evidence of up to 1,000 entries: an evidence file a line, in ledger order',
    EvidenceFile,
    [
      INDEXES,
      ...parameterDocs(['after_index', 'before_index'], {
        after_index: { description: 'only entries behind this index of the ledger; `-1`: all' },
      }),
    ],
    'Each line is an evidence file, which `rescind verify` checks offline. Entries never change, so it takes no `as_of`. A window ends with the newest published checkpoint. It is `not-found` if no published checkpoint covers an `index`, and `invalid-request` if there are more entries. The answer is streamed; after a failure the body is cut off.',
    'report',
  )
  async evidence(@CurrentCaller() caller: Asker, @Query() query: unknown, @Res() reply: FastifyReply): Promise<void> {
    const { contentType, fileName, body } = await this.#questions.evidence(caller.tenant, query);
    await reply
      .header('content-type', contentType)
      .header('content-disposition', `attachment; filename="${fileName}"`)
      .send(body);
  }
}
