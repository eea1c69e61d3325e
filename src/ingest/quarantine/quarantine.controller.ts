import { Body, Controller, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import { RescindError } from '../../contracts/index.js';
import type { Caller } from '../../control/index.js';
import { jsonBody } from '../../platform/http/index.js';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { OPERATOR, REPLAY, type IsOperator } from '../ingest-tokens.js';
import { ReplayedAnswer, ReplayPage } from '../operator-answers.js';
import { plain, readOperator, readReplayInput, readRowId, ReplayInput } from '../operator-input.js';
import type { Part, Replay, Replayed } from './quarantine-replay.pg.js';

const OPERATOR_QUERY = {
  name: 'operator',
  required: false,
  schema: { type: 'boolean' },
  description: 'true: records of unknown sources. For administrators of the tenant `default`.',
} as const;

/** Replays refused events after a fix. `query` lists them. */
@ApiTags('quarantine')
@RequireRole('admin')
@Controller('v1/quarantine')
export class QuarantineController {
  readonly #replay: Replay;
  readonly #isOperator: IsOperator;

  constructor(@Inject(REPLAY) replay: Replay, @Inject(OPERATOR) isOperator: IsOperator) {
    this.#replay = replay;
    this.#isOperator = isOperator;
  }

  @Post('replay')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Replay refused records, oldest first',
    description:
      'Each record is judged as it came, by the present rights. If it is stored, it leaves quarantine; if it is refused again, it stays with the new reason.',
  })
  @ApiQuery(OPERATOR_QUERY)
  @ApiBody({ schema: plain(ReplayInput), required: false })
  @ApiOkResponse({ schema: plain(ReplayPage) })
  matching(
    @CurrentCaller() caller: Caller,
    @Query() query: unknown,
    @Body(jsonBody) body: unknown,
  ): Promise<{ items: readonly Replayed[]; next?: string }> {
    return this.#replay.matching(this.#partOf(caller, query), readReplayInput(body));
  }

  @Post(':id/replay')
  @HttpCode(200)
  @ApiOperation({ summary: 'Replay one refused record' })
  @ApiParam({ name: 'id', schema: { type: 'string' }, description: 'id from the list' })
  @ApiQuery(OPERATOR_QUERY)
  @ApiOkResponse({ schema: plain(ReplayedAnswer) })
  one(@CurrentCaller() caller: Caller, @Param('id') id: string, @Query() query: unknown): Promise<Replayed> {
    return this.#replay.one(this.#partOf(caller, query), readRowId(id));
  }

  #partOf(caller: Caller, query: unknown): Part {
    if (!readOperator(query)) return caller.tenant;
    if (!this.#isOperator(caller))
      throw new RescindError('forbidden', {
        detail: 'only an administrator of the tenant default sees the operator’s part',
      });
    return null;
  }
}
