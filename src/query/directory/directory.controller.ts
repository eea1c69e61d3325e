import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
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
  @ApiParam({ name: 'id', schema: PATH.entity, description: 'entity id, as other answers give it' })
  @Answers(
    'All names of one user, client or other thing, and which event states each',
    EntityAnswer,
    ENTITY_PARAMETERS,
    'Names that one grant states together are one user or client. `weak` names are tied by an email of the directory alone; what the directory says is of now.',
  )
  entity(@CurrentCaller() caller: Asker, @Param('id') id: string, @Query() query: unknown): Promise<EntityAnswer> {
    return this.#questions.entity(caller.tenant, id, query);
  }

  @Get('directory')
  @RequireRole('audit', 'admin')
  @Answers(
    'Names, owners and teams, as they were put',
    DirectoryPage,
    DIRECTORY_PARAMETERS,
    'Of now: it takes no `as_of`. The directory is a setting, of which no history is kept.',
  )
  list(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<DirectoryPage> {
    return this.#questions.directory(caller.tenant, query);
  }
}
