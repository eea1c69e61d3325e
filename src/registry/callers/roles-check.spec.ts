import { describe, expect, it } from '@jest/globals';
import {
  createControlState,
  DEFAULT_TOKEN_PROFILE,
  type ControlRecord,
  type Seq,
  type SourceRecord,
} from '../../control/index.js';
import type { RolesInput } from '../inputs.js';
import { checkRoles } from './roles-check.js';

const TENANT = '00000000-0000-4000-8000-000000000001';
const OTHER_TENANT = '00000000-0000-4000-8000-000000000002';
const RAS = 'https://ras.example';
const API = 'https://api.example';
const FOREIGN = 'https://elsewhere.example';
const FOREIGN_API = 'https://api.elsewhere.example';

const source = (name: string, iss: string, resource: string): SourceRecord => ({
  id: `${name}-id`,
  name,
  uri: `urn:${name}`,
  topic: `rescind.events.${name}`,
  types: ['token.issued'],
  issuers: [iss],
  resources: [resource],
  profile: DEFAULT_TOKEN_PROFILE,
  disabled: false,
});

/** Checks roles for a tenant that has the source `chat`, beside another tenant that has `other`. */
function check(roles: RolesInput): unknown {
  const state = createControlState();
  for (const [tenant, body] of [
    [TENANT, source('chat', RAS, API)],
    [OTHER_TENANT, source('other', FOREIGN, FOREIGN_API)],
  ] as const) {
    state.apply({
      kind: 'source.changed',
      tenant,
      subject: body.id,
      body,
      seq: (state.head + 1n) as Seq,
      version: 1,
      at: 0,
    } satisfies ControlRecord);
  }
  try {
    return checkRoles(state, TENANT, roles);
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

describe('bounds of roles', () => {
  it.each<[string, RolesInput]>([
    ['emit', { emit: { sources: ['chat'] } }],
    ['introspect', { introspect: { issuers: [RAS], resources: [API, RAS] } }],
    ['guard', { guard: { issuers: [RAS], resources: [API, RAS] } }],
    ['revoke', { revoke: { issuers: [RAS], resources: [API, RAS] } }],
    ['revoke-own', { 'revoke-own': { clients: [{ iss: RAS, client_id: 'wiki' }] } }],
  ])('of %s may name what the tenant has registered', (_, roles) => {
    expect(check(roles)).toEqual(roles);
  });

  describe.each([
    ['nobody has registered', 'unknown', 'https://unknown.example', 'https://unknown.example'],
    ['another tenant has registered', 'other', FOREIGN, FOREIGN_API],
  ])('what %s', (_, name, iss, resource) => {
    it.each<[string, RolesInput]>([
      ['a source of emit', { emit: { sources: ['chat', name] } }],
      ['an issuer of introspect', { introspect: { issuers: [RAS, iss], resources: [] } }],
      ['a resource of introspect', { introspect: { issuers: [], resources: [API, resource] } }],
      ['an issuer of guard', { guard: { issuers: [RAS, iss], resources: [] } }],
      ['a resource of guard', { guard: { issuers: [], resources: [API, resource] } }],
      ['an issuer of revoke', { revoke: { issuers: [RAS, iss], resources: [] } }],
      ['a resource of revoke', { revoke: { issuers: [], resources: [API, resource] } }],
      ['a client of revoke-own', { 'revoke-own': { clients: [{ iss, client_id: 'wiki' }] } }],
    ])('is refused as %s', (_bound, roles) => {
      expect(check(roles)).toBe('invalid-bound');
    });
  });
});
