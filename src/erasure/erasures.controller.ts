import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { TSchema } from 'typebox';
import { jsonBody, knownQuery } from '../platform/http/index.js';
import { CurrentCaller, RequireRole } from '../registry/index.js';
import { Erasure, ErasureInput, ErasureList, ErasurePreview, PreviewInput } from './answers.js';
import type { Asker, Erasures } from './erasures.js';

export const ERASURES = Symbol('rescind.erasures');

const plain = (schema: TSchema): object => JSON.parse(JSON.stringify(schema)) as object;
const OF_NOW = 'Erasures are as they are now, so the question takes no `as_of`.';
const EXAMPLE = { user: { iss: 'https://idp.corp.example', sub: '00u1' } };
const Refused = () =>
  ApiResponse({
    status: 400,
    description:
      'invalid-request, also if the reason names the person; inconsistent-request: the name stands for a person who was erased; token-in-request (problem+json)',
  });

@ApiTags('erasures')
@RequireRole('admin')
@Controller('v1/erasures')
export class ErasuresController {
  readonly #erasures: Erasures;

  constructor(@Inject(ERASURES) erasures: Erasures) {
    this.#erasures = erasures;
  }

  @Post('preview')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Preview the erasure of a person',
    description:
      'Says which names are the person’s alone, how many entries lose their payload and which keep it, which rows and files change, what stays, and which copies an erasure does not reach. It reads the ledger for at most 20 s and changes nothing.',
  })
  @ApiBody({ schema: plain(PreviewInput), examples: { user: { summary: 'A user', value: EXAMPLE } } })
  @ApiOkResponse({ schema: plain(ErasurePreview) })
  @Refused()
  preview(
    @CurrentCaller() caller: Asker,
    @Query(knownQuery()) _query: unknown,
    @Body(jsonBody) body: unknown,
  ): Promise<ErasurePreview> {
    return this.#erasures.preview(caller, body);
  }

  @Post()
  @HttpCode(202)
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Erase a person (GDPR, article 17)',
    description:
      'Begins an erasure, which cannot be undone, and answers before it is done: ask for its state by its id. Events are taken meanwhile. If an erasure of this person runs, the answer is that one.',
  })
  @ApiBody({
    schema: plain(ErasureInput),
    examples: { user: { summary: 'A user', value: { ...EXAMPLE, reason: 'request 2026-117' } } },
  })
  @ApiResponse({ status: 202, description: 'the erasure', schema: plain(Erasure) } as never)
  @Refused()
  order(
    @CurrentCaller() caller: Asker,
    @Query(knownQuery()) _query: unknown,
    @Body(jsonBody) body: unknown,
  ): Promise<Erasure> {
    return this.#erasures.order(caller, body);
  }

  @Get()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Who was erased, by whom and when',
    description: `The newest first, at most 500; no name, only its keyed hash. Each is an entry \`person.erased\` of the ledger once it is done. ${OF_NOW}`,
  })
  @ApiOkResponse({ schema: plain(ErasureList) })
  async list(@CurrentCaller() caller: Asker, @Query(knownQuery()) _query: unknown): Promise<ErasureList> {
    return { erasures: [...(await this.#erasures.list(caller))] };
  }

  @Get(':id')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'One erasure, by id', description: OF_NOW })
  @ApiParam({ name: 'id', schema: { type: 'string', format: 'uuid' }, description: 'id of the erasure' })
  @ApiOkResponse({ schema: plain(Erasure) })
  @ApiResponse({ status: 404, description: 'not-found: there is no erasure of this id (problem+json)' })
  one(@CurrentCaller() caller: Asker, @Param('id') id: string, @Query(knownQuery()) _query: unknown): Promise<Erasure> {
    return this.#erasures.one(caller, id);
  }
}
