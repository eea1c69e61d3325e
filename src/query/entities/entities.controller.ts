import { applyDecorators, Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import type { TSchema } from 'typebox';
import { TIME_INPUT } from '../../contracts/index.js';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { Answers, type Asker } from '../ask/documented.controller.js';
import type { FilterKind } from '../ask/entity-kinds.js';
import { WORDS } from '../ask/parameters.js';
import { QUESTIONS } from '../ask/query-tokens.js';
import type { Questions } from '../questions.pg.js';
import { AgentPage, ClientPage, ResourcePage, UserPage, type EntityPages } from './answers.js';
import { entitiesParameters, ORDERS, OWNERS, SORT_NAMES } from './entities.pg.js';

const DESCRIPTION = `Each stands once, under the name that the IdP gives it if events tie that name to its own; names that are tied to it are left out. All numbers are
exact, and count standing grants. All pages are about the moment of the first page; the directory is that of now.`;

const Lists = (kind: FilterKind, summary: string, schema: TSchema): MethodDecorator =>
  applyDecorators(
    ApiQuery({
      name: 'sort',
      required: false,
      schema: { type: 'string', enum: [...SORT_NAMES], default: 'grants' },
      description: 'the number that the list is sorted by',
    }),
    ApiQuery({
      name: 'order',
      required: false,
      schema: { type: 'string', enum: [...ORDERS], default: 'desc' },
      description: 'desc: the largest number or the latest time first; what was never used stands before every time',
    }),
    ApiQuery({
      name: 'q',
      required: false,
      schema: WORDS,
      description: 'only those with this text in their name, or in a name or an email address of the directory',
    }),
    ApiQuery({
      name: 'owner',
      required: false,
      schema: { type: 'string', enum: [...OWNERS] },
      description: 'only those without an owner in the directory, or only those with one',
    }),
    ApiQuery({
      name: 'new_since',
      required: false,
      schema: TIME_INPUT as object,
      description:
        'Only those that no entry named before this time. A duration counts back from the moment that the answer is about.',
    }),
    Answers(summary, schema, entitiesParameters(kind), DESCRIPTION),
  );

@ApiTags('questions')
@Controller('v1')
@RequireRole('audit')
export class EntitiesController {
  readonly #questions: Questions;

  constructor(@Inject(QUESTIONS) questions: Questions) {
    this.#questions = questions;
  }

  @Get('users')
  @Lists('user', 'All users, with their grants and when they were last used', UserPage)
  users(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<EntityPages['user']> {
    return this.#questions.entities.user(caller.tenant, query);
  }

  @Get('clients')
  @Lists('client', 'All clients, with their grants and when they were last used', ClientPage)
  clients(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<EntityPages['client']> {
    return this.#questions.entities.client(caller.tenant, query);
  }

  @Get('agents')
  @Lists('agent', 'All agents, with their grants and when they were last used', AgentPage)
  agents(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<EntityPages['agent']> {
    return this.#questions.entities.agent(caller.tenant, query);
  }

  @Get('resources')
  @Lists('resource', 'All resources, with the grants for them and when they were last used', ResourcePage)
  resources(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<EntityPages['resource']> {
    return this.#questions.entities.resource(caller.tenant, query);
  }
}
