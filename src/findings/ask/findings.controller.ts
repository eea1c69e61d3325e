import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import { TIME_INPUT } from '../../contracts/index.js';
import { Answers, type Asker } from '../../query/index.js';
import { CurrentCaller, RequireRole } from '../../registry/index.js';
import { KINDS, SEVERITIES } from '../detection.js';
import { FindingItem, FindingPage, STATES } from './answers.js';
import { FINDING_FILTERS, type Findings } from './findings.pg.js';

export const FINDINGS = Symbol('rescind.findings');

const NOW = 'Findings are as they are now, so the question takes no `as_of`.';
const own = (name: string, schema: object, description: string) =>
  ApiQuery({ name, required: false, schema, description });

@ApiTags('questions')
@Controller('v1/findings')
@RequireRole('audit')
export class FindingsController {
  readonly #findings: Findings;

  constructor(@Inject(FINDINGS) findings: Findings) {
    this.#findings = findings;
  }

  @Get()
  @own('state', { type: 'string', enum: [...STATES] }, 'only findings in this state')
  @own('severity', { type: 'string', enum: [...SEVERITIES] }, 'only findings of this severity or a higher one')
  @own(
    'kind',
    { type: 'string', pattern: `^(?:${KINDS.join('|')})(?:,(?:${KINDS.join('|')}))*$` },
    `only findings of these kinds, separated by commas: ${KINDS.join(', ')}`,
  )
  @own(
    'from',
    TIME_INPUT as object,
    'only findings with evidence of this time or later; a duration counts back from now',
  )
  @own('to', TIME_INPUT as object, 'only findings with evidence before this time; a duration counts back from now')
  @Answers(
    'What is wrong',
    FindingPage,
    FINDING_FILTERS,
    `What the detections found, the newest evidence first, each with who, how often, the entries that show it, and the rule that stops it. ${NOW}`,
  )
  list(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<FindingPage> {
    return this.#findings.list(caller.tenant, query);
  }

  @Get(':id')
  @ApiParam({ name: 'id', schema: { type: 'string', minLength: 1 }, description: 'id from the list' })
  @Answers('One finding', FindingItem, [], NOW)
  one(@CurrentCaller() caller: Asker, @Param('id') id: string, @Query() query: unknown): Promise<FindingItem> {
    return this.#findings.one(caller.tenant, id, query);
  }
}
