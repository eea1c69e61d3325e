import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import { parameterDocs } from '../ask/parameter-docs.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import type { Questions } from '../questions.pg.js';
import { BlastAnswer } from './answers.js';
import { BLAST_DOCS, REACH_PARAMETERS } from './parameters.js';

const ABOUT =
  'Default of `since`: 30 days ago. The answer proposes a rule. To order it, add a `reason` of your own and send it to POST /v1/revocations. `preview=false` leaves out its preview, the slower half of the answer.';

@ApiTags('questions')
@Controller('v1')
@RequireRole('audit')
export class ReachController {
  readonly #questions: Questions;

  constructor(@Inject(QUESTIONS) questions: Questions) {
    this.#questions = questions;
  }

  @Get('blast-radius')
  @Answers(
    'The blast radius of something compromised, and the rule that stops exactly that',
    BlastAnswer,
    BLAST_DOCS,
    `Name one user, client, agent, session, ID-JAG or other thing. ${ABOUT}`,
  )
  blast(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<BlastAnswer> {
    return this.#questions.reach.blast(caller, query);
  }

  @Get('reach')
  @Answers(
    'Who reaches a resource, and the rule that stops exactly that',
    BlastAnswer,
    parameterDocs(REACH_PARAMETERS, { resource: { required: true } }),
    ABOUT,
  )
  reach(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<BlastAnswer> {
    return this.#questions.reach.reach(caller, query);
  }
}
