import {
  Inject,
  Injectable,
  SetMetadata,
  UseInterceptors,
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { map, type Observable } from 'rxjs';
import { isWithPayloads } from '../../contracts/index.js';
import { callerOf, type AuthenticatedRequest } from './caller.guard.js';
import { maySeePayloads, requirePayloads, withoutPayloads } from './payloads.js';

const ANSWER_METADATA = 'rescind.answer';

interface Answer {
  readonly schema: object;
  /** Parameters of the query. */
  readonly parameters: readonly { readonly name: string; readonly schema: object }[];
  /** The answer is streamed as a file, so that nothing in it can be left out. */
  readonly isFile: boolean;
}

/** Leaves payloads out of the answers to callers that may not see them, and refuses files and parameters that name some. */
@Injectable()
export class PayloadBound implements NestInterceptor {
  readonly #reflector: Reflector;

  constructor(@Inject(Reflector) reflector: Reflector) {
    this.#reflector = reflector;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const caller = callerOf(request);
    if (maySeePayloads(caller)) return next.handle();
    const { schema, parameters, isFile } = this.#reflector.get<Answer>(ANSWER_METADATA, context.getHandler());
    if (isFile) requirePayloads(caller, 'exports');
    const asked = parameters.find(
      (parameter) => isWithPayloads(parameter.schema) && Object.hasOwn(request.query as object, parameter.name),
    );
    if (asked !== undefined) requirePayloads(caller, `the parameter \`${asked.name}\``);
    return next.handle().pipe(
      map((answer: unknown) => {
        // A text or a stream is a file: nothing in it can be left out.
        if (Object.getPrototypeOf(answer) !== Object.prototype) requirePayloads(caller, 'exports');
        return withoutPayloads(schema, answer);
      }),
    );
  }
}

/** Declares the answer of a route, so that the bound `payloads: false` of callers holds for it. */
export const PayloadsBound = (answer: Answer): MethodDecorator =>
  applyDecorators(SetMetadata(ANSWER_METADATA, answer), UseInterceptors(PayloadBound));
