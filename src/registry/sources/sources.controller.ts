import { Body, Controller, Get, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Caller } from '../../control/index.js';
import { jsonBody, knownQuery } from '../../platform/http/index.js';
import { SOURCE, answer, listOf, openApi } from '../api-schemas.js';
import { CurrentCaller, RequireRole } from '../callers/caller.guard.js';
import { SourceInput, SourceUpdate } from '../inputs.js';
import type { Registry } from '../registry.js';
import { SOURCE_CONDITIONS } from './source-check.js';
import { REGISTRY } from '../tokens.js';
import type { SourceView } from '../views.js';

const OF_NOW =
  'Sources as they are now: the question takes no `as_of`. Each change is an entry `source.changed` of the ledger.';

@ApiTags('sources')
@RequireRole('admin')
@Controller('v1/sources')
export class SourcesController {
  readonly #registry: Registry;

  constructor(@Inject(REGISTRY) registry: Registry) {
    this.#registry = registry;
  }

  @Post()
  @ApiOperation({ summary: 'Register a producer of events, and create its topic' })
  @ApiBody({ schema: openApi({ ...SourceInput, ...SOURCE_CONDITIONS }) })
  @ApiResponse(answer(201, 'the source', SOURCE))
  create(@CurrentCaller() caller: Caller, @Body(jsonBody) body: unknown): Promise<SourceView> {
    return this.#registry.createSource(caller, body);
  }

  @Get()
  @ApiOperation({ summary: 'The sources of the tenant', description: OF_NOW })
  @ApiResponse(answer(200, 'sources', listOf('SourceList', 'sources', SOURCE)))
  list(@CurrentCaller() caller: Caller, @Query(knownQuery()) _query: unknown): { sources: readonly SourceView[] } {
    return { sources: this.#registry.listSources(caller) };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One source, by name or id', description: OF_NOW })
  @ApiResponse(answer(200, 'the source', SOURCE))
  read(@CurrentCaller() caller: Caller, @Param('id') id: string, @Query(knownQuery()) _query: unknown): SourceView {
    return this.#registry.getSource(caller, id);
  }

  @Put(':id')
  @ApiOperation({
    summary: 'Replace a source’s settings, except its name and URI',
    description:
      'The answer comes when no process applies the old settings any more. A member that is left out gets its default, except `signature` and `disabled`, which stay as they are. The answer of the `GET` can be sent back: the members that cannot change are compared.',
  })
  @ApiBody({ schema: openApi({ ...SourceUpdate, ...SOURCE_CONDITIONS }) })
  @ApiResponse(answer(200, 'the source after the change', SOURCE))
  update(@CurrentCaller() caller: Caller, @Param('id') id: string, @Body(jsonBody) body: unknown): Promise<SourceView> {
    return this.#registry.updateSource(caller, id, body);
  }

  @Post(':id/disable')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Disable a source: no more events are accepted from it',
    description:
      'Events that it sent stay in the ledger. Its keys verify nothing any more, and its tokens are inactive.',
  })
  @ApiResponse(answer(200, 'the source after the change', SOURCE))
  disable(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<SourceView> {
    return this.#registry.disableSource(caller, id);
  }
}
