import { Type, type Static, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import {
  MAX_IDENTIFIER_LENGTH,
  nameSchemas,
  NOT_BLANK,
  readTime,
  REJECT_CODES,
  RescindError,
  TIME_FORMS,
  timeInput,
  type TimeInput,
} from '../contracts/index.js';
import type { ResumePoint } from './kafka/partition.js';
import { MAX_REPLAYED, type ReplayFilter } from './quarantine/quarantine-replay.pg.js';

const closed = { additionalProperties: false } as const;
const POSITION = '^(0|[1-9][0-9]{0,18})$';
const MAX_INT64 = 2n ** 63n - 1n;

export const ReplayInput = Type.Object(
  {
    source: Type.Optional(
      Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', description: 'id of a source' }),
    ),
    code: Type.Optional(Type.Enum(Object.keys(REJECT_CODES))),
    from: Type.Optional(Type.Unsafe<TimeInput>(timeInput('only records refused at this time or later'))),
    to: Type.Optional(Type.Unsafe<TimeInput>(timeInput('only records refused before this time'))),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_REPLAYED })),
    after: Type.Optional(Type.String({ pattern: POSITION, description: '`next` of the previous call' })),
  },
  closed,
);

export const ResumeInput = Type.Object(
  {
    at: Type.String({
      pattern: '^(stored|earliest|latest|0|[1-9][0-9]{0,18})$',
      description: '`stored`, `earliest`, `latest`, or an offset',
    }),
    reason: Type.String({ minLength: 1, maxLength: MAX_IDENTIFIER_LENGTH, pattern: NOT_BLANK }),
  },
  closed,
);

nameSchemas({ ReplayInput, ResumeInput });

const replayInput = Compile(ReplayInput);
const resumeInput = Compile(ResumeInput);

/** `now`: epoch seconds, where durations begin. */
export function readReplayInput(body: unknown, now = Math.floor(Date.now() / 1000)): ReplayFilter {
  const { from, to, after, ...input } = checked(replayInput, body ?? {}) as Static<typeof ReplayInput>;
  return {
    ...input,
    ...(from === undefined ? {} : { from: readTime('from', from, now)! }),
    ...(to === undefined ? {} : { to: readTime('to', to, now)! }),
    // No record has a larger id than PostgreSQL can hold, so nothing comes after such a one either.
    ...(after === undefined ? {} : { after: BigInt(after) > MAX_INT64 ? String(MAX_INT64) : after }),
  };
}

export function readResumeInput(body: unknown): { at: ResumePoint; reason: string } {
  const { at, reason } = checked(resumeInput, body) as Static<typeof ResumeInput>;
  if (reason.includes('\0') || !reason.isWellFormed()) throw invalid('`reason` holds a NUL or a lone surrogate');
  return { at: /^\d/.test(at) ? BigInt(at) : (at as ResumePoint), reason };
}

/** Reads a row's id. A path segment that is not an id names no row. */
export function readRowId(text: string): string {
  if (new RegExp(POSITION).test(text) && BigInt(text) <= MAX_INT64) return text;
  throw new RescindError('not-found', { detail: 'no such record in quarantine' });
}

/** Reads a partition from a path. */
export function readPartition(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new RescindError('not-found', { detail: 'a partition must be a number' });
}

/** Accepts `?operator=true` and no other parameter: the operator's part must be asked for by name. */
export function readOperator(query: unknown): boolean {
  const entries = Object.entries((query ?? {}) as Record<string, unknown>);
  if (entries.some(([name]) => name !== 'operator')) throw invalid('the only parameter is `operator`');
  const value = entries[0]?.[1];
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw invalid('`operator` is true or false');
}

interface Validator {
  Check(value: unknown): boolean;
  Errors(value: unknown): { instancePath: string; message: string; keyword: string; params: object }[];
}

function checked(validator: Validator, body: unknown): unknown {
  if (validator.Check(body)) return body;
  const errors = validator.Errors(body);
  const unknown = errors.flatMap(({ params }) =>
    'additionalProperties' in params ? (params.additionalProperties as string[]) : [],
  );
  if (unknown.length > 0)
    throw invalid(`unknown member: ${unknown.map((name) => String(name).slice(0, 64)).join(', ')}`);
  const [error] = errors;
  const at = error === undefined || error.instancePath === '' ? 'the body' : `\`${error.instancePath.slice(1)}\``;
  if (at === '`from`' || at === '`to`') throw invalid(`${at} must be ${TIME_FORMS}`);
  throw invalid(`${at} ${error?.message ?? 'is malformed'}`);
}

const invalid = (detail: string): RescindError => new RescindError('invalid-request', { detail });

/** Converts a TypeBox schema to the plain object that OpenAPI takes. */
export const plain = (schema: TSchema): Readonly<Record<string, never>> =>
  JSON.parse(JSON.stringify(schema)) as Readonly<Record<string, never>>;
