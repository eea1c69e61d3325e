import { createHash, randomUUID } from 'node:crypto';
import type { CloudEvent, EventDataOf, SourceEventName } from '../../../src/contracts/index.js';
import { buildEvent } from '../../../src/emit/index.js';
import { valueOf, type Value } from './history.js';
import type { Random } from './random.js';

/** Small enough that broad rules meet many tokens, large enough that they leave most alone. */
const IDPS = 2;
const RASS = 6;
const CLIENTS = 8;
const USERS = 300;
const AGENTS = 40;
const AGENT_TYPES = ['assistant', 'coder', 'researcher', 'scheduler', 'support', 'trader'];
/** A user's session lasts for so many grants; then there is another. */
const GRANTS_A_SESSION = 3;
/** Seconds. */
const TOKEN_LIFETIME = 4 * 3_600;

interface Party {
  readonly name: string;
  readonly iss: string;
  readonly uri: string;
  readonly skew: number;
}

export interface Ras extends Party {
  readonly resources: readonly string[];
}

const party = (name: string, skew: number): Party => ({
  name,
  iss: `https://${name}.example`,
  uri: `https://${name}.example/events`,
  skew,
});

/** Clocks of different quality: the largest of those involved counts. */
export const IDPS_OF_ALL: readonly Party[] = Array.from({ length: IDPS }, (_, at) => party(`idp-${at}`, 1 + at));
export const RASS_OF_ALL: readonly Ras[] = Array.from({ length: RASS }, (_, at) => ({
  ...party(`ras-${at}`, at % 3),
  resources: [`https://api-${at}.example/a`, `https://api-${at}.example/b`],
}));

const clientAt = ({ name }: Party, at: number): string => `client-${at}-at-${name}`;

/** (issuer, client id) of every client of a RAS. */
export const clientsOf = (ras: Ras): { iss: string; client_id: string }[] =>
  Array.from({ length: CLIENTS }, (_, at) => ({ iss: ras.iss, client_id: clientAt(ras, at) }));

export interface Event {
  /** Name of the source. */
  readonly source: string;
  readonly event: CloudEvent;
}

/** A token that is about to be recorded, or only presented. */
export interface Minted {
  readonly text: string;
  readonly sha256: string;
  /** Name of the RAS that issued it, to one of that RAS's clients. */
  readonly ras: string;
  /** Members of the token and of its lineage that a selector can name, by dimension; the token's own members come first. */
  readonly members: Readonly<Record<string, readonly unknown[]>>;
  readonly values: ReadonlySet<Value>;
  readonly grantedAt: number;
  readonly skew: number;
  readonly parent: Minted | undefined;
  readonly events: readonly Event[];
}

