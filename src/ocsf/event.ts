import type { EventDataOf, EventName } from '../contracts/index.js';

/** The release of the Open Cybersecurity Schema Framework that is written. Releases differ, so one is pinned. */
export const OCSF_VERSION = '1.8.0';

export type Json = { readonly [member: string]: unknown };

/** An OCSF event. One entry of the ledger becomes at most one, and one change of a finding becomes one. */
export interface OcsfEvent extends Json {
  readonly class_uid: number;
  readonly type_uid: number;
  /** Epoch milliseconds, as OCSF demands. */
  readonly time: number;
  /** `sequence` is the entry's index in its tenant's ledger, or the position of a change among those of the tenant's findings. */
  readonly metadata: Json & { readonly sequence: number };
}

/** The entity that a use belongs to, as far as lineage tells. */
export interface Attribution {
  readonly user?: { readonly iss: string; readonly tenant?: string; readonly sub: string } | undefined;
  readonly client?: { readonly iss: string; readonly client_id: string } | undefined;
  readonly agent?: { readonly iss: string; readonly id: string } | undefined;
}

/** An event of the ledger with everything that its OCSF form says of it. */
export type LedgerEvent<N extends EventName = EventName> = {
  [K in N]: {
    readonly name: K;
    readonly data: EventDataOf[K];
    /** Id of the event, as its source gave it. */
    readonly id: string;
    /** Time of the event, and below it arrival of its entry: both epoch milliseconds. */
    readonly atMs: number;
    readonly arrivalMs: number;
    readonly index: bigint;
    /** The tenant's name. */
    readonly tenant: string;
    /** Name of the registered source, or its id if it is not registered any more. */
    readonly source: string;
    /** Uses alone have one. */
    readonly attribution?: Attribution | undefined;
  };
}[N];

/** The part that a mapping says; {@link seal} adds what all events have. */
export interface Body extends Json {
  readonly class: ClassName;
  readonly activity: string;
}

/** The classes in use, with the activities of each that are. */
const CLASSES = {
  'Detection Finding': { uid: 2004, category: [2, 'Findings'], activities: { Create: 1, Update: 2, Close: 3 } },
  Authentication: {
    uid: 3002,
    category: [3, 'Identity & Access Management'],
    activities: { Logon: 1, Logoff: 2, 'Service Ticket Request': 4 },
  },
  'Authorize Session': {
    uid: 3003,
    category: [3, 'Identity & Access Management'],
    activities: { 'Assign Privileges': 1 },
  },
  'Entity Management': {
    uid: 3004,
    category: [3, 'Identity & Access Management'],
    activities: { Create: 1, Update: 3, Delete: 4, Enable: 8, Disable: 9, Deactivate: 11 },
  },
  'User Access Management': {
    uid: 3005,
    category: [3, 'Identity & Access Management'],
    activities: { 'Revoke Privileges': 2 },
  },
  'API Activity': {
    uid: 6003,
    category: [6, 'Application Activity'],
    activities: { Read: 2, Update: 3, Delete: 4, Other: 99 },
  },
  'Application Error': { uid: 6008, category: [6, 'Application Activity'], activities: { 'General Error': 1 } },
} as const satisfies Record<string, ClassOf>;
interface ClassOf {
  readonly uid: number;
  readonly category: readonly [uid: number, name: string];
  readonly activities: Readonly<Record<string, number>>;
}
export type ClassName = keyof typeof CLASSES;

export const SEVERITY = { informational: 1, low: 2, medium: 3, high: 4, critical: 5 } as const;
export const STATUS = { success: 1, failure: 2 } as const;

/** Makes the whole event of an entry. Members that are undefined are left out. */
export const seal = (event: LedgerEvent, body: Body, product: { readonly version: string }): OcsfEvent =>
  sealAs(
    {
      metadata: {
        tenant_uid: event.tenant,
        uid: `${event.tenant}/${event.index}`,
        original_event_uid: event.id,
        event_code: event.name,
        log_provider: event.source,
        sequence: Number(event.index),
        logged_time: event.arrivalMs,
      },
      time: event.atMs,
    },
    body,
    product,
  );

/** Makes the whole event of what `metadata` and `time` identify. Members that are undefined are left out. */
export function sealAs(
  told: { readonly metadata: Json; readonly time: number },
  body: Body,
  product: { readonly version: string },
): OcsfEvent {
  const { class: className, activity, metadata, ...said } = body;
  const { uid, category, activities }: ClassOf = CLASSES[className];
  const activityId = activities[activity]!;
  return defined({
    metadata: defined({
      version: OCSF_VERSION,
      product: { name: 'Rescind', vendor_name: 'Rescind', version: product.version },
      ...told.metadata,
      ...(metadata as Json | undefined),
    }),
    category_uid: category[0],
    category_name: category[1],
    class_uid: uid,
    class_name: className,
    activity_id: activityId,
    activity_name: activity,
    type_uid: uid * 100 + activityId,
    time: told.time,
    severity_id: SEVERITY.informational,
    ...said,
  }) as unknown as OcsfEvent;
}

/** Leaves out members that are undefined. */
export const defined = (members: Json): Json =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

/** The same; undefined if nothing is left. */
export function present(members: Json): Json | undefined {
  const left = defined(members);
  return Object.keys(left).length === 0 ? undefined : left;
}
