import { applyDecorators, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiResponse } from '@nestjs/swagger';
import type { TSchema } from 'typebox';
import { Asks } from '../../registry/index.js';
import { parameterDocs } from './parameter-docs.js';

/** Of the caller, a question needs to know whose ledger it may read. */
export interface Asker {
  readonly tenant: string;
}

/** Summary, parameters and answer of a route. */
export function Answers(summary: string, schema: TSchema, parameters: Parameters<typeof parameterDocs>[0] = [], description?: string, asks: 'question' | 'report' = 'question'): MethodDecorator {
  return applyDecorators(
    Asks(asks),
    ApiOperation({ summary, ...(description === undefined ? {} : { description }) }),
    ...parameterDocs(parameters).map((parameter) => ApiQuery(parameter)),
    // What is served is plain JSON Schema; TypeBox marks its schemas with members of its own.
    ApiOkResponse({ schema: JSON.parse(JSON.stringify(schema)) as object }),
    ApiResponse({ status: 400, description: 'invalid-request, invalid-cursor or filter-too-wide (problem+json)' }),
    ApiResponse({ status: 404, description: 'not-found: what the question names was never seen (problem+json)' }),
    Header('cache-control', 'no-store'),
  );
}
