import { Controller, Get, Inject, Query, Res } from '@nestjs/common';
import { ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { NDJSON_MEDIA_TYPE } from '../../contracts/index.js';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import { parameterDocs } from '../ask/parameter-docs.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import type { Questions } from '../questions.pg.js';
import { OcsfLine } from './answers.js';
import { INDEX_WINDOW_PARAMETERS } from './window.pg.js';

@ApiTags('export')
@Controller('v1/export')
@RequireRole('audit')
export class ExportController {
  readonly #questions: Questions;

  constructor(@Inject(QUESTIONS) questions: Questions) {
    this.#questions = questions;
  }

  @Get('ocsf')
  @ApiProduces(NDJSON_MEDIA_TYPE)
  @Answers(
    'Export for a SIEM: the entries of a window as OCSF 1.8.0 events, a line each, in ledger order',
    OcsfLine,
    parameterDocs(INDEX_WINDOW_PARAMETERS, {
      after_index: { description: 'only entries behind this index of the ledger; `-1`: all' },
      from: { description: 'only entries that arrived at this time or later; a duration counts back from now' },
      to: { description: 'only entries that arrived before this time; a duration counts back from now' },
    }),
    'Without a window: the whole ledger. It takes no `as_of`: entries never change, and `before_index` says where it ends. The answer is streamed, whatever its length; after a failure the body is cut off, and the `metadata.sequence` of the last whole line is the `after_index` to go on with. Headers: `rescind-entries` (entries in the window), `rescind-before-index` (its end), `rescind-next-after` (the `after_index` of what follows, once the body has ended).',
    'report',
  )
  async ocsf(@CurrentCaller() caller: Asker, @Query() query: unknown, @Res() reply: FastifyReply): Promise<void> {
    const { contentType, fileName, body, entries, beforeIndex, nextAfter } = await this.#questions.exportOcsf(
      caller.tenant,
      query,
    );
    void reply
      .header('content-type', contentType)
      .header('content-disposition', `attachment; filename="${fileName}"`)
      .header('rescind-entries', String(entries))
      .header('rescind-before-index', String(beforeIndex));
    if (nextAfter !== undefined) void reply.header('rescind-next-after', String(nextAfter));
    await reply.send(body);
  }
}
