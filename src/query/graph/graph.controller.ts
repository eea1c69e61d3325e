import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import type { Questions } from '../questions.pg.js';
import { GraphAnswer } from './answers.js';
import { GRAPH_PARAMETERS } from './graph.pg.js';

const DESCRIPTION = `Shows clients and resources. Users are counted on clients, unless all of them fit or \`fold=none\` asks for them; with \`fold=teams\` the users of each team of the directory are one node, and their numbers are exact. With \`expand\`: the neighbourhood of
one node, nearest first, with users as nodes; around an issuer they stay folded. An answer has the busiest 200 nodes and 300 connections between them; \`left_out\` counts the others. A filter by client, agent or resource chooses
connections, and counts are those of the connection; with a user they are the user's own. \`from\` and \`to\` limit the accesses that are counted.
For a user or a window at most a million are counted; beyond that \`at_least\` stands beside the number.`;

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
