import { createRandom, type Random } from '../../src/seed/index.js';
import { createNetworks, type Network, type Networks } from './networks.js';

export const USERS = 2_000;
export const DOMAIN = 'orbit.example';
const TEAMS = 40;
const APP_NAMES =
  'inbox drive roster ledgerbook planboard helpline codehost pipeline wikipages canvas paydesk vaultbox dealroom shopfront stockroom fleetmap labnotes signdesk meetroom newsroom callcentre partsbin gridview taskflow lessons badgegate mapserver quotes tenders archives'.split(
    ' ',
  );
const CLIENT_NAMES =
  'workhub pocket deskapp browser-plus outlookish board-sync formfill quickview timeclock travelpal reviewer salespad servicepad stockpad fieldpad mediapad lectern handover minutes notewise'.split(
    ' ',
  );
const AGENTS: readonly (readonly [string, string])[] = [
  ['scribe', 'assistant'],
  ['copilot-one', 'assistant'],
  ['mailmate', 'assistant'],
  ['codebuddy', 'coding'],
  ['testpilot', 'coding'],
  ['digger', 'research'],
  ['factfinder', 'research'],
  ['triager', 'support'],
  ['answerer', 'support'],
  ['planner-bot', 'assistant'],
  ['buyer-bot', 'operations'],
  ['tidybot', 'operations'],
  ['lingua', 'assistant'],
  ['summariser', 'research'],
];
const SERVICES = ['night-sync', 'warehouse-load', 'month-end', 'index-builder'];
export const SCANNER = 'posture-scan';
/** Agents that do nothing in ordinary life; incidents use them. */
const QUIET_AGENTS = 8;

export const OPERATIONS = ['read', 'write', 'delete', 'export', 'admin'] as const;
export type Operation = (typeof OPERATIONS)[number];
export const DANGEROUS: readonly Operation[] = ['delete', 'export', 'admin'];

export interface App {
  readonly name: string;
  readonly uri: string;
  readonly issuer: string;
  readonly resource: string;
  readonly opaque: boolean;
  readonly summarises: boolean;
  readonly numbers: boolean;
  /** Seconds that its access tokens live. */
  readonly lifetime: number;
}

export interface Client {
  readonly id: string;
  readonly agent: { readonly id: string; readonly type: string } | undefined;
  /** The networks of the agent's platform; undefined for a client that runs where its user is. */
  readonly platform: Network | undefined;
}

export interface Connection {
  readonly client: Client;
  readonly app: App;
  readonly approved: readonly Operation[];
  /** Operations that ordinary life uses. */
  readonly used: readonly Operation[];
}

export interface Absence {
  readonly from: number;
  readonly to: number;
  /** The account is disabled meanwhile. */
  readonly disabled: boolean;
}

export interface Person {
  readonly sub: string;
  readonly nth: number;
  /** Hours ahead of UTC. */
  readonly zone: number;
  /** Seconds by which the person begins earlier or later than nine. */
  readonly shift: number;
  readonly team: number;
  /** Probability that the person uses any application on a working day. */
  readonly diligence: number;
  readonly office: Network;
  readonly home: Network;
  readonly carrier: number;
  habits: readonly Connection[];
  /** From when the team has other applications, which are these. */
  moved?: { readonly at: number; readonly habits: readonly Connection[] };
  absences: readonly Absence[];
  trip?: { readonly from: number; readonly to: number; readonly zone: number; readonly network: Network };
  /** From when on there is nothing more of the person. */
  gone?: number;
}

export interface Organisation {
  readonly idp: { readonly issuer: string; readonly uri: string };
  readonly apps: readonly App[];
  /** Applications whose sources have troubles of their own, and nothing else. */
  readonly troubled: readonly App[];
  readonly clients: readonly Client[];
  readonly agents: readonly Client[];
  readonly quietAgents: readonly Client[];
  readonly services: readonly Client[];
  readonly scanner: Client;
  readonly connections: readonly Connection[];
  readonly people: readonly Person[];
  /** Connections of each team. */
  readonly menus: readonly (readonly Connection[])[];
  readonly networks: Networks;
}

export const clientAt = (client: Client, app: App): string => `${client.id}~${app.name}`;
export const scopeText = (app: App, operations: readonly Operation[]): string =>
  operations.map((operation) => `${app.name}:${operation}`).join(' ');

const TROUBLED = 8;
/** Fewer connections would leave an application without a word for hours. */
const LEAST_CONNECTIONS = 5;

