import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import type { Questions } from '../questions.pg.js';
import { GraphAnswer } from './answers.js';
import { GRAPH_PARAMETERS } from './graph.pg.js';

const DESCRIPTION = `Clients and resources, with users counted on clients unless they fit or \`fold=none\` asks for them; with \`expand\` the neighbourhood of
one node, nearest first, users as nodes; of an issuer's node they stay folded. At most 200 nodes and 300 connections between them, the busiest; \`left_out\` counts the others. A client, agent or resource filter chooses
connections, and the counts are those of the connection; of a user they are the user's own. \`from\` and \`to\` bound the accesses that are counted:
of users and windows at most a million are counted, and beyond them \`at_least\` stands beside the number.`;

@ApiTags('questions')
@Controller('v1/graph')
@RequireRole('audit')
export class GraphController {
  readonly #questions: Questions;

  constructor(@Inject(QUESTIONS) questions: Questions) {
    this.#questions = questions;
  }

  @Get()
  @Answers('Who is connected to what', GraphAnswer, GRAPH_PARAMETERS, DESCRIPTION)
  graph(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<GraphAnswer> {
    return this.#questions.graph(caller.tenant, query);
  }
}
