import { Controller, Get, Header, Inject, Post, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import type { Caller } from '../../control/index.js';
import { knownQuery } from '../../platform/http/index.js';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { Me, SignInLink } from './answers.js';
import { WEB, type Web } from '../web.js';

const plain = (schema: TSchema) => JSON.parse(JSON.stringify(schema)) as object;

@ApiTags('people')
@Controller('v1')
export class MeController {
  readonly #web: Web;

  constructor(@Inject(WEB) web: Web) {
    this.#web = web;
  }

  @Get('me')
  @RequireRole('audit', 'revoke', 'admin')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Who asks, and what they may do',
    description: 'It is as of now, so the question takes no `as_of`.',
  })
  @ApiOkResponse({ schema: plain(Me) })
  me(
    @CurrentCaller() caller: Caller,
    @Req() { raw }: FastifyRequest,
    @Query(knownQuery()) _query: unknown,
  ): Promise<Me> {
    return this.#web.me(caller, raw);
  }

  @Post('sign-in-links')
  @RequireRole('admin')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Make a link that signs an administrator in to the console, once',
    description: 'For deployments without an identity provider for people, and for the hour in which it is away.',
  })
  @ApiResponse({ status: 201, description: 'the link', schema: plain(SignInLink) } as never)
  link(@CurrentCaller() caller: Caller, @Query(knownQuery()) _query: unknown): Promise<SignInLink> {
    return this.#web.link(caller);
  }
}
