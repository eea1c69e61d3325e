import { isIP } from 'node:net';
import type { AccessAllowed, AccessDenied, AccessSummary, TokenRef } from '../contracts/index.js';
import { defined, present, SEVERITY, STATUS, type Attribution, type Body, type Json } from './event.js';
import { milliseconds, resourcesOf, sessionOfToken, userOf } from './names.js';

const ACTIVITIES: Readonly<Record<AccessAllowed['operation'], string>> = {
  read: 'Read',
  // OCSF has no activity for a read of everything; `unmapped.operation` tells the two apart.
  export: 'Read',
  write: 'Update',
  delete: 'Delete',
  admin: 'Other',
};

/** Actions and dispositions of the profile `security_control`. */
const ALLOWED = { action_id: 1, action: 'Allowed', disposition_id: 1, disposition: 'Allowed' } as const;
const BLOCKED = { action_id: 2, action: 'Denied', disposition_id: 2, disposition: 'Blocked' } as const;
const UNAUTHORIZED = { action_id: 2, action: 'Denied', disposition_id: 26, disposition: 'Unauthorized' } as const;

type Use = Omit<AccessAllowed & AccessDenied, 'sequence'>;

/** A call at a resource server, or a number of equal ones. */
function call(data: Use, isAllowed: boolean, { user, client, agent }: Attribution = {}): Body {
  const isUnauthorized = data.status === 401 || data.status === 403;
  return {
    class: 'API Activity',
    activity: ACTIVITIES[data.operation],
    severity_id: isAllowed ? SEVERITY.informational : SEVERITY.low,
    status_id: isAllowed ? STATUS.success : STATUS.failure,
    status_code: data.error,
    status_detail: data.reason,
    ...(isAllowed ? ALLOWED : isUnauthorized ? UNAUTHORIZED : BLOCKED),
    metadata: { profiles: data.trace_id === undefined ? ['security_control'] : ['security_control', 'trace'] },
    actor: defined({
      user: user && userOf(user),
      app_uid: client?.client_id,
      session: sessionOfToken(data.token as TokenRef),
    }),
    // A route or a tool's name is what was called; without one the kind of call is all that is known.
    api: { operation: data.route ?? data.operation },
    resources: resourcesOf(data.resource),
    src_endpoint: endpointOf(data.client_address),
    http_request: data.path === undefined ? undefined : { url: { path: data.path } },
    http_response: data.status === undefined ? undefined : { code: data.status },
    trace: data.trace_id === undefined ? undefined : { uid: data.trace_id },
    unmapped: present({
      operation: data.operation,
      records: data.records,
      bytes: data.bytes,
      scope: data.scope,
      client,
      agent,
    }),
  };
}

export const accessAllowed = (data: AccessAllowed, attribution?: Attribution): Body => call(data, true, attribution);
export const accessDenied = (data: AccessDenied, attribution?: Attribution): Body => call(data, false, attribution);

export const accessSummary = (data: AccessSummary, attribution?: Attribution): Body => ({
  ...call(data, data.outcome === 'allowed', attribution),
  count: data.count,
  start_time: milliseconds(data.from),
  end_time: milliseconds(data.to),
});

/** Sources state the address as they like; OCSF demands some endpoint. */
function endpointOf(address: string | undefined): Json {
  if (address === undefined) return { name: 'unknown' };
  return isIP(address) === 0 || address.length > MAX_IP_LENGTH ? { name: address } : { ip: address };
}
/** OCSF's own limit. */
const MAX_IP_LENGTH = 40;
