import { Body, Controller, Inject, Post, Res, StreamableFile } from '@nestjs/common';
import {
  ApiBody,
  ApiExtension,
  ApiOperation,
  ApiProduces,
  ApiResponse,
  ApiTags,
  type ApiBodyOptions,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { jsonBody } from '../platform/http/index.js';
import { Asks, CurrentCaller, PayloadsBound, requirePayloads, RequireRole, type Caller } from '../registry/index.js';
import { ExploreAnswer, ExploreRows } from './answers.js';
import type { Explore } from './explore.pg.js';
import { asksForPayloads } from './question/payloads.js';
import { EXPLORE_QUESTION, ROWS_QUESTION } from './question/question-schema.js';
import { EXPLORE } from './tokens.js';
import type { WrittenFile } from './written-file.js';

/** Plain JSON Schema: the round trip drops the symbol members with which TypeBox marks its schemas. */
const schema = (described: object) =>
  ({ schema: JSON.parse(JSON.stringify(described)) }) as Extract<ApiBodyOptions, { schema: unknown }>;

const REFUSED = {
  status: 400,
  description:
    'invalid-request, inconsistent-request, invalid-cursor, as-of-out-of-range, time-out-of-range or filter-too-wide (problem+json)',
};
const UNKNOWN = { status: 404, description: 'not-found: a name in the question was never seen (problem+json)' };
const AWAY = {
  status: 503,
  description: 'not-archived, archive-damaged, engine-unavailable or database-unavailable (problem+json)',
};

@ApiTags('questions')
@Controller('v1/explore')
@RequireRole('audit')
export class ExploreController {
  readonly #explore: Explore;

  constructor(@Inject(EXPLORE) explore: Explore) {
    this.#explore = explore;
  }

  @Post()
  @ApiProduces('application/json', 'text/csv')
  @Asks('report')
  @PayloadsBound({ schema: ExploreAnswer, parameters: [], isFile: false })
  @ApiExtension('x-rescind-reads', true)
  @ApiOperation({
    summary: 'Any question over uses: grouped, filtered, compared, as of any moment',
    description:
      'Answers which groups of uses have which measures. Every dimension can be a group and a filter. The answer covers all uses below `as_of.index`, archived or not. CSV (RFC 4180) has all groups; a cell that a spreadsheet would take for a formula begins with an apostrophe.',
  })
  @ApiBody({ ...schema(EXPLORE_QUESTION), required: false })
  @ApiResponse({ status: 200, description: 'the first groups, or all of them', ...schema(ExploreAnswer) })
  @ApiResponse(REFUSED)
  @ApiResponse(UNKNOWN)
  @ApiResponse(AWAY)
  async explore(
    @CurrentCaller() caller: Caller,
    @Body(jsonBody) body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ExploreAnswer | StreamableFile> {
    requireBound(caller, body);
    const answer = await this.#explore.groups(caller, body);
    void reply.status(200).header('cache-control', 'no-store');
    return sent(answer);
  }

  @Post('rows')
  @ApiProduces('application/json', 'text/csv', 'application/x-ndjson')
  @Asks('report')
  @PayloadsBound({ schema: ExploreRows, parameters: [], isFile: false })
  @ApiExtension('x-rescind-reads', true)
  @ApiOperation({
    summary: 'The uses behind a group',
    description:
      'All pages are about the moment of the first page. A file (`csv`, `jsonl`) is streamed, whatever its length; after a failure the body is cut off. CSV (RFC 4180): a cell that a spreadsheet would take for a formula begins with an apostrophe.',
  })
  @ApiBody({ ...schema(ROWS_QUESTION), required: false })
  @ApiResponse({ status: 200, description: 'a page, or all rows', ...schema(ExploreRows) })
  @ApiResponse(REFUSED)
  @ApiResponse(UNKNOWN)
  @ApiResponse(AWAY)
  async rows(
    @CurrentCaller() caller: Caller,
    @Body(jsonBody) body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ExploreRows | StreamableFile> {
    requireBound(caller, body);
    const answer = await this.#explore.rows(caller, body);
    void reply.status(200).header('cache-control', 'no-store');
    return sent(answer);
  }
}

function sent<Answer extends object>(answer: Answer | WrittenFile): Answer | StreamableFile {
  if (!('contentType' in answer)) return answer;
  const { contentType: type, fileName, body } = answer;
  return new StreamableFile(body, { type, disposition: `attachment; filename="${fileName}"` });
}

function requireBound(caller: Caller, body: unknown): void {
  const asked = asksForPayloads(body);
  if (asked !== undefined) requirePayloads(caller, asked);
}
