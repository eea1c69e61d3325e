import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RescindError } from '../../contracts/index.js';
import type { Log } from '../log/index.js';
import { isDatabaseUnavailable } from '../postgres/index.js';
import { errorOfStatus, problemOf } from './problem.js';

/** Every error of the management API leaves as RFC 9457 problem+json; what was not thrown on purpose is logged and told as `internal`. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** A stack only where the fault is ours: what a caller may send as often as it likes costs a short line. */
  #tellCause({ kind, code, cause }: RescindError): void {
    if (kind === 'unavailable') this.#log.warn({ err: cause, code }, 'a request was refused');
    else this.#log.info({ code, cause: messageOf(cause) }, 'a request was refused for what it asks');
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    // The client has left, and with it went what it asked.
    if (reply.raw.destroyed) return;
    const error = toRescindError(thrown);
    if (error.kind === 'internal') this.#log.error({ err: error.cause ?? thrown, code: error.code }, 'a request failed');
    else if (error.cause !== undefined) this.#tellCause(error);
    if (reply.sent || reply.raw.headersSent) return;
    const { status, headers, body } = problemOf(error);
    // Bytes: to the type of a string the framework would add a charset, which JSON does not have (RFC 8259 section 11).
    void reply.status(status).headers(headers).send(Buffer.from(JSON.stringify(body)));
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
  // Fastify's own, such as a body over the limit or of another media type.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) return errorOfStatus(statusCode, undefined);
  return new RescindError('internal', { cause: thrown });
}
