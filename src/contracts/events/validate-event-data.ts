import { Compile, type Validator } from 'typebox/compile';
import type { TLocalizedValidationError } from 'typebox/error';
import { EVENTS, type EventName } from './event-names.js';
import {
  MAX_IDENTIFIER_LENGTH,
  MAX_SCOPE_LENGTH,
  MAX_TIME_SECONDS,
  MIN_TIME_SECONDS,
  SCOPE_PATTERN,
} from './event-members.js';
import type { RejectCode } from '../reject-codes.js';

export interface EventDataProblem {
  readonly code: Extract<RejectCode, 'invalid-data' | 'invalid-scope' | 'time-out-of-range' | 'identifier-too-long'>;
  /** JSON Pointer into `data`; empty for `data` itself. */
  readonly path: string;
  /** One sentence for people. Names members and never repeats a value. */
  readonly message: string;
}

const validators = new Map<EventName, Validator>();

function validatorOf(name: EventName): Validator {
  let validator = validators.get(name);
  if (validator === undefined) {
    validator = Compile(EVENTS[name].data);
    validators.set(name, validator);
  }
  return validator;
}

/**
 * Validates an event's `data`; returns undefined if it is valid. The first call for a name compiles its schema (some milliseconds). Bytes
 * of an identifier, NUL, lone surrogates and times later than the arrival are not checked here, because a schema cannot express them.
 */
export function validateEventData(name: EventName, data: unknown): EventDataProblem | undefined {
  const validator = validatorOf(name);
  if (validator.Check(data)) return undefined;
  return problemOf(validator.Errors(data), EVENTS[name].data);
}

// A misspelt member is usually also a missing one; the wrong name helps more than the missing name.
const PRECEDENCE = ['additionalProperties', 'type', 'required'];

function problemOf(errors: readonly TLocalizedValidationError[], schema: unknown): EventDataProblem {
  // Branches of a oneOf fail without being at fault; the oneOf itself, reported after them, is the fault.
  const own = errors.filter((error) => !/\/(?:oneOf|anyOf)\/\d+/.test(error.schemaPath) && error.keyword !== 'boolean');
  const ranked = PRECEDENCE.map((keyword) => own.find((error) => error.keyword === keyword)).find(
    (error) => error !== undefined,
  );
  const error = ranked ?? own[0] ?? errors[0];
  if (error === undefined) return { code: 'invalid-data', path: '', message: 'data is invalid' };
  return { code: codeOf(error), path: error.instancePath, message: describe(error, schema) };
}

function codeOf(error: TLocalizedValidationError): EventDataProblem['code'] {
  const limit = 'limit' in error.params ? error.params.limit : undefined;
  if (error.keyword === 'pattern' && String(error.params.pattern) === SCOPE_PATTERN) return 'invalid-scope';
  if (error.keyword === 'maxLength' && limit === MAX_SCOPE_LENGTH) return 'invalid-scope';
  if (error.keyword === 'maxLength' && limit === MAX_IDENTIFIER_LENGTH) return 'identifier-too-long';
  if (error.keyword === 'minimum' && limit === MIN_TIME_SECONDS) return 'time-out-of-range';
  if (error.keyword === 'maximum' && limit === MAX_TIME_SECONDS) return 'time-out-of-range';
  return 'invalid-data';
}

const MAX_NAME_LENGTH = 64;
const quote = (name: string) => `\`${name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name}\``;

function describe(error: TLocalizedValidationError, schema: unknown): string {
  const at = error.instancePath;
  const inside = at === '' ? '' : ` in ${at}`;
  switch (error.keyword) {
    case 'required':
      return `missing ${error.params.requiredProperties.map(quote).join(', ')}${inside}`;
    case 'additionalProperties':
      return `unknown member ${error.params.additionalProperties.map(String).map(quote).join(', ')}${inside}`;
    case 'oneOf':
    case 'anyOf':
      return `${at === '' ? 'data' : at} must have ${descriptionAt(schema, error.schemaPath) ?? 'one of the forms of its schema'}`;
    case 'pattern':
      return `${at} must be ${descriptionAt(schema, error.schemaPath) ?? `a string that matches ${String(error.params.pattern)}`}`;
    case 'enum':
      return `${at} must be one of ${error.params.allowedValues.map(String).join(', ')}`;
    default:
      return `${at === '' ? 'data' : at} ${error.message}`;
  }
}

/** Reads the description at a schema path, which is a JSON Pointer written as a URI fragment. */
function descriptionAt(schema: unknown, path: string): string | undefined {
  let here: unknown = schema;
  for (const step of path
    .replace(/^#\/?/, '')
    .split('/')
    .filter((part) => part !== '')) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = (here as Record<string, unknown>)[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  const description = typeof here === 'object' && here !== null && 'description' in here ? here.description : undefined;
  return typeof description === 'string' ? description : undefined;
}
