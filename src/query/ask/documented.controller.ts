import { applyDecorators, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiResponse } from '@nestjs/swagger';
import type { TSchema } from 'typebox';
import { Asks } from '../../registry/index.js';
import { parameterDocs } from './parameter-docs.js';

/** The part of a caller that a question needs: whose ledger it may read. */
export interface Asker {
  readonly tenant: string;
}

/** Declares summary, parameters and answer of a route. */
export function Answers(summary: string, schema: TSchema, parameters: Parameters<typeof parameterDocs>[0] = [], description?: string, asks: 'question' | 'report' = 'question'): MethodDecorator {
  return applyDecorators(
    Asks(asks),
    ApiOperation({ summary, ...(description === undefined ? {} : { description }) }),
    ...parameterDocs(parameters).map((parameter) => ApiQuery(parameter)),
    // Serves plain JSON Schema: the round trip drops the symbol members with which TypeBox marks its schemas.
    ApiOkResponse({ schema: JSON.parse(JSON.stringify(schema)) as object }),
    ApiResponse({ status: 400, description: 'invalid-request, invalid-cursor or filter-too-wide (problem+json)' }),
    ApiResponse({ status: 404, description: 'not-found: what the question names was never seen (problem+json)' }),
    Header('cache-control', 'no-store'),
  );
}
