import { Controller, Get, Header, Headers, Inject, Param, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiResponse, ApiTags, type OpenAPIObject } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { eventSchema, parseEventType, RescindError } from '../../contracts/index.js';
import { OPEN_API } from '../ask/query-tokens.js';

/** Slot for the OpenAPI document, which can be written only after the application and its modules exist. */
export interface OpenApiSlot {
  document?: OpenAPIObject;
}

const EXTENSION = '.json';

/**
 * Links for somebody who opens the address of a Rescind. They are the same for everybody: they name no tenant and no
 * release.
 */
const INDEX = {
  name: 'Rescind',
  is: 'the place where what applications and AI agents may do for users is seen and stopped',
  next: [
    { href: '/openapi.json', is: 'every endpoint of the API, with an example of each answer' },
    { href: '/health/ready', is: 'whether this process serves and takes events, and why not' },
    { href: '/schemas/dev.rescind.token.issued.v1.json', is: 'the schema of an event; there is one for each type' },
  ],
  documentation: 'README.md and src/query/questions.md of the release; `rescind --help` on the command line',
} as const;

/** Serves the public documents that describe the API. */
@ApiTags('documents')
@Controller()
export class DocumentsController {
  readonly #openApi: OpenApiSlot;

  constructor(@Inject(OPEN_API) openApi: OpenApiSlot) {
    this.#openApi = openApi;
  }

  @Get()
  @ApiOperation({
    summary: 'Links to start from',
    description: 'Public. The answer is the same for everybody, but a browser is sent to the console.',
  })
  @ApiOkResponse({
    description: 'links',
    schema: { type: 'object', title: 'Index', required: ['name', 'next'], example: INDEX },
  })
  @ApiResponse({ status: 302, description: 'the caller prefers HTML: `/console/`' })
  @Header('cache-control', 'public, max-age=3600')
  @Header('vary', 'accept')
  index(
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): typeof INDEX | undefined {
    // Browsers name HTML first; programs take anything or name JSON.
    if (!accept?.startsWith('text/html')) return INDEX;
    void reply.redirect('/console/', 302);
    return undefined;
  }

  @Get('schemas/:file')
  @ApiOperation({ summary: 'JSON Schema of an event type' })
  @ApiParam({ name: 'file', example: 'dev.rescind.token.issued.v1.json', schema: { type: 'string' } })
  @ApiOkResponse({ description: 'JSON Schema 2020-12', schema: { type: 'object', title: 'JsonSchema' } })
  @Header('cache-control', 'public, max-age=3600')
  @Header('content-type', 'application/schema+json')
  schema(@Param('file') file: string): object {
    const name = file.endsWith(EXTENSION) ? parseEventType(file.slice(0, -EXTENSION.length)) : undefined;
    if (name === undefined)
      throw new RescindError('not-found', { detail: 'schemas are served as /schemas/<event type>.json' });
    return eventSchema(name);
  }

  @Get('openapi.json')
  @ApiOperation({ summary: 'This document' })
  @ApiOkResponse({ description: 'OpenAPI 3.1', schema: { type: 'object', title: 'OpenApiDocument' } })
  openApi(): OpenAPIObject {
    if (!this.#openApi.document)
      throw new RescindError('not-found', { detail: 'this process has no OpenAPI document' });
    return this.#openApi.document;
  }
}
