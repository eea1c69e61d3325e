import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import { parameterDocs } from '../ask/parameter-docs.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import type { Questions } from '../questions.pg.js';
import { TimelinePage } from './answers.js';
import { TIMELINE_KIND, TIMELINE_PARAMETERS } from './timeline.pg.js';

const DESCRIPTION = `Everything that happened to one user, client, agent or resource, under all its names, or to one token, newest first: grants, uses, rules, refusals by
introspection, and what sources said of it. Name one of them. A token has what it came from in place of grants. Uses are folded: a run has one client, resource and outcome, and ends at its hour or day and at every rule, account or connection line, so the
list reads from top to bottom. The accesses of all runs add up to what \`/v1/access/counts\` says. Grants stand where they became known, all else where it happened.`;

@ApiTags('questions')
@Controller('v1/timeline')
@RequireRole('audit')
export class TimelineController {
  readonly #questions: Questions;

  constructor(@Inject(QUESTIONS) questions: Questions) {
    this.#questions = questions;
  }

  @Get()
  @ApiQuery({
    name: 'kind',
    required: false,
    schema: TIMELINE_KIND as object,
    description: 'only lines of these kinds, separated by commas: `rule,account`',
  })
  @Answers(
    'What happened to one user, client, agent, resource or token',
    TimelinePage,
    parameterDocs(TIMELINE_PARAMETERS, {
      by: { description: 'length of the intervals at which runs of uses and of grants end' },
      from: {
        description:
          'Only what happened at this time or later. A duration counts back from the moment that the answer is about.',
      },
      to: {
        description:
          'Only what happened before this time. A duration counts back from the moment that the answer is about.',
      },
    }),
    DESCRIPTION,
  )
  timeline(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<TimelinePage> {
    return this.#questions.timeline(caller.tenant, query);
  }
}
