import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import * as answers from './answers.js';
import { CONNECTION_PARAMETERS } from './connections.pg.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import { GRANT_PARAMETERS } from './grants.pg.js';
import { QUARANTINED_PARAMETERS, QUARANTINE_PARAMETERS, type QuarantineAsker } from './quarantine.pg.js';
import type { Questions } from '../questions.pg.js';
import { INDEX } from '../ask/parameters.js';
import { PATH_DOCS as PATH } from '../ask/parameter-docs.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import { TOKEN_LOOKUP_PARAMETERS, TOKEN_PARAMETERS } from './tokens.pg.js';

const USAGE_WINDOW = `All pages are about the moment of the first page. \`from\` and \`to\` limit the usage, not the list. In a window at most a million accesses
are counted; \`at_least\` beside a number says that there are more. Each filter has an index.`;

const REFUSED =
  'Records as they are now: the question takes no `as_of`. Refused records are not in the ledger, and are deleted after some days.';

const EVIDENCE = {
  name: 'evidence',
  required: false,
  schema: { type: 'boolean', default: false },
  description:
    'true: adds the evidence file of the entry, which `rescind verify` checks offline; null until a published checkpoint covers the entry',
};

@ApiTags('questions')
@Controller('v1')
@RequireRole('audit')
export class QuestionsController {
  readonly #questions: Questions;

  constructor(@Inject(QUESTIONS) questions: Questions) {
    this.#questions = questions;
  }

  @Get('connections')
  @Answers('Which clients reach which resources', answers.ConnectionPage, CONNECTION_PARAMETERS, USAGE_WINDOW)
  connections(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<answers.ConnectionPage> {
    return this.#questions.connections(caller.tenant, query);
  }

  @Get('grants')
  @Answers('Standing rights, with granted and used scopes', answers.GrantPage, GRANT_PARAMETERS, USAGE_WINDOW)
  grants(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<answers.GrantPage> {
    return this.#questions.grants(caller.tenant, query);
  }

  @Get('tokens')
  @Answers('One token, by issuer and jti or by digest', answers.TokenAnswer, TOKEN_LOOKUP_PARAMETERS)
  tokenByName(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<answers.TokenAnswer> {
    return this.#questions.token.byName(caller.tenant, query);
  }

  @Get('tokens/:id')
  @ApiParam({ name: 'id', schema: PATH.token, description: 'key of the token, from another answer' })
  @Answers('One token: facts, lineage, use, and the rules that stop it', answers.TokenAnswer, TOKEN_PARAMETERS)
  token(
    @CurrentCaller() caller: Asker,
    @Param('id') id: string,
    @Query() query: unknown,
  ): Promise<answers.TokenAnswer> {
    return this.#questions.token.byId(caller.tenant, id, query);
  }

  @Get('entries/:index')
  @ApiParam({ name: 'index', schema: INDEX, description: 'position in the ledger' })
  @Answers(
    'One entry of the ledger, with the data that its leaf hash is computed from',
    answers.EntryAnswer,
    [EVIDENCE],
    'An entry never changes, so it takes no `as_of`.',
  )
  entry(
    @CurrentCaller() caller: Asker,
    @Param('index') index: string,
    @Query() query: unknown,
  ): Promise<answers.EntryAnswer> {
    return this.#questions.entry(caller.tenant, index, query);
  }

  @Get('quarantine')
  @RequireRole('audit', 'admin')
  @Answers('Refused records, newest first', answers.QuarantinePage, QUARANTINE_PARAMETERS, REFUSED)
  quarantine(@CurrentCaller() caller: QuarantineAsker, @Query() query: unknown): Promise<answers.QuarantinePage> {
    return this.#questions.quarantine.list(caller, query);
  }

  @Get('quarantine/:id')
  @RequireRole('audit', 'admin')
  @ApiParam({ name: 'id', schema: PATH.any, description: 'id from the list' })
  @Answers('One refused record', answers.QuarantineItem, QUARANTINED_PARAMETERS, REFUSED)
  quarantined(
    @CurrentCaller() caller: QuarantineAsker,
    @Param('id') id: string,
    @Query() query: unknown,
  ): Promise<answers.QuarantineItem> {
    return this.#questions.quarantine.one(caller, id, query);
  }

  @Get('sequences')
  @RequireRole('audit', 'admin')
  @Answers(
    'Events that never came, by the numbers that sources give their events',
    answers.SequencesAnswer,
    [],
    'Gaps as they are now: the question takes no `as_of`, because their history is not kept.',
  )
  sequences(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<answers.SequencesAnswer> {
    return this.#questions.sequences(caller.tenant, query);
  }
}
