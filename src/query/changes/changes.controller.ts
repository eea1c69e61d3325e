import { MOMENT_INPUT } from '../../contracts/index.js';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import type { Questions } from '../questions.pg.js';
import { ChangePage, KINDS } from './answers.js';
import { CHANGE_PARAMETERS } from './changes.pg.js';

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
    schema: MOMENT_INPUT as object,
    description:
      'The moment to begin with. A duration counts back from `until`. A moment before the first entry means the first entry.',
  })
  @ApiQuery({
    name: 'until',
    required: false,
    schema: MOMENT_INPUT as object,
    description: 'The moment to end with. Default: now.',
  })
  @ApiQuery({
    name: 'kind',
    required: false,
    schema: { type: 'string', pattern: `^(?:${KINDS.join('|')})(?:,(?:${KINDS.join('|')}))*$` },
    description: `only lines of these kinds, separated by commas: ${KINDS.join(', ')}`,
  })
  @Answers('What is new since a moment', ChangePage, CHANGE_PARAMETERS, DESCRIPTION)
  changes(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<ChangePage> {
    return this.#questions.changes(caller.tenant, query);
  }
}
