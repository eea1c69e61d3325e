import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, requirePayloads, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import type { Questions } from '../questions.pg.js';
import { PATH_DOCS as PATH } from '../ask/parameter-docs.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import { DirectoryPage, EntityAnswer } from './answers.js';
import { DIRECTORY_PARAMETERS } from './directory.pg.js';
import { ENTITY_PARAMETERS } from './entity.pg.js';

@ApiTags('directory')
@Controller('v1')
export class DirectoryController {
  readonly #questions: Questions;

  constructor(@Inject(QUESTIONS) questions: Questions) {
    this.#questions = questions;
  }

  @Get('entities/:id')
  @RequireRole('audit')
  @ApiParam({ name: 'id', schema: PATH.entity, description: 'entity id, from another answer' })
  @Answers(
    'All names of one user, client or other entity, and the event that states each',
    EntityAnswer,
    ENTITY_PARAMETERS,
    'Names that one grant states together belong to one user or client. `weak` names are tied only by an email of the directory. The directory’s entries are the present ones.',
  )
  async entity(
    @CurrentCaller() caller: Asker,
    @Param('id') id: string,
    @Query() query: unknown,
  ): Promise<EntityAnswer> {
    const answer = await this.#questions.entity(caller.tenant, id, query);
    if (answer.kind === 'address') requirePayloads(caller, 'addresses of clients');
    return answer;
  }

  @Get('directory')
  @RequireRole('audit', 'admin')
  @Answers(
    'Entries of the directory: names, owners, teams and tags',
    DirectoryPage,
    DIRECTORY_PARAMETERS,
    'Entries as they are now: the question takes no `as_of`. The directory is a setting, and its history is not kept.',
  )
  list(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<DirectoryPage> {
    return this.#questions.directory(caller.tenant, query);
  }
}
