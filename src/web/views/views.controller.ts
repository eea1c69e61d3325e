import { Body, Controller, Delete, Get, Header, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { TSchema } from 'typebox';
import type { Caller } from '../../control/index.js';
import { jsonBody, knownQuery } from '../../platform/http/index.js';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { View, ViewList } from './answers.js';
import { ViewInput } from './inputs.js';
import { ViewsService } from './views.service.js';

const plain = (schema: TSchema) => JSON.parse(JSON.stringify(schema)) as object;
const Named = () => ApiParam({ name: 'id', schema: { type: 'string', format: 'uuid' }, description: 'id of the view' });
const Refused = () => ApiResponse({ status: 400, description: 'invalid-request (problem+json)' });
const Taken = () =>
  ApiResponse({ status: 409, description: 'already-exists: the owner has a view of this name (problem+json)' });
const Forbidden = () =>
  ApiResponse({ status: 403, description: 'forbidden: the view is shared by somebody else (problem+json)' });
const Unknown = () =>
  ApiResponse({ status: 404, description: 'not-found: the caller sees no view of this id (problem+json)' });

@ApiTags('views')
@Controller('v1/views')
@RequireRole('audit', 'admin')
export class ViewsController {
  readonly #views: ViewsService;

  constructor(@Inject(ViewsService) views: ViewsService) {
    this.#views = views;
  }

  @Get()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Views of the console: one’s own, and those that others share',
    description: 'Views are as they are now, so the question takes no `as_of`. They are sorted by name.',
  })
  @ApiOkResponse({ schema: plain(ViewList) })
  list(@CurrentCaller() caller: Caller, @Query(knownQuery()) _query: unknown): Promise<ViewList> {
    return this.#views.list(caller);
  }

  @Post()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Save a view: a page of the console with the search of its URL',
    description:
      'A caller has at most 100 views, a tenant 2,000. A view that is not shared is seen by its owner alone.',
  })
  @ApiBody({ schema: plain(ViewInput) })
  @ApiResponse({ status: 201, description: 'the view', schema: plain(View) } as never)
  @Refused()
  @Taken()
  create(
    @CurrentCaller() caller: Caller,
    @Query(knownQuery()) _query: unknown,
    @Body(jsonBody) body: unknown,
  ): Promise<View> {
    return this.#views.create(caller, body);
  }

  @Put(':id')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Change a view',
    description: 'The owner changes it; a shared one, administrators too.',
  })
  @Named()
  @ApiBody({ schema: plain(ViewInput) })
  @ApiOkResponse({ schema: plain(View) })
  @Refused()
  @Forbidden()
  @Unknown()
  @Taken()
  change(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query(knownQuery()) _query: unknown,
    @Body(jsonBody) body: unknown,
  ): Promise<View> {
    return this.#views.change(caller, id, body);
  }

  @Delete(':id')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Remove a view; the answer is the removed view',
    description: 'The owner removes it; a shared one, administrators too.',
  })
  @Named()
  @ApiOkResponse({ schema: plain(View) })
  @Forbidden()
  @Unknown()
  remove(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query(knownQuery()) _query: unknown,
  ): Promise<View> {
    return this.#views.remove(caller, id);
  }
}
