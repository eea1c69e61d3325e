import { Controller, Get, Headers, Inject, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../../control/index.js';
import { knownQuery } from '../../platform/http/index.js';
import { CurrentCaller, IDENTIFY, RequireRole, type Identify } from '../../registry/index.js';
import type { Watch } from './watch.js';
import { WATCH_EVENTS } from './described.js';

export const WATCH = Symbol('rescind.watch');

@ApiTags('stream')
@Controller('v1/stream')
@RequireRole('audit')
export class WatchController {
  readonly #watch: Watch;

  readonly #identify: Identify;

  constructor(@Inject(WATCH) watch: Watch, @Inject(IDENTIFY) identify: Identify) {
    this.#watch = watch;
    this.#identify = identify;
  }

  @Get()
  @ApiOperation({
    summary: 'What happens now: findings, rules as they come into force node by node, and coverage',
    description: WATCH_EVENTS,
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    schema: { type: 'string', pattern: '^[0-9]+\\.[0-9]+$' },
    description: 'id of the last event that was read: the stream goes on there',
  })
  @ApiProduces('text/event-stream')
  @ApiResponse({
    status: 200,
    description: 'the stream',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  })
  @ApiResponse({
    status: 400,
    description: 'invalid-request: `Last-Event-ID` is not an id of this stream (problem+json)',
  })
  @ApiResponse({
    status: 429,
    description: 'too-many-requests: the caller, its tenant or the process has too many streams (problem+json)',
  })
  async open(
    @CurrentCaller() caller: Caller,
    @Query(knownQuery()) _query: unknown,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() { ip, raw }: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const identifyAgain = () => this.#identify(raw, ip);
    await this.#watch.open({ caller, identifyAgain, lastEventId }, () => {
      reply.hijack();
      return reply.raw;
    });
  }
}
