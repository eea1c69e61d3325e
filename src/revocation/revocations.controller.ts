import { Body, Controller, Get, Headers, Inject, Param, Post, Query, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiExtension,
  ApiHeader,
  ApiOperation,
  ApiQuery,
  ApiResponse,
  ApiTags,
  type ApiBodyOptions,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Caller } from '../control/index.js';
import { jsonBody, knownQuery } from '../platform/http/index.js';
import { Asks, CurrentCaller, RequireRole } from '../registry/index.js';
import { prefersAsync, prefersMinimal } from './prefer.js';
import { LIFT, ORDER, PREVIEW } from './order-schema.js';
import {
  ACCEPTED,
  FORESEEN,
  LIFT_CONFIRMATION,
  ORDER_CONFIRMATION,
  RULE,
  RULE_PAGE,
  STANDING,
  UNCONFIRMED,
} from './revocation-schemas.js';
import {
  IDEMPOTENCY_KEY,
  type Accepted,
  type Foreseen,
  type LiftConfirmation,
  type OrderConfirmation,
  type Revocations,
  type Wish,
} from './revocations.js';
import { RULE_STATES, type RuleView } from './recorded/rule-view.js';
import {
  DEFAULT_PAGE,
  EFFECTS,
  MAX_PAGE,
  type RulePage,
  type RuleQuery,
  type Standing,
} from './recorded/shown-rules.js';
import { REVOCATIONS } from './tokens.js';

const schema = (described: object) => ({ schema: described }) as Extract<ApiBodyOptions, { schema: unknown }>;

const ONE_STATE = `(?:${RULE_STATES.join('|')})`;
const LIST_OF_STATES = `^${ONE_STATE}(?:,${ONE_STATE})*$`;

const OF_NOW =
  'Rules as they are now: the question takes no `as_of`. `GET /v1/tokens` with `as_of` says what stopped a token at a moment. Each order and lift is an entry of the ledger.';

/** The answer 503 with the rule's id: stored, but not known to be in force. */
const NOT_CONFIRMED = {
  status: 503,
  description:
    'The rule is stored but not confirmed to be in force. The body has its `id` and `seq`; repeat the request (problem+json).',
};

const appliedTo = (prefer: string | undefined): Readonly<Record<string, string>> =>
  prefersMinimal(prefer) ? { 'preference-applied': 'return=minimal' } : {};
const wishOf = (prefer: string | undefined): Wish => (prefersMinimal(prefer) ? 'minimal' : 'all');

@ApiTags('revocations')
@Controller('v1/revocations')
export class RevocationsController {
  readonly #revocations: Revocations;

  constructor(@Inject(REVOCATIONS) revocations: Revocations) {
    this.#revocations = revocations;
  }

