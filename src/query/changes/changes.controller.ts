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

const DESCRIPTION = `What happened between two moments, newest first: connections, scopes, grants and agents that appeared, grew or vanished, and what was used
again after a rule. Each step of a connection is a line of its own, so that a scope that came and went is told twice; of a pair of client and
resource one line a kind stands for any number of grants. Pages are of the same two moments as the first. A client and a resource choose lines. It takes no \`as_of\`: \`until\` is that.`;

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
      'an index of the ledger, a time (RFC 3339), or how long before `until`: `24h`, `7d`, `30m`. A moment before the first entry begins with that',
  })
  @ApiQuery({
    name: 'until',
    required: false,
    schema: MOMENT as object,
    description: 'an index of the ledger or a time; without it: now',
  })
  @ApiQuery({
    name: 'kind',
    required: false,
    schema: { type: 'string', enum: [...KINDS] },
    description: 'lines of this kind alone',
  })
  @Answers('What is new since a moment', ChangePage, CHANGE_PARAMETERS, DESCRIPTION)
  changes(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<ChangePage> {
    return this.#questions.changes(caller.tenant, query);
  }
}