/** Draws the organisation. The same seed gives the same one. */
export function createOrganisation(seed: string): Organisation {
  const random = createRandom(`${seed} organisation`);
  const networks = createNetworks(random);
  const apps = APP_NAMES.map((name, nth) => makeApp(random, name, nth));
  const troubled = apps.filter((_, nth) => nth % 4 === 1).slice(0, TROUBLED);
  const plain = CLIENT_NAMES.map((id): Client => ({ id, agent: undefined, platform: undefined }));
  const platforms = Array.from({ length: 4 }, () => networks.fresh(16));
  const agent = (id: string, type: string): Client => ({
    id,
    agent: { id: `agent:${id}`, type },
    platform: random.pick(platforms),
  });
  const agents = AGENTS.map(([id, type]) => agent(id, type));
  const services = SERVICES.map((id) => agent(id, 'operations'));
  const quietAgents = Array.from({ length: QUIET_AGENTS }, (_, nth) =>
    agent(`pilot-${random.hex(4)}${nth}`, 'research'),
  );
  const scanner: Client = { id: SCANNER, agent: undefined, platform: networks.fresh(4) };
  const connections = [...plain, ...agents].flatMap((client) => connect(random, client, apps));
  for (const app of apps) {
    const without = [...plain, ...agents].filter(
      (client) => !connections.some((one) => one.client === client && one.app === app),
    );
    const missing = LEAST_CONNECTIONS - connections.filter((one) => one.app === app).length;
    for (const client of draw(random, without, missing)) connections.push(makeConnection(random, client, app));
  }
  connections.push(...services.flatMap((client) => connectService(random, client, apps)));
  connections.push(
    ...draw(random, apps, 6).map((app): Connection => ({ client: scanner, app, approved: ['read'], used: ['read'] })),
  );
  const menus = makeMenus(
    random,
    connections.filter(({ client }) => !services.includes(client) && client !== scanner),
  );
  const sites = [-5, -5, 1, 1, 1, 8].map((zone) => ({ zone, office: networks.fresh(8) }));
  const people = Array.from({ length: USERS }, (_, nth) => makePerson(random, nth, sites, menus, networks));
  return {
    idp: { issuer: `https://id.${DOMAIN}`, uri: `https://id.${DOMAIN}/events` },
    apps,
    troubled,
    clients: plain,
    agents,
    quietAgents,
    services,
    scanner,
    connections,
    people,
    menus,
    networks,
  };
}

/** Draws so many different members of a list. */
export function draw<T>(random: Random, list: readonly T[], size: number): T[] {
  const left = [...list];
  const drawn: T[] = [];
  while (drawn.length < size && left.length > 0) drawn.push(...left.splice(random.below(left.length), 1));
  return drawn;
}

function makeApp(random: Random, name: string, nth: number): App {
  return {
    name,
    uri: `https://${name}.${DOMAIN}/events`,
    issuer: `https://auth.${name}.${DOMAIN}`,
    resource: `https://${name}.${DOMAIN}/api`,
    opaque: nth % 4 === 2,
    summarises: nth % 10 === 7,
    numbers: nth % 3 === 1 || nth % 8 === 1,
    lifetime: random.pick([900, 3_600, 3_600, 3_600, 28_800]),
  };
}

function connect(random: Random, client: Client, apps: readonly App[]): Connection[] {
  return draw(random, apps, 3 + random.below(4)).map((app) => makeConnection(random, client, app));
}

function makeConnection(random: Random, client: Client, app: App): Connection {
  const approved = OPERATIONS.filter((_, rank) => rank === 0 || random.chance([1, 0.65, 0.25, 0.3, 0.12][rank]!));
  const used = approved.filter((operation) => !DANGEROUS.includes(operation) || random.chance(0.5));
  return { client, app, approved, used };
}

function connectService(random: Random, client: Client, apps: readonly App[]): Connection[] {
  const used: readonly Operation[] = ['read', 'export'];
  return draw(random, apps, 4).map((app) => ({ client, app, approved: used, used }));
}

/** Gives every connection to two or three teams, so that somebody uses it on every working day. */
function makeMenus(random: Random, connections: readonly Connection[]): Connection[][] {
  const menus: Connection[][] = Array.from({ length: TEAMS }, () => []);
  for (const connection of connections)
    for (const menu of draw(random, menus, 2 + random.below(2))) menu.push(connection);
  return menus;
}

const SYLLABLES = 'ka lo mi ra ven tor sal dre pim bar nel jos fi gun har wes'.split(' ');

function makePerson(
  random: Random,
  nth: number,
  sites: readonly { readonly zone: number; readonly office: Network }[],
  menus: readonly (readonly Connection[])[],
  networks: Networks,
): Person {
  const { zone, office } = random.pick(sites);
  const team = random.below(TEAMS);
  const name = Array.from({ length: 3 }, () => random.pick(SYLLABLES)).join('');
  return {
    sub: `${name}.${String(nth).padStart(4, '0')}`,
    nth,
    zone,
    shift: random.below(3 * 3_600) - 5_400,
    team,
    diligence: 0.3 + random.next() * 0.45,
    office,
    home: random.chance(0.3) ? networks.freshDual() : networks.fresh(1),
    carrier: random.below(3),
    habits: draw(random, menus[team]!, 2 + random.below(3)),
    absences: [],
  };
}
