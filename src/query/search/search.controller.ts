import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import type { Questions } from '../questions.pg.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import { SearchAnswer } from './answers.js';
import { SEARCH_PARAMETERS } from './search.pg.js';

@ApiTags('questions')
@Controller('v1/search')
@RequireRole('audit')
export class SearchController {
  readonly #questions: Questions;

  constructor(@Inject(QUESTIONS) questions: Questions) {
    this.#questions = questions;
  }

  @Get()
  @Answers(
    'What a name, id or digest stands for',
    SearchAnswer,
    SEARCH_PARAMETERS,
    'Never send a token. Decode a JWT yourself and ask by `iss` and `jti`; ask about an opaque token by the SHA-256 of its text. A text that looks like a token is refused (`token-in-request`), and is neither stored nor logged. Rules and sources are the present ones.',
  )
  search(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<SearchAnswer> {
    return this.#questions.search(caller, query);
  }
}
