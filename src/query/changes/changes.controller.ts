import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import { MOMENT } from '../ask/as-of.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import type { Questions } from '../questions.pg.js';
import { ChangePage, KINDS } from './answers.js';
import { CHANGE_PARAMETERS } from './changes.pg.js';
import { SINCE } from './since.js';

const DESCRIPTION = `What happened between two moments, newest first: connections, scopes, grants and agents that appeared, grew or vanished, and tokens used
after a rule. Each step of a connection is a line of its own, so a scope that came and went has two lines; for grants of a client and a
resource, one line of each kind stands for any number of them. All pages are about the same two moments. The filters by client and resource choose lines. It takes no \`as_of\`: \`until\` takes its place.`;

@ApiTags('questions')
@Controller('v1/changes')
@RequireRole('audit')
export class ChangesController {
  readonly #questions: Questions;

  constructor(@Inject(QUESTIONS) questions: Questions) {
    this.#questions = questions;
  }

  @Get()
  @ApiQuery({
    name: 'since',
    required: true,
    schema: SINCE as object,
    description:
      'An index of the ledger, a time (RFC 3339), or a duration before `until`: `24h`, `7d`, `30m`. A moment before the first entry means the first entry.',
  })
  @ApiQuery({
    name: 'until',
    required: false,
    schema: MOMENT as object,
    description: 'An index of the ledger or a time (RFC 3339). Default: now.',
  })
  @ApiQuery({
    name: 'kind',
    required: false,
    schema: { type: 'string', enum: [...KINDS] },
    description: 'only lines of this kind',
  })
  @Answers('What is new since a moment', ChangePage, CHANGE_PARAMETERS, DESCRIPTION)
  changes(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<ChangePage> {
    return this.#questions.changes(caller.tenant, query);
  }
}