export interface Universe {
  /** Mints a token. With a parent, the token is a further hop, to any RAS. */
  mint(parent?: Minted): Minted;
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

const eventOf = <N extends SourceEventName>(source: Party, name: N, data: EventDataOf[N]): Event => ({
  source: source.name,
  event: buildEvent(name, { source: source.uri, id: randomUUID(), data }) as CloudEvent,
});

/** How a token came about: by an ID-JAG that the IdP reports too, one that only the RAS states, or from its parent directly. */
type Descent = 'reported' | 'stated' | 'derived';

export function createUniverse({
  random,
  prefix,
  now = Date.now,
}: {
  random: Random;
  prefix: string;
  now?: () => number;
}): Universe {
  const grants = new Map<string, number>();
  let minted = 0;

  function sessionOf(user: string): string {
    const count = grants.get(user) ?? 0;
    grants.set(user, count + 1);
    return `${user}-session-${Math.floor(count / GRANTS_A_SESSION)}`;
  }

  function mint(parent: Minted | undefined): Minted {
    const number = minted++;
    const text = `${prefix}_${number}_${digest(`${prefix} ${number}`)}`;
    const sha256 = digest(text);
    const iat = Math.floor(now() / 1000);
    const descent: Descent = parent && random.chance(40) ? 'derived' : random.chance(85) ? 'reported' : 'stated';
    const idp = random.pick(IDPS_OF_ALL);
    const ras = random.pick(RASS_OF_ALL);
    const client = random.below(CLIENTS);
    const user = `user-${random.below(USERS)}-of-${idp.name}`;
    const agent = random.chance(60)
      ? { id: `agent-${random.below(AGENTS)}-of-${idp.name}`, type: random.pick(AGENT_TYPES) }
      : undefined;
    const jti = `${prefix}-jag-${number}`;
    const resource = random.pick(ras.resources);
    const clientId = clientAt(ras, client);
    const sid = sessionOf(user);

    const members: Record<string, unknown[]> = {
      token: [{ sha256 }],
      user: [{ iss: ras.iss, sub: `local-${user}` }],
      client: [{ iss: ras.iss, client_id: clientId }],
      resource: [resource],
      issuer: [ras.iss],
    };
    const add = (dimension: string, ...more: unknown[]): void =>
      void (members[dimension] = [...(members[dimension] ?? []), ...more]);
    const issued: EventDataOf['token.issued'] = {
      kind: 'access',
      iss: ras.iss,
      sha256,
      sub: `local-${user}`,
      client_id: clientId,
      aud: [resource],
      scope: 'read',
      iat,
      exp: iat + TOKEN_LIFETIME,
    };
    const events: Event[] = [];
    const parties = [ras as Party];

    if (descent === 'derived') issued.parent = { sha256: parent!.sha256 };
    else {
      parties.push(idp);
      issued.id_jag = { iss: idp.iss, jti, sub: user, client_id: clientId, sid, ...(agent ? { agent } : {}) };
      add('id_jag', { iss: idp.iss, jti });
      add('user', { iss: idp.iss, sub: user });
      add('session', { iss: idp.iss, sid });
      add('issuer', idp.iss);
      // The addressee of an ID-JAG counts as a resource.
      add('resource', ras.iss);
      if (agent) add('agent', { iss: idp.iss, id: agent.id });
      if (agent) add('agent_type', agent.type);
      if (descent === 'reported') {
        const idpClient = clientAt(idp, client);
        add('client', { iss: idp.iss, client_id: idpClient });
        events.push(
          eventOf(idp, 'id-jag.issued', {
            iss: idp.iss,
            jti,
            sub: user,
            client_id: clientId,
            idp_client_id: idpClient,
            aud: [ras.iss],
            resource: [resource],
            scope: 'read',
            iat,
            exp: iat + 300,
            sid,
            ...(agent ? { agent } : {}),
            ...(parent ? { parent: { sha256: parent.sha256 } } : {}),
          }),
        );
      } else if (parent) issued.parent = { sha256: parent.sha256 };
    }
    events.push(eventOf(ras, 'token.issued', issued));

    const own = Object.entries(members).flatMap(([dimension, of]) =>
      of.map((member) => memberValue(dimension, member)),
    );
    return {
      text,
      sha256,
      ras: ras.name,
      members: parent ? mergeMembers(parent.members, members) : members,
      values: new Set([...(parent?.values ?? []), ...own]),
      grantedAt: Math.min(iat, parent?.grantedAt ?? iat),
      skew: Math.max(...parties.map(({ skew }) => skew), parent?.skew ?? 0),
      parent,
      events: random.chance(50) ? events.toReversed() : events,
    };
  }
  return { mint: (parent) => mint(parent) };
}

function mergeMembers(of: Minted['members'], own: Minted['members']): Minted['members'] {
  const names = new Set([...Object.keys(of), ...Object.keys(own)]);
  return Object.fromEntries([...names].map((name) => [name, [...(own[name] ?? []), ...(of[name] ?? [])]]));
}

/** A member of a selector as the history's value. */
export function memberValue(dimension: string, member: unknown): Value {
  if (typeof member === 'string') return valueOf(dimension, member);
  const { iss, sha256, jti, sid, sub, client_id: clientId, id } = member as Record<string, string | undefined>;
  if (sha256 !== undefined) return valueOf(dimension, sha256);
  return valueOf(dimension, iss!, (jti ?? sid ?? sub ?? clientId ?? id)!);
}
