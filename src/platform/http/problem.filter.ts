import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RescindError } from '../../contracts/index.js';
import type { Log } from '../log/index.js';
import { isDatabaseUnavailable } from '../postgres/index.js';
import { errorOfStatus, problemOf } from './problem.js';

/**
 * Turns every error of the management API into RFC 9457 problem+json. An error that was not thrown on purpose is logged and reported as
 * `internal`.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Logs a stack only if the fault is Rescind's. A refusal that a caller may provoke at will costs one short line. */
  #tellCause({ kind, code, cause }: RescindError): void {
    if (kind === 'unavailable') this.#log.warn({ err: cause, code }, 'a request was refused');
    else this.#log.info({ code, cause: messageOf(cause) }, 'a request was refused because of its content');
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    // The client has left, so there is nobody to answer.
    if (reply.raw.destroyed) return;
    const error = toRescindError(thrown);
    if (error.kind === 'internal')
      this.#log.error({ err: error.cause ?? thrown, code: error.code }, 'a request failed');
    else if (error.cause !== undefined) this.#tellCause(error);
    if (reply.sent || reply.raw.headersSent) return;
    const { status, headers, body } = problemOf(error);
    // Sent as bytes: the framework would add a charset to the type of a string, and JSON has none (RFC 8259 section 11).
    void reply
      .status(status)
      .headers(headers)
      .send(Buffer.from(JSON.stringify(body)));
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function toRescindError(thrown: unknown): RescindError {
  if (thrown instanceof RescindError) return thrown;
  if (thrown instanceof HttpException) return errorOfStatus(thrown.getStatus(), thrown.cause);
  if (isDatabaseUnavailable(thrown)) return new RescindError('database-unavailable', { cause: thrown });
  const { statusCode } = (thrown ?? {}) as { statusCode?: unknown };
  // Fastify's own errors, such as a body over the limit or of another media type.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return errorOfStatus(statusCode, undefined);
  return new RescindError('internal', { cause: thrown });
}
