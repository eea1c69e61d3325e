import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import type { Questions } from '../questions.pg.js';
import { parameterDocs } from '../ask/parameter-docs.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import { ACCESS_PARAMETERS } from './access.pg.js';
import * as answers from './answers.js';
import { COUNT_PARAMETERS, MAX_WALKED, WHOLE_HOURS } from './counts.pg.js';

const FILTERS =
  'User, client, agent, resource and token have an index; the other filters are taken only together with one of them.';

@ApiTags('questions')
@Controller('v1/access')
@RequireRole('audit')
export class AccessController {
  readonly #questions: Questions;

  constructor(@Inject(QUESTIONS) questions: Questions) {
    this.#questions = questions;
  }

  @Get()
  @Answers(
    'Who accessed what, newest first',
    answers.AccessPage,
    ACCESS_PARAMETERS,
    `Without \`from\`: the last 30 days. Pages are read as of the first. ${FILTERS} Of an item, /v1/entries/{index} is the event and /v1/tokens/{token} the lineage.`,
  )
  access(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<answers.AccessPage> {
    return this.#questions.access(caller.tenant, query);
  }

  @Get('counts')
  @Answers(
    'How much was accessed, by hour or day',
    answers.AccessCounts,
    parameterDocs(COUNT_PARAMETERS, { from: { schema: WHOLE_HOURS }, to: { schema: WHOLE_HOURS } }),
    `Attributed uses, a summary by its count, under the hour of its beginning; with \`token\` also such as are not attributed. \`from\` and \`to\` are whole hours, days those of UTC. ${FILTERS} Without a filter, or with a client or a resource alone, it is read from what is stored added up; otherwise accesses are counted one by one, at most ${MAX_WALKED.toLocaleString('en')}, the latest: beyond that the total and the earliest bucket say \`at_least\`.`,
  )
  counts(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<answers.AccessCounts> {
    return this.#questions.accessCounts(caller.tenant, query);
  }
}
