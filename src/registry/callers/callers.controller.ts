import { Body, Controller, Delete, Get, Header, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Caller } from '../../control/index.js';
import { jsonBody, knownQuery } from '../../platform/http/index.js';
import { CALLER, CREATED_CALLER, CREATED_SECRET, answer, listOf, openApi } from '../api-schemas.js';
import { CurrentCaller, RequireRole } from './caller.guard.js';
import type { CreatedCaller, CreatedSecret } from './callers.js';
import { CallerInput, CallerUpdate, SecretInput } from '../inputs.js';
import type { Registry } from '../registry.js';
import { REGISTRY } from '../tokens.js';
import type { CallerView } from '../views.js';

const OF_NOW =
  'Callers as they are now: the question takes no `as_of`. Each change is an entry `caller.changed` of the ledger.';

@ApiTags('callers')
@RequireRole('admin')
@Controller('v1/callers')
export class CallersController {
  readonly #registry: Registry;

  constructor(@Inject(REGISTRY) registry: Registry) {
    this.#registry = registry;
  }

  @Post()
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: "Register a client of Rescind's own API" })
  @ApiBody({ schema: openApi(CallerInput) })
  @ApiResponse(answer(201, 'the caller with its secret', CREATED_CALLER))
  create(@CurrentCaller() caller: Caller, @Body(jsonBody) body: unknown): Promise<CreatedCaller> {
    return this.#registry.createCaller(caller, body);
  }

  @Get()
  @ApiOperation({ summary: 'The callers of the tenant', description: OF_NOW })
  @ApiResponse(answer(200, 'callers', listOf('CallerList', 'callers', CALLER)))
  list(@CurrentCaller() caller: Caller, @Query(knownQuery()) _query: unknown): { callers: readonly CallerView[] } {
    return { callers: this.#registry.listCallers(caller) };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One caller', description: OF_NOW })
  @ApiResponse(answer(200, 'the caller', CALLER))
  read(@CurrentCaller() caller: Caller, @Param('id') id: string, @Query(knownQuery()) _query: unknown): CallerView {
    return this.#registry.getCaller(caller, id);
  }

  @Put(':id')
  @ApiOperation({
    summary: 'Replace the roles of a caller',
    description: 'The answer comes when no process applies the old roles any more.',
  })
  @ApiBody({ schema: openApi(CallerUpdate) })
  @ApiResponse(answer(200, 'the caller after the change', CALLER))
  update(@CurrentCaller() caller: Caller, @Param('id') id: string, @Body(jsonBody) body: unknown): Promise<CallerView> {
    return this.#registry.updateCaller(caller, id, body);
  }

  @Post(':id/disable')
  @HttpCode(200)
  @ApiOperation({ summary: 'Disable a caller' })
  @ApiResponse(answer(200, 'the caller after the change', CALLER))
  disable(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<CallerView> {
    return this.#registry.disableCaller(caller, id);
  }

  @Post(':id/secrets')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Add a secret, to rotate secrets',
    description: 'A caller has at most two secrets at a time.',
  })
  @ApiBody({ schema: openApi(SecretInput), required: false })
  @ApiResponse(answer(201, 'the secret', CREATED_SECRET))
  addSecret(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body(jsonBody) body: unknown,
  ): Promise<CreatedSecret> {
    return this.#registry.addSecret(caller, id, body);
  }

  @Delete(':id/secrets/:secretId')
  @ApiOperation({
    summary: 'Remove a secret',
    description: 'The answer comes when no process accepts the secret any more.',
  })
  @ApiResponse(answer(200, 'the caller after the change', CALLER))
  removeSecret(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Param('secretId') secretId: string,
  ): Promise<CallerView> {
    return this.#registry.removeSecret(caller, id, secretId);
  }
}
