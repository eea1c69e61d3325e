import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import { TIME_INPUT } from '../../contracts/index.js';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import type { Questions } from '../questions.pg.js';
import { MatrixAnswer } from './answers.js';
import { MATRIX_PARAMETERS } from './matrix.pg.js';

const DESCRIPTION = `Shows every client, agent and resource, and a cell for each client at a resource. A client stands once, under the name that the IdP gives it if events tie
that name to its own. Filters choose connections; counts are those of the connection, for all its agents. Nothing is left out and all numbers are exact: over 20,000
connections are \`filter-too-wide\`.`;

@ApiTags('questions')
@Controller('v1/matrix')
@RequireRole('audit')
export class MatrixController {
  readonly #questions: Questions;

  constructor(@Inject(QUESTIONS) questions: Questions) {
    this.#questions = questions;
  }

  @Get()
  @ApiQuery({
    name: 'used_since',
    required: false,
    schema: TIME_INPUT as object,
    description:
      'A connection whose last allowed use is earlier is `dormant`. A duration counts back from the moment that the answer is about. Default: `30d`.',
  })
  @Answers(
    'All clients, agents and resources, and what each uses of what it may',
    MatrixAnswer,
    MATRIX_PARAMETERS,
    DESCRIPTION,
  )
  matrix(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<MatrixAnswer> {
    return this.#questions.matrix(caller.tenant, query);
  }
}
