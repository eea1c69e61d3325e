import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import type { Questions } from '../questions.pg.js';
import { PATH_DOCS as PATH } from '../ask/parameter-docs.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import { CoverageAnswer, SourceCheckAnswer } from './answers.js';
import type { CheckAsker } from './check.pg.js';
import { COVERAGE_PARAMETERS } from './coverage.pg.js';

@ApiTags('questions')
@Controller('v1')
export class CoverageController {
  readonly #questions: Questions;

  constructor(@Inject(QUESTIONS) questions: Questions) {
    this.#questions = questions;
  }

  @Get('coverage')
  @RequireRole('audit', 'admin')
  @Answers(
    'Coverage: what Rescind sees of each source, and what it does not',
    CoverageAnswer,
    COVERAGE_PARAMETERS,
    'Sources are those registered now, whatever `as_of` is. Answers about the past leave out sequences, because their history is not kept. Refusals are those still in quarantine. Every page has the findings of all sources.',
  )
  coverage(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<CoverageAnswer> {
    return this.#questions.coverage(caller.tenant, query);
  }

  @Get('sources/:id/check')
  @RequireRole('admin', 'audit', 'emit')
  @ApiParam({ name: 'id', schema: PATH.any, description: 'name or id of a source' })
  @Answers(
    'What arrived from one source, what was refused, and what to do next',
    SourceCheckAnswer,
    [],
    'For the people who connect the source: its own callers (role `emit`) may ask too. The answer is about now: the question takes no `as_of`.',
  )
  check(
    @CurrentCaller() caller: CheckAsker,
    @Param('id') id: string,
    @Query() query: unknown,
  ): Promise<SourceCheckAnswer> {
    return this.#questions.sourceCheck(caller, id, query);
  }
}
