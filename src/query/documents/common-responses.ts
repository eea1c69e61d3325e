import { PROBLEM_MEDIA_TYPE } from '../../contracts/index.js';

const text = { type: 'string' } as const;
const PROBLEM = {
  type: 'object',
  title: 'Problem',
  required: ['type', 'title', 'status', 'code'],
  properties: { type: text, title: text, status: { type: 'integer' }, code: text, detail: text },
} as const;
const AGAIN = { 'Retry-After': { schema: text, description: 'seconds' } } as const;

interface Response {
  readonly description: string;
  headers?: object;
  content?: Record<string, unknown>;
}

type Operation = { responses: Record<string, Response> };

const ANY: Readonly<Record<string, Response>> = {
  400: { description: 'invalid-request: the target, a header or a parameter is malformed or unknown' },
};
const MANAGED: Readonly<Record<string, Response>> = {
  429: { description: 'too-many-requests: too many failed authentications from this address', headers: AGAIN },
  503: { description: 'database-unavailable, no-lease or shutting-down: ask again', headers: AGAIN },
};
const NAMED: Readonly<Record<string, Response>> = {
  404: { description: 'not-found: nothing has this name, or the caller may not see it' },
};
const WRITES: Readonly<Record<string, Response>> = {
  408: { description: 'request-timeout: the whole request did not arrive in time', headers: AGAIN },
  413: { description: 'too-large: the body is too long' },
};
const MANAGED_WRITES: Readonly<Record<string, Response>> = {
  409: { description: 'it exists already, or somebody else has changed it in the meantime' },
  415: { description: 'unsupported-media-type: the body has another content type' },
};

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/**
 * Adds to each operation the statuses that all operations of its kind may answer, because the framework, the gate or
 * the pipes refuse a request before the operation begins. Statuses that the operation declares itself stay.
 */
export function addCommonResponses(
  paths: Readonly<Record<string, Partial<Record<(typeof METHODS)[number], unknown>>>>,
): void {
  for (const [path, item] of Object.entries(paths)) {
    for (const method of METHODS) {
      const operation = item[method] as Operation | undefined;
      if (operation === undefined) continue;
      const isManaged = path.startsWith('/v1/');
      const isWrite = method !== 'get';
      const common = {
        ...ANY,
        ...(path.includes('{') ? NAMED : {}),
        ...(isManaged ? MANAGED : {}),
        ...(isWrite ? WRITES : {}),
        ...(isManaged && isWrite ? MANAGED_WRITES : {}),
      };
      operation.responses = { ...structuredClone(common), ...operation.responses };
      for (const [status, response] of Object.entries(operation.responses)) {
        // Protocol endpoints answer errors in the format of their standards, too.
        if (Number(status) >= 400)
          response.content = { ...response.content, [PROBLEM_MEDIA_TYPE]: { schema: PROBLEM } };
      }
    }
  }
}
