import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import type { Questions } from '../questions.pg.js';
import { parameterDocs } from '../ask/parameter-docs.js';
import { LIMIT } from '../ask/parameters.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import { ACCESS_PARAMETERS, MAX_ACCESSES } from './access.pg.js';
import * as answers from './answers.js';
import { COUNT_PARAMETERS, MAX_WALKED } from './counts.pg.js';

const FILTERS =
  'Filters by user, client, agent, resource and token are answered from an index; other filters alone are answered as /v1/explore does, in about a second.';

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
    parameterDocs(ACCESS_PARAMETERS, { limit: { schema: { ...LIMIT, maximum: MAX_ACCESSES } } }),
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
