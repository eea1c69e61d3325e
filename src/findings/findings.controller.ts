import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { FINDING_STATES, MAX_IDENTIFIER_LENGTH, NO_NUL, TIME_INPUT } from '../contracts/index.js';
import { jsonBody, knownQuery } from '../platform/http/index.js';
import { Answers, MAX_TAGS, parameterDocs, TAG, type Asker } from '../query/index.js';
import { Asks, CurrentCaller, maySeePayloads, RequireRole } from '../registry/index.js';
import { KINDS, SEVERITIES } from './detection.js';
import { CHANGE, CHANGE_EXAMPLES } from './states/change-input.js';
import type { FindingStates, Sayer } from './states/states.js';
import { FindingChanges, FindingItem, FindingPage, FindingState } from './ask/answers.js';
import { FINDING_FILTERS, type Findings } from './ask/findings.pg.js';
import { withoutNetworks } from './ask/says.js';

export const FINDINGS = Symbol('rescind.findings');
export const FINDING_STATES_TOKEN = Symbol('rescind.finding-states');

const AS_OF =
  'With `as_of`, findings are as the detections knew them from the entries below that moment, with what the ledger tells that people had said. The past is kept step by step for seven days of the ledger, and day by day before them: `as_of.index` says how far the detections had read.';
const NOW = 'Changes are those of now, so the question takes no `as_of`.';
const several = (values: readonly string[]) => ({
  type: 'string',
  pattern: `^(?:${values.join('|')})(?:,(?:${values.join('|')}))*$`,
});
const TAG_FORM = TAG.pattern.slice(1, -1);
const NAME = { type: 'string', minLength: 1, maxLength: MAX_IDENTIFIER_LENGTH, pattern: NO_NUL } as const;
const plain = (schema: unknown): object => JSON.parse(JSON.stringify(schema)) as object;
const ID = { name: 'id', schema: { type: 'string', minLength: 1 }, description: 'id from the list' } as const;
const EVIDENCE = {
  name: 'evidence',
  required: false,
  schema: { type: 'boolean' },
  description: 'true: adds the evidence files of its entries, which `rescind verify` checks offline',
};
const own = (name: string, schema: object, description: string) =>
  ApiQuery({ name, required: false, schema, description });

@ApiTags('questions')
@Controller('v1/findings')
export class FindingsController {
  readonly #findings: Findings;
  readonly #states: FindingStates;

  constructor(@Inject(FINDINGS) findings: Findings, @Inject(FINDING_STATES_TOKEN) states: FindingStates) {
    this.#findings = findings;
    this.#states = states;
  }

  @Get()
  @RequireRole('audit')
  @own(
    'state',
    several(FINDING_STATES),
    `only findings in these states, separated by commas: ${FINDING_STATES.join(', ')}`,
  )
  @own('severity', { type: 'string', enum: [...SEVERITIES] }, 'only findings of this severity or a higher one')
  @own('kind', several(KINDS), `only findings of these kinds, separated by commas: ${KINDS.join(', ')}`)
  @own('source', NAME, 'only findings about this source: its name or id')
  @own(
    'tag',
    { type: 'string', pattern: `^${TAG_FORM}(?:,${TAG_FORM})*$` },
    `only findings whose user, client, agent or resource has one of these tags in the directory now, separated by commas, at most ${MAX_TAGS}; also by its team or its owner`,
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
    `What the detections found, the newest evidence first, each with who, how often, the entries that show it, and the rule that stops it. ${AS_OF}`,
  )
  async list(@CurrentCaller() caller: Asker, @Query() query: unknown): Promise<FindingPage> {
    const page = await this.#findings.list(caller.tenant, query);
    return maySeePayloads(caller) ? page : { ...page, items: page.items.map(withoutNetworks) };
  }

  @Get(':id')
  @RequireRole('audit')
  @ApiParam(ID)
  @Answers('One finding', FindingItem, [...parameterDocs(['as_of']), EVIDENCE], AS_OF)
  async one(@CurrentCaller() caller: Asker, @Param('id') id: string, @Query() query: unknown): Promise<FindingItem> {
    const finding = await this.#findings.one(caller.tenant, id, query);
    return maySeePayloads(caller) ? finding : withoutNetworks(finding);
  }

  @Get(':id/changes')
  @RequireRole('audit')
  @ApiParam(ID)
  @Answers(
    'What people said of a finding',
    FindingChanges,
    ['limit', 'cursor'],
    `Each change is an entry of the ledger, \`finding.changed\`. ${NOW}`,
  )
  changes(@CurrentCaller() caller: Asker, @Param('id') id: string, @Query() query: unknown): Promise<FindingChanges> {
    return this.#states.changes(caller.tenant, id, query);
  }

  @Post(':id')
  @HttpCode(200)
  @Asks()
  @RequireRole('revoke')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Acknowledge, resolve, mute or reopen a finding',
    description:
      'For callers that may revoke for the whole tenant. Answers when the change is an entry of the ledger. A change that says what was said last is not written again.',
  })
  @ApiParam(ID)
  @ApiBody({ schema: CHANGE as object, examples: CHANGE_EXAMPLES })
  @ApiOkResponse({ schema: plain(FindingState) })
  @ApiResponse({
    status: 400,
    description:
      'invalid-request; inconsistent-request: the finding lacks a name of `same`, its cause has ended, or its kind is muted (problem+json)',
  })
  @ApiResponse({ status: 404, description: 'not-found: there is no finding of this id (problem+json)' })
  @ApiResponse({ status: 409, description: 'edit-conflict: somebody else changed it at the same time (problem+json)' })
  change(
    @CurrentCaller() caller: Sayer,
    @Param('id') id: string,
    @Body(jsonBody) body: unknown,
    @Query(knownQuery()) _query: unknown,
  ): Promise<FindingState> {
    return this.#states.change(caller, id, body);
  }
}
