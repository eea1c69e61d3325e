import { Body, Controller, Get, Header, Inject, Param, Put, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { jsonBody, knownQuery } from '../../platform/http/index.js';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { KINDS } from '../detection.js';
import { ACTION, ACTION_EXAMPLES } from './action-input.js';
import { DetectionItem, DetectionList } from './answers.js';
import type { DetectionActions, Setter } from './detection-actions.js';

export const DETECTION_ACTIONS_TOKEN = Symbol('rescind.detection-actions');

const plain = (schema: unknown): object => JSON.parse(JSON.stringify(schema)) as object;

@ApiTags('detections')
@Controller('v1/detections')
export class DetectionsController {
  readonly #actions: DetectionActions;

  constructor(@Inject(DETECTION_ACTIONS_TOKEN) actions: DetectionActions) {
    this.#actions = actions;
  }

  @Get()
  @RequireRole('audit')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'List the detections: what each looks for, and what it does with a finding by itself',
    description:
      'In the order of the catalogue. An action that nobody has set is `off`. Actions are as they are now, so the question takes no `as_of`.',
  })
  @ApiOkResponse({ schema: plain(DetectionList) })
  list(@CurrentCaller() caller: Setter, @Query(knownQuery()) _query: unknown): Promise<DetectionList> {
    return this.#actions.list(caller.tenant);
  }

  @Put(':kind')
  @RequireRole('admin')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Set what a detection does with a finding by itself',
    description:
      'Counts for findings with evidence after the change. The change is an entry of the ledger, `detection.changed`. Rules that were ordered before stay.',
  })
  @ApiParam({ name: 'kind', schema: { type: 'string', enum: [...KINDS] } })
  @ApiBody({ schema: ACTION as object, examples: ACTION_EXAMPLES })
  @ApiOkResponse({ schema: plain(DetectionItem) })
  set(
    @CurrentCaller() caller: Setter,
    @Param('kind') kind: string,
    @Query(knownQuery()) _query: unknown,
    @Body(jsonBody) body: unknown,
  ): Promise<DetectionItem> {
    return this.#actions.set(caller, kind, body);
  }
}
