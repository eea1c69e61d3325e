import { VERSION } from '../version.js';
import { defined, present, SEVERITY, sealAs, type Json, type OcsfEvent } from './event.js';
import { resourcesOf, userOf, type Subject } from './names.js';

/** A finding, as `GET /v1/findings` shows it, as far as its OCSF form says it. */
export interface ShownFinding {
  readonly id: string;
  readonly kind: string;
  readonly severity: string;
  readonly state: string;
  readonly says: string;
  readonly means: string;
  readonly next: string;
  /** Times are RFC 3339. */
  readonly first_seen: string;
  readonly last_seen: string;
  readonly found_at: string;
  readonly count: number;
  readonly user: Subject | null;
  readonly client: { readonly iss: string; readonly client_id: string } | null;
  readonly agent: { readonly iss: string; readonly id: string } | null;
  readonly resource: { readonly uri: string } | null;
  readonly token: string | null;
  readonly source: { readonly name: string | null } | null;
  /** Indexes of the first entries of the evidence. */
  readonly entries: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
  readonly see: string;
  readonly stop: { readonly selector: object; readonly command: string } | null;
  /** The act of its detection by itself. */
  readonly action: { readonly outcome: string; readonly says: string; readonly rule: string | null } | null;
}

/** One change of a finding. */
export interface FindingChange {
  /** Position among the changes of the tenant's findings. */
  readonly position: bigint;
  /** Word for the change, such as `opened`. */
  readonly change: string;
  readonly atMs: number;
  /** The tenant's name. */
  readonly tenant: string;
}

const SEVERITIES: Readonly<Record<string, number>> = {
  info: SEVERITY.informational,
  low: SEVERITY.low,
  medium: SEVERITY.medium,
  high: SEVERITY.high,
  critical: SEVERITY.critical,
};
const OTHER = 99;
/** Statuses of OCSF, by the state of a finding. A false alarm is what OCSF calls suppressed: it was looked at and found harmless. */
const STATUSES: Readonly<Record<string, readonly [id: number, caption: string]>> = {
  open: [1, 'New'],
  acknowledged: [2, 'In Progress'],
  resolved: [4, 'Resolved'],
  'false-alarm': [3, 'Suppressed'],
};
/** A detection is a rule over events; it learns nothing. */
const RULE = { type_id: 1, type: 'Rule' } as const;
/** Types of observables in OCSF. */
const USER_UID = 31;
const RESOURCE_UID = 10;

/** Returns the Detection Finding (class 2004) that tells of a finding as it is after a change. */
export function findingToOcsf(
  finding: ShownFinding,
  { position, change, atMs, tenant }: FindingChange,
  product: { readonly version: string } = { version: VERSION },
): OcsfEvent {
  const [statusId, status] = STATUSES[finding.state] ?? [OTHER, finding.state];
  const source = finding.source?.name ?? undefined;
  return sealAs(
    {
      metadata: {
        tenant_uid: tenant,
        uid: `${tenant}/findings/${position}`,
        original_event_uid: finding.id,
        correlation_uid: finding.id,
        event_code: `finding.${change}`,
        log_provider: source,
        sequence: Number(position),
        logged_time: atMs,
      },
      time: atMs,
    },
    {
      class: 'Detection Finding',
      activity: activityOf(change, finding.state),
      severity_id: SEVERITIES[finding.severity] ?? OTHER,
      severity: finding.severity in SEVERITIES ? undefined : finding.severity,
      status_id: statusId,
      status,
      message: finding.action === null ? finding.says : `${finding.says} ${finding.action.says}`,
      count: finding.count,
      start_time: Date.parse(finding.first_seen),
      end_time: Date.parse(finding.last_seen),
      finding_info: infoOf(finding, tenant, atMs),
      evidences: [evidenceOf(finding)],
      resources: finding.resource === null ? undefined : resourcesOf([finding.resource.uri]),
      observables: observablesOf(finding),
      remediation: { desc: finding.next },
      unmapped: present({ see: finding.see, stop: finding.stop ?? undefined, action: actionOf(finding) }),
    },
    product,
  );
}

function actionOf({ action }: ShownFinding): Json | undefined {
  return action === null ? undefined : defined({ outcome: action.outcome, rule: action.rule ?? undefined });
}

function activityOf(change: string, state: string): string {
  if (change === 'opened') return 'Create';
  return state === 'resolved' || state === 'false-alarm' ? 'Close' : 'Update';
}

/** The entries of the evidence have the ids that they have as OCSF events. */
const infoOf = (finding: ShownFinding, tenant: string, atMs: number): Json =>
  defined({
    uid: finding.id,
    title: finding.says,
    desc: finding.means,
    types: [finding.kind],
    analytic: { ...RULE, uid: finding.kind, name: finding.kind },
    created_time: Date.parse(finding.found_at),
    modified_time: atMs,
    first_seen_time: Date.parse(finding.first_seen),
    last_seen_time: Date.parse(finding.last_seen),
    data_sources: finding.source?.name == null ? undefined : [finding.source.name],
    related_events:
      finding.entries.length === 0 ? undefined : finding.entries.map((ix) => ({ uid: `${tenant}/${ix}` })),
    related_events_count: finding.count,
  });

function evidenceOf({ user, client, agent, token, details }: ShownFinding): Json {
  const actor = present({
    user: user === null ? undefined : userOf(user),
    app_uid: client?.client_id,
    session: token === null ? undefined : { uid: token },
  });
  return defined({
    actor,
    data: defined({ ...details, client: client ?? undefined, agent: agent ?? undefined }),
  });
}

function observablesOf({ user, client, agent, resource, token }: ShownFinding): readonly Json[] | undefined {
  const other = (name: string, type: string, value: string) => ({ name, type_id: OTHER, type, value });
  const found: Json[] = [];
  if (user !== null) found.push({ name: 'evidences[].actor.user.uid', type_id: USER_UID, value: user.sub });
  if (client !== null) found.push(other('evidences[].actor.app_uid', 'Client', client.client_id));
  if (agent !== null) found.push(other('evidences[].data.agent', 'Agent', agent.id));
  if (resource !== null) found.push({ name: 'resources[].uid', type_id: RESOURCE_UID, value: resource.uri });
  if (token !== null) found.push(other('evidences[].actor.session.uid', 'Token', token));
  return found.length === 0 ? undefined : found;
}
