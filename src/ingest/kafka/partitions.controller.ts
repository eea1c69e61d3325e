import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Caller } from '../../control/index.js';
import { jsonBody, knownQuery } from '../../platform/http/index.js';
import { Asks, CurrentCaller, RequireRole } from '../../registry/index.js';
import { OPERATOR, PARTITIONS, type IsOperator } from '../ingest-tokens.js';
import { PartitionList, ResumedAnswer } from '../operator-answers.js';
import { plain, readPartition, readResumeInput, ResumeInput } from '../operator-input.js';
import type { Partitions, PartitionView, Resumed } from './partitions.js';

@ApiTags('partitions')
@RequireRole('admin')
@Controller('v1/partitions')
export class PartitionsController {
  readonly #partitions: Partitions;
  readonly #isOperator: IsOperator;

  constructor(@Inject(PARTITIONS) partitions: Partitions, @Inject(OPERATOR) isOperator: IsOperator) {
    this.#partitions = partitions;
    this.#isOperator = isOperator;
  }

  @Get()
  @Asks()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'The position of ingest in each partition',
    description:
      'An administrator of the tenant `default` sees all partitions. Positions are the present ones: the question takes no `as_of`.',
  })
  @ApiOkResponse({ schema: plain(PartitionList) })
  async list(
    @CurrentCaller() caller: Caller,
    @Query(knownQuery()) _query: unknown,
  ): Promise<{ partitions: readonly PartitionView[] }> {
    return { partitions: await this.#partitions.list({ ...caller, operator: this.#isOperator(caller) }) };
  }

  @Post(':topic/:partition/resume')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Resume a stopped partition',
    description: 'Skipped records are noted in the ledger (log.gap).',
  })
  @ApiParam({ name: 'topic', schema: { type: 'string' } })
  @ApiParam({ name: 'partition', schema: { type: 'integer' } })
  @ApiBody({ schema: plain(ResumeInput) })
  @ApiOkResponse({ schema: plain(ResumedAnswer) })
  resume(
    @CurrentCaller() caller: Caller,
    @Param('topic') topic: string,
    @Param('partition') partition: string,
    @Body(jsonBody) body: unknown,
  ): Promise<Resumed> {
    const asker = { ...caller, operator: this.#isOperator(caller) };
    return this.#partitions.resume(asker, topic, readPartition(partition), readResumeInput(body));
  }
}