  @Post()
  @RequireRole('revoke')
  @ApiOperation({
    summary: 'Order a revocation or a block',
    description: 'The answer comes when no node and no guard says active any more for a token that the rule stops.',
  })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    schema: IDEMPOTENCY_KEY,
    description: 'A retry with the same key orders nothing new and waits for the same rule. Keys are kept for 48 h.',
  })
  @ApiHeader({
    name: 'Prefer',
    required: false,
    description:
      '`respond-async`: answer 202 as soon as the rule is stored, before it is in force. `return=minimal`: leave out `hits`, `unknown` and `other_rules` (RFC 7240).',
  })
  @ApiBody(schema(ORDER))
  @ApiResponse({ status: 201, description: 'in force', ...schema(ORDER_CONFIRMATION) })
  @ApiResponse({
    status: 200,
    description: 'in force; an earlier request with this Idempotency-Key ordered the rule',
    ...schema(ORDER_CONFIRMATION),
  })
  @ApiResponse({
    status: 202,
    description: 'Stored, perhaps not yet in force (`Prefer: respond-async`). Ask the URL in `Location`.',
    ...schema(ACCEPTED),
  })
  @ApiResponse({
    status: 400,
    description:
      'The body is no valid order; or `confirmation-required`: the rule would hit a larger share than is allowed without `confirm`. Nothing was ordered (problem+json).',
    ...schema(UNCONFIRMED),
  })
  @ApiResponse({ status: 422, description: 'the Idempotency-Key was used with another body (problem+json)' })
  @ApiResponse(NOT_CONFIRMED)
  async order(
    @CurrentCaller() caller: Caller,
    @Body(jsonBody) body: unknown,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Headers('prefer') prefer: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Omit<OrderConfirmation, 'replayed'> | Accepted> {
    if (prefersAsync(prefer)) {
      const accepted = await this.#revocations.orderAsync(caller, body, idempotencyKey);
      void reply
        .status(202)
        .header('location', `/v1/revocations/${accepted.id}`)
        .header('preference-applied', 'respond-async');
      return accepted;
    }
    const { replayed, ...confirmation } = await this.#revocations.order(caller, body, idempotencyKey, wishOf(prefer));
    void reply
      .status(replayed ? 200 : 201)
      .header('location', `/v1/revocations/${confirmation.id}`)
      .headers(appliedTo(prefer));
    return confirmation;
  }

  @Post(':id/lift')
  @RequireRole('revoke')
  @ApiOperation({
    summary: 'Lift a block',
    description: 'Tokens granted before the lift stay revoked, unless `resume` is true.',
  })
  @ApiHeader({ name: 'Prefer', required: false, description: '`return=minimal`: leave out `other_rules` (RFC 7240)' })
  @ApiBody({ ...schema(LIFT), required: false })
  @ApiResponse({ status: 200, description: 'lifted', ...schema(LIFT_CONFIRMATION) })
  @ApiResponse({ status: 409, description: 'the rule is no block, or is already lifted (problem+json)' })
  @ApiResponse(NOT_CONFIRMED)
  async lift(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body(jsonBody) body: unknown,
    @Headers('prefer') prefer: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Omit<LiftConfirmation, 'replayed'>> {
    const { replayed: _, ...confirmation } = await this.#revocations.lift(caller, id, body, wishOf(prefer));
    void reply.status(200).headers(appliedTo(prefer));
    return confirmation;
  }

  @Post('preview')
  @Asks()
  @RequireRole('revoke', 'audit')
  @ApiOperation({ summary: 'Count what a rule would stop', description: 'Nothing is ordered.' })
  @ApiExtension('x-rescind-reads', true)
  @ApiBody(schema(PREVIEW))
  @ApiResponse({ status: 200, description: 'counted now', ...schema(FORESEEN) })
  @ApiResponse({
    status: 400,
    description: 'The body is no valid order; or `filter-too-wide`: it could not be counted in 15 s (problem+json).',
  })
  async preview(
    @CurrentCaller() caller: Caller,
    @Body(jsonBody) body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Foreseen> {
    const preview = await this.#revocations.foresee(caller, body);
    void reply.status(200);
    return preview;
  }

  @Get()
  @Asks()
  @RequireRole('revoke', 'audit')
  @ApiOperation({
    summary: 'Rules, newest first',
    description: `${OF_NOW} A page of a filtered list may be short or empty and have \`next\` all the same.`,
  })
  @ApiQuery({
    name: 'limit',
    required: false,
    schema: { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE },
  })
  @ApiQuery({ name: 'cursor', required: false, schema: { type: 'string' }, description: '`next` of the previous page' })
  @ApiQuery({
    name: 'state',
    required: false,
    schema: { type: 'string', pattern: LIST_OF_STATES, example: 'live,turned-revoke' },
    description: `only rules in one of these states, with commas between them: ${RULE_STATES.join(', ')}`,
  })
  @ApiQuery({
    name: 'effect',
    required: false,
    schema: { type: 'string', enum: [...EFFECTS] },
    description: 'only rules that were ordered with this effect',
  })
  @ApiResponse({ status: 200, description: 'a page', ...schema(RULE_PAGE) })
  list(
    @CurrentCaller() caller: Caller,
    @Query(knownQuery('cursor', 'limit', 'state', 'effect')) query: RuleQuery,
  ): Promise<RulePage> {
    return this.#revocations.list(caller, query);
  }

  @Get('standing')
  @RequireRole('audit')
  @ApiOperation({
    summary: 'How many rules stop something now, and how many nodes and guards apply them',
    description: `${OF_NOW} The numbers come from the memory of the process that answers.`,
  })
  @ApiResponse({ status: 200, description: 'counted now', ...schema(STANDING) })
  standing(@CurrentCaller() caller: Caller, @Query(knownQuery()) _query: unknown): Standing {
    return this.#revocations.standing(caller);
  }

  @Get(':id')
  @Asks()
  @RequireRole('revoke', 'audit')
  @ApiOperation({ summary: 'One rule', description: OF_NOW })
  @ApiResponse({ status: 200, description: 'the rule', ...schema(RULE) })
  read(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query(knownQuery()) _query: unknown,
  ): Promise<RuleView> {
    return this.#revocations.read(caller, id);
  }
}
