import { Body, Controller, Get, Header, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Caller } from '../control/index.js';
import { jsonBody, knownQuery } from '../platform/http/index.js';
import { CREATED_TENANT, TENANT, answer, listOf, openApi } from './api-schemas.js';
import { CurrentCaller, RequireRole } from './callers/caller.guard.js';
import { TenantInput } from './inputs.js';
import type { Registry } from './registry.js';
import type { CreatedTenant } from './tenants.js';
import { REGISTRY } from './tokens.js';
import type { TenantView } from './views.js';

const OF_NOW =
  'Tenants as they are now: the question takes no `as_of`. Each change is an entry `tenant.changed` of the ledger.';

@ApiTags('tenants')
@RequireRole('admin')
@Controller('v1/tenants')
export class TenantsController {
  readonly #registry: Registry;

  constructor(@Inject(REGISTRY) registry: Registry) {
    this.#registry = registry;
  }

  @Post()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Create a tenant and its first administrator',
    description: 'For administrators of the tenant `default`.',
  })
  @ApiBody({ schema: openApi(TenantInput) })
  @ApiResponse(answer(201, 'the tenant, and the administrator with its secret', CREATED_TENANT))
  create(@CurrentCaller() caller: Caller, @Body(jsonBody) body: unknown): Promise<CreatedTenant> {
    return this.#registry.createTenant(caller, body);
  }

  @Get()
  @ApiOperation({ summary: 'The tenants that the caller may see', description: OF_NOW })
  @ApiResponse(answer(200, 'tenants', listOf('TenantList', 'tenants', TENANT)))
  list(@CurrentCaller() caller: Caller, @Query(knownQuery()) _query: unknown): { tenants: readonly TenantView[] } {
    return { tenants: this.#registry.listTenants(caller) };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One tenant, by name or id', description: OF_NOW })
  @ApiResponse(answer(200, 'the tenant', TENANT))
  read(@CurrentCaller() caller: Caller, @Param('id') id: string, @Query(knownQuery()) _query: unknown): TenantView {
    return this.#registry.getTenant(caller, id);
  }
}
