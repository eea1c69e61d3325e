import { Controller, Get, Header, Inject, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags, type OpenAPIObject } from '@nestjs/swagger';
import { eventSchema, parseEventType, RescindError } from '../contracts/index.js';
import { OPEN_API } from './query-tokens.js';

/** Made from the application, which exists only after its modules. */
export interface OpenApiSlot {
  document?: OpenAPIObject;
}

const EXTENSION = '.json';

/** What describes the interface; public. */
@ApiTags('documents')
@Controller()
export class DocumentsController {
  readonly #openApi: OpenApiSlot;

  constructor(@Inject(OPEN_API) openApi: OpenApiSlot) {
    this.#openApi = openApi;
  }

  @Get('schemas/:file')
  @ApiOperation({ summary: 'JSON Schema of an event type' })
  @ApiParam({ name: 'file', example: 'dev.rescind.token.issued.v1.json', schema: { type: 'string' } })
  @ApiOkResponse({ description: 'JSON Schema 2020-12', schema: { type: 'object' } })
  @Header('cache-control', 'public, max-age=3600')
  @Header('content-type', 'application/schema+json')
  schema(@Param('file') file: string): object {
    const name = file.endsWith(EXTENSION) ? parseEventType(file.slice(0, -EXTENSION.length)) : undefined;
    if (name === undefined) throw new RescindError('not-found', { detail: 'schemas are served as /schemas/<event type>.json' });
    return eventSchema(name);
  }

  @Get('openapi.json')
  @ApiOperation({ summary: 'This document' })
  @ApiOkResponse({ description: 'OpenAPI 3.1', schema: { type: 'object' } })
  openApi(): OpenAPIObject {
    if (!this.#openApi.document) throw new RescindError('not-found', { detail: 'this process describes no interface' });
    return this.#openApi.document;
  }
}
