import { audienceOfTenant, timeText } from '../contracts/index.js';
import type { Caller, CallerRoles, CallerSecret, Source, SourceRecord, Tenant } from '../control/index.js';

/** The objects that the API shows. Each lists its members, so that a new member of a record is shown only if somebody decides so. */
export interface TenantView {
  readonly id: string;
  readonly name: string;
  readonly issuers?: readonly string[];
}

export type SourceView = Omit<SourceRecord, 'signature'> & {
  readonly tenant: string;
  readonly signature: 'required' | 'optional';
  /** The `aud` of what the source signs. */
  readonly audience: string;
};

export interface SecretView {
  readonly id: string;
  readonly created_at: string;
  readonly expires_at?: string;
}

export interface CallerView {
  readonly id: string;
  readonly tenant: string;
  readonly roles: CallerRoles;
  readonly secrets: readonly SecretView[];
  readonly disabled: boolean;
}

export const tenantView = ({ id, name, issuers }: Pick<Tenant, 'id' | 'name' | 'issuers'>): TenantView => ({
  id,
  name,
  ...(issuers ? { issuers } : {}),
});

export const sourceView = (source: Source): SourceView => ({
  id: source.id,
  tenant: source.tenant,
  name: source.name,
  uri: source.uri,
  topic: source.topic,
  types: source.types,
  issuers: source.issuers,
  resources: source.resources,
  ...(source.jwks ? { jwks: source.jwks } : {}),
  ...(source.jwks_uri === undefined ? {} : { jwks_uri: source.jwks_uri }),
  profile: source.profile,
  signature: source.signature ?? 'optional',
  audience: audienceOfTenant(source.tenant),
  disabled: source.disabled,
});

export const secretView = (secret: CallerSecret): SecretView => ({
  id: secret.id,
  created_at: timeText(secret.created_at),
  ...(secret.expires_at === undefined ? {} : { expires_at: timeText(secret.expires_at) }),
});

export const callerView = (caller: Caller): CallerView => ({
  id: caller.id,
  tenant: caller.tenant,
  roles: caller.roles,
  secrets: caller.secrets.map(secretView),
  disabled: caller.disabled,
});
