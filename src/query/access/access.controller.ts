import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import type { Questions } from '../questions.pg.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import { ACCESS_PARAMETERS } from './access.pg.js';
import * as answers from './answers.js';
import { COUNT_PARAMETERS, MAX_WALKED } from './counts.pg.js';

const FILTERS =
  'The filters by user, client, agent, resource and token have an index; every other filter needs one of these beside it.';

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
    `Default of \`from\`: 30 days ago. All pages are about the moment of the first page. ${FILTERS} /v1/entries/{index} has the event of an item, /v1/tokens/{token} the lineage of its token.`,
  )
  access(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<answers.AccessPage> {
    return this.#questions.access(caller.tenant, query);
  }

  @Get('counts')
  @Answers(
    'How much was accessed, by hour or day',
    answers.AccessCounts,
    COUNT_PARAMETERS,
    `Counts attributed uses. A summary counts with its number of calls, in the hour of its beginning. With \`token\`, uses that are not attributed count too. \`from\` and \`to\` are whole hours of UTC, and a duration begins with its hour; days are those of UTC. ${FILTERS} Without a filter, or with only a client or a resource, the answer comes from stored sums. Otherwise accesses are counted one by one, the latest first, at most ${MAX_WALKED.toLocaleString('en')}; beyond that the total and the earliest bucket say \`at_least\`.`,
  )
  counts(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<answers.AccessCounts> {
    return this.#questions.accessCounts(caller.tenant, query);
  }
}
