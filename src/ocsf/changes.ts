import type {
  Author,
  ClientChanged,
  ConnectionChanged,
  DetectionChanged,
  KeyUsed,
  LedgerContinued,
  LogGap,
  LogKeyChanged,
  PersonErased,
  RegistryChanged,
  RevocationLifted,
  RevocationOrdered,
  TokenRevoked,
  UserChanged,
} from '../contracts/index.js';
import { defined, present, SEVERITY, STATUS, type Body, type Json } from './event.js';
import { EVERY_USER, resourcesOf, SERVICE_USER, UNKNOWN_USER, userOf } from './names.js';

/** Types of managed entities in OCSF. */
const USER = { type_id: 2, type: 'User' } as const;
const POLICY = { type_id: 5, type: 'Policy' } as const;
const other = (type: string) => ({ type_id: 99, type }) as const;

/** Privileges that are lost when nobody says which: all. */
const ALL = ['*'] as const;

const managed = (activity: string, entity: Json): Body => ({
  class: 'Entity Management',
  activity,
  status_id: STATUS.success,
  entity,
});

export const userChanged =
  (activity: 'Enable' | 'Disable') =>
  (data: UserChanged): Body =>
    managed(activity, { ...USER, uid: data.sub, user: userOf(data) });

export const clientChanged =
  (activity: 'Enable' | 'Disable') =>
  (data: ClientChanged): Body =>
    managed(activity, { ...other('Client'), uid: data.idp_client_id, data });

/** A connection has no id of its own: its name is made of the two applications and the resources, so that all its events have one name. */
export const connectionChanged =
  (activity: 'Create' | 'Update' | 'Delete') =>
  (data: ConnectionChanged): Body =>
    managed(activity, {
      ...other('Connection'),
      name: `${data.idp_client_id} → ${[...data.resource].sort().join(' ')}`,
      data,
    });

const REGISTRY_ACTIVITIES: Readonly<Record<RegistryChanged['change'], string>> = {
  created: 'Create',
  updated: 'Update',
  disabled: 'Disable',
  'secret-added': 'Update',
  'secret-removed': 'Update',
  'keys-fetched': 'Update',
};

export const registryChanged =
  (type: 'Source' | 'Caller' | 'Tenant') =>
  (data: RegistryChanged): Body => ({
    ...managed(REGISTRY_ACTIVITIES[data.change], {
      ...other(type),
      uid: data.id,
      ...(typeof data.after['name'] === 'string' ? { name: data.after['name'] } : {}),
      data: data.after,
    }),
    actor: actorOf(data.author),
    unmapped: { change: data.change, seq: data.seq },
  });

/** A detection is a policy: its action says what it orders by itself. */
export const detectionChanged = ({ kind, nth, action, cap, author }: DetectionChanged): Body => ({
  ...managed('Update', { ...POLICY, uid: kind, policy: { uid: kind, type: 'detection' }, data: { action, cap } }),
  actor: actorOf(author),
  unmapped: { nth },
});

/** Both keys are public. No caller is the actor: the key is changed on the machine. */
export const logKeyChanged = ({ origin, from, to, until, reason }: LogKeyChanged): Body => ({
  ...managed('Update', { ...other('Log key'), uid: to, name: origin, data: { from, to } }),
  status_detail: reason,
  unmapped: { until },
});

/** A person was erased: the user is a keyed hash, as the entry names it. */
export const personErased = ({ erasure, person, below, entries, reason, author }: PersonErased): Body => ({
  ...managed('Delete', { ...USER, uid: person, user: { uid: person } }),
  actor: actorOf(author),
  unmapped: { erasure, below, entries, reason },
});

/** The caller's name is the application; the person who acted, or on whose behalf it acted, is the user. */
const actorOf = ({ caller, person, on_behalf_of: named }: Author): Json => {
  const uid = named ?? person?.sub;
  return defined({ app_name: caller, user: uid === undefined ? undefined : { uid } });
};
/** A caller of Rescind's own API, or a person who has signed in, came from a network for the first time. */
export const keyUsed = ({ caller, key, person, network, first, shared }: KeyUsed): Body => ({
  class: 'Authentication',
  activity: 'Logon',
  status_id: STATUS.success,
  user: person === undefined ? { uid: caller, ...SERVICE_USER } : userOf(person),
  service: { uid: 'rescind' },
  src_endpoint: { name: network },
  unmapped: defined({ key, first, shared }),
});

export function revocationOrdered(data: RevocationOrdered): Body {
  const { selector, or: others } = data;
  const resources = [...(selector.resource === undefined ? [] : [selector.resource]), ...(others?.resource ?? [])];
  return {
    class: 'User Access Management',
    activity: 'Revoke Privileges',
    severity_id: selector.all ? SEVERITY.high : SEVERITY.medium,
    status_id: STATUS.success,
    status_detail: data.reason,
    metadata: { correlation_uid: data.rule },
    actor: actorOf(data.author),
    user: selector.user === undefined ? EVERY_USER : userOf(selector.user),
    privileges: ALL,
    resources: resourcesOf(resources),
    unmapped: present({
      rule: data.rule,
      seq: data.seq,
      effect: data.effect,
      selector,
      or: others,
      before: data.before,
      until: data.until,
      resume: data.resume,
      reauthenticate: data.reauthenticate,
      cause: data.cause,
      after_lift_of: data.after_lift_of,
    }),
  };
}

/** A lift gives nobody anything: it ends a rule, and later grants decide. */
export const revocationLifted = (data: RevocationLifted): Body => ({
  ...managed('Deactivate', { ...POLICY, uid: data.rule, policy: { uid: data.rule, type: 'block' } }),
  status_detail: data.reason,
  metadata: { correlation_uid: data.rule },
  actor: actorOf(data.author),
  unmapped: present({ seq: data.seq, resume: data.resume, at: data.at, cause: data.cause }),
});

export const tokenRevoked = ({ iss, reason, client_id: client, ...token }: TokenRevoked): Body => ({
  class: 'User Access Management',
  activity: 'Revoke Privileges',
  severity_id: SEVERITY.medium,
  status_id: STATUS.success,
  status_detail: reason,
  user: UNKNOWN_USER,
  privileges: ALL,
  actor: { idp: { uid: iss, issuer: iss }, app_uid: client ?? iss },
  unmapped: {
    token: defined({ iss, jti: token.jti, sha256: token.sha256, signing_input_sha256: token.signing_input_sha256 }),
    kind: token.kind,
  },
});

/** Records that nobody can read any more. A reader of the ledger must know that something is missing. */
export const logGap = (data: LogGap): Body => ({
  class: 'Application Error',
  activity: 'General Error',
  severity_id: SEVERITY.high,
  message: `records of ${data.topic} were gone before they were read`,
  status_detail: data.reason,
  unmapped: { ...data },
});

/** Entries that a signed checkpoint covers and nobody has any more. */
export const ledgerContinued = (data: LedgerContinued): Body => ({
  class: 'Application Error',
  activity: 'General Error',
  severity_id: SEVERITY.high,
  message: `the ledger goes on from ${data.kept} entries, although a checkpoint of ${data.last.size} entries was signed`,
  status_detail: data.reason,
  unmapped: { ...data },
});
