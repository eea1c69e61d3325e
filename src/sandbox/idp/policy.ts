import { randomUUID } from 'node:crypto';

/** A client application or AI agent, as the administrator approved it for one resource application. */
export interface Connection {
  readonly idpClientId: string;
  /** Issuer of the resource authorization server. */
  readonly audience: string;
  /** RFC 8707 identifier of the application's API. */
  readonly resource: string;
  /** The client's identifier at that authorization server. */
  readonly clientId: string;
  /** All scopes that the connection may carry. */
  readonly scopes: readonly string[];
  /** Scopes that each user may delegate through the connection. A user who is not listed may delegate nothing. */
  readonly users: Readonly<Record<string, readonly string[]>>;
}

export interface PolicyQuestion {
  readonly sub: string;
  readonly idpClientId: string;
  readonly audience: string;
  readonly resource: string | undefined;
  readonly scopes: readonly string[];
}

export type PolicyDecision = { readonly id: string } & (
  | { readonly allowed: true; readonly connection: Connection; readonly scopes: readonly string[] }
  | { readonly allowed: false; readonly error: 'invalid_target' | 'access_denied'; readonly reason: string }
);

/** The administrator's policy. User, client, audience and scope decide together (ID-JAG draft, section 4.3.3). */
export interface Policy {
  decide(question: PolicyQuestion): PolicyDecision;
  add(connection: Connection): void;
  /** Removes a connection and returns it; undefined if there was none. */
  remove(idpClientId: string, audience: string): Connection | undefined;
}

export function createPolicy(): Policy {
  const connections = new Map<string, Connection>();
  const key = (idpClientId: string, audience: string): string => JSON.stringify([idpClientId, audience]);
  return {
    decide({ sub, idpClientId, audience, resource, scopes }) {
      const id = `decision-${randomUUID()}`;
      const connection = connections.get(key(idpClientId, audience));
      if (connection === undefined) return { id, allowed: false, error: 'invalid_target', reason: 'no connection' };
      // MCP profile, section 7.6.1: only pairs of audience and resource that the IdP knows to belong together.
      if (resource !== undefined && resource !== connection.resource) {
        return { id, allowed: false, error: 'invalid_target', reason: 'resource is not of this audience' };
      }
      const delegable = (connection.users[sub] ?? []).filter((scope) => connection.scopes.includes(scope));
      const granted = scopes.length === 0 ? delegable : scopes.filter((scope) => delegable.includes(scope));
      if (granted.length === 0) return { id, allowed: false, error: 'access_denied', reason: 'no scope for this user' };
      return { id, allowed: true, connection, scopes: granted };
    },
    add(connection) {
      connections.set(key(connection.idpClientId, connection.audience), connection);
    },
    remove(idpClientId, audience) {
      const connection = connections.get(key(idpClientId, audience));
      connections.delete(key(idpClientId, audience));
      return connection;
    },
  };
}
