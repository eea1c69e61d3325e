import { applyDecorators, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiResponse, type ApiQueryOptions } from '@nestjs/swagger';
import type { TSchema } from 'typebox';
import { Asks, PayloadsBound, type CallerRoles } from '../../registry/index.js';
import { parameterDocs, type ParameterDoc } from './parameter-docs.js';

/** The part of a caller that a question needs: whose ledger it may read. */
export interface Asker {
  readonly tenant: string;
  readonly roles: CallerRoles;
}

const isName = <N>(parameter: N | ParameterDoc): parameter is N => typeof parameter === 'string';
const described = (
  parameters: readonly (Parameters<typeof parameterDocs>[0][number] | ParameterDoc)[],
): ParameterDoc[] => parameters.flatMap((parameter) => (isName(parameter) ? parameterDocs([parameter]) : [parameter]));

/** Declares summary, parameters and answer of a route. */
export function Answers(
  summary: string,
  schema: TSchema,
  parameters: Parameters<typeof parameterDocs>[0] | readonly ParameterDoc[] = [],
  description?: string,
  asks: 'question' | 'report' = 'question',
): MethodDecorator {
  const documented = described(parameters);
  return applyDecorators(
    Asks(asks),
    // Only reports with a connection of their own are streamed.
    PayloadsBound({ schema, parameters: documented, isFile: asks === 'report' }),
    ApiOperation({ summary, ...(description === undefined ? {} : { description }) }),
    ...documented.map((parameter) => ApiQuery(parameter as ApiQueryOptions)),
    // Serves plain JSON Schema: the round trip drops the symbol members with which TypeBox marks its schemas.
    ApiOkResponse({ schema: JSON.parse(JSON.stringify(schema)) as object }),
    ApiResponse({
      status: 400,
      description:
        'invalid-request, inconsistent-request, invalid-cursor, as-of-out-of-range, time-out-of-range or filter-too-wide (problem+json)',
    }),
    ApiResponse({ status: 404, description: 'not-found: a name in the question was never seen (problem+json)' }),
    Header('cache-control', 'no-store'),
  );
}
