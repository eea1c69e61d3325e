import { createOrganisation, describeIncidents } from '../../src/seed/index.js';
import type { SeededApi } from '../support/seeded-api.js';

export interface AskedQuestion {
  readonly title: string;
  /** The use of the question, and what to look for in the answer. */
  readonly why: string;
  /** The path as OpenAPI writes it. */
  readonly route: string;
  /** The question as it is asked; some need an id from another answer. */
  readonly path: string | ((api: SeededApi) => string | Promise<string>);
}

const organisation = createOrganisation({ seed: 'rescind', domain: 'corp.example' });
const iss = organisation.idp.issuer;
const user = (sub: string): string => `user_iss=${iss}&user_sub=${sub}`;
const client = (id: string): string => `client_iss=${iss}&client_id=${id}`;
const agent = (id: string): string => `agent_iss=${iss}&agent_id=agent-${id}`;
const resource = (app: string): string => `resource=${organisation.app(app).resource}`;

/** The nth question that an incident is found by. */
const found =
  (incident: string, nth: number) =>
  (api: SeededApi): string =>
    describeIncidents(organisation, api.seeded.end).find(({ name }) => name === incident)!.answers[nth]!.path;

const firstToken = async (api: SeededApi): Promise<string> => {
  const { body } = await api.get(`/v1/access?${user('hana.ito')}&limit=1`);
  return `/v1/tokens/${body.items[0].token}`;
};
const nadia = async (api: SeededApi): Promise<string> => {
  const { body } = await api.get(`/v1/access?${user('nadia.rossi')}&limit=1`);
  return `/v1/entities/${body.items[0].user.entity}`;
};
/** A rule has an id of its own in every deployment: the token that it stops tells it. */
const reportOfRule = async (api: SeededApi): Promise<string> => {
  const { body } = await api.get(found('use-after-revocation', 2)(api));
  return `/v1/reports/incident?rule=${body.stopped_by[0].rule}`;
};
const firstEntry = async (api: SeededApi): Promise<string> => {
  const { body } = await api.get(`/v1/access?${user('nadia.rossi')}&limit=1`);
  return `/v1/entries/${body.items[0].index}`;
};

const firstFinding = async (api: SeededApi): Promise<string> => {
  const { body } = await api.get('/v1/findings?kind=token-from-two-networks');
  return `/v1/findings/${body.items[0].id}`;
};

const changesOfFinding = async (api: SeededApi): Promise<string> => {
  const finding = await firstFinding(api);
  await api.post(finding, { state: 'acknowledged', reason: 'Dana asks the owner of the client', on_behalf_of: 'dana' });
  return `${finding}/changes`;
};

export const ASKED: readonly AskedQuestion[] = [
  {
    title: 'What is wrong?',
    why: 'What the detections found, each with who, how often, the entries that show it, and the rule that stops it.',
    route: '/v1/findings',
    path: '/v1/findings?severity=high&limit=2',
  },
  {
    title: 'What is this finding, and what to do about it?',
    why: 'One finding. `see` is the question that shows its evidence, `stop` the smallest rule that stops it. `evidence=true` adds the evidence files of its `entries`.',
    route: '/v1/findings/{id}',
    path: firstFinding,
  },
  {
    title: 'Who is connected to what?',
    why: 'The graph around one agent’s client: who lets it act, what it reaches, what is really used.',
    route: '/v1/graph',
    path: `/v1/graph?${client('doc-search')}`,
  },
  {
    title: 'What is used of all that is granted?',
    why: 'All connections at once, here those of one resource: `state` tells what is used, dormant, denied only or granted and never used; `total` adds them up.',
    route: '/v1/matrix',
    path: `/v1/matrix?${resource('payroll')}&used_since=5d`,
  },
  {
    title: 'What may this client do, and what of it does it do?',
    why: 'Granted beside used: `unused_scopes` can be taken back without anybody noticing.',
    route: '/v1/connections',
    path: `/v1/connections?${client('doc-search')}`,
  },
  {
    title: 'Who has let what act for them?',
    why: 'A user’s grants, with what was used of each.',
    route: '/v1/grants',
    path: `/v1/grants?${user('tariq.lindgren')}`,
  },
  {
    title: 'Who accessed what?',
    why: 'The single uses, newest first: here one token, used from two addresses at once.',
    route: '/v1/access',
    path: `/v1/access?${user('nadia.rossi')}`,
  },
  {
    title: 'What has come since?',
    why: 'For a SIEM that polls: the accesses behind an index, in the order of the ledger. `-1` begins with the first entry; go on with the index of the last item.',
    route: '/v1/access',
    path: '/v1/access?after_index=-1&limit=2',
  },
  {
    title: 'What did this type of agent do?',
    why: 'Any filter alone: `operation`, `outcome`, `route`, `scope`, `client_address`, `agent_type`. What has no index is answered as `/v1/explore` does.',
    route: '/v1/access',
    path: async (api) => {
      const { body } = await api.get(`/v1/access?${agent('invoice-reader')}&limit=1`);
      const { facts } = (await api.get(`/v1/tokens/${body.items[0].token}`)).body;
      return `/v1/access?agent_type=${encodeURIComponent(facts.agent?.type ?? facts.id_jag.agent.type)}&limit=2`;
    },
  },
  {
    title: 'And what was known of it then?',
    why: 'Any question as of a moment. At noon nobody could say whose these calls were; the application told of its tokens at three.',
    route: '/v1/access',
    path: found('late-lineage', 1),
  },
  {
    title: 'How much was it?',
    why: 'The same, counted by hour or day.',
    route: '/v1/access/counts',
    path: found('bulk-export', 1),
  },
  {
    title: 'What happened to this person?',
    why: 'Grants, uses, rules and all that sources said of one user, client, agent or resource, in one list. A leaver’s story reads from top to bottom.',
    route: '/v1/timeline',
    path: `/v1/timeline?${user('priya.mehta')}&limit=8`,
  },
  {
    title: 'Why was this token refused?',
    why: 'One token: when it and what it came from were issued, its uses, the rules on all that, and the last refusals by introspection.',
    route: '/v1/timeline',
    path: async (api) => {
      const { body } = await api.get(found('use-after-revocation', 2)(api));
      return `/v1/timeline?token=${body.id}`;
    },
  },
  {
    title: 'Which agents reach most?',
    why: 'Every agent with its standing grants, those that were never used, its last use and its owner. `sort` takes each of these numbers.',
    route: '/v1/agents',
    path: '/v1/agents?limit=2',
  },
  {
    title: 'Which clients hold grants that nobody uses?',
    why: 'The first candidates for a review. `owner=missing` leaves those that nobody answers for.',
    route: '/v1/clients',
    path: '/v1/clients?sort=unused_grants&limit=2',
  },
  {
    title: 'Whose access has been idle longest?',
    why: 'Users by their last use, the longest ago first.',
    route: '/v1/users',
    path: '/v1/users?sort=last_used&order=asc&limit=2',
  },
  {
    title: 'Which resources are new?',
    why: 'Resources that no event named before, with whoever reaches them.',
    route: '/v1/resources',
    path: '/v1/resources?new_since=3d&sort=first_seen&limit=2',
  },
  {
    title: 'What is new since then?',
    why: 'The difference of two moments: what appeared, grew, vanished, came back. `since` may also be `24h` or `7d`.',
    route: '/v1/changes',
    path: (api) =>
      `/v1/changes?since=${new Date((api.seeded.end - 5 * 86_400) * 1000).toISOString()}&${client('doc-search')}`,
  },
  {
    title: 'What can it reach, what did it take, and what stops it?',
    why: 'The blast radius of an agent, a client, a user, a session, an ID-JAG or a token, with the rule that stops exactly that, ready to send.',
    route: '/v1/blast-radius',
    path: `/v1/blast-radius?${agent('invoice-reader')}`,
  },
  {
    title: 'Who can reach this?',
    why: 'The other direction, from a resource.',
    route: '/v1/reach',
    path: `/v1/reach?${resource('learning')}`,
  },
  {
    title: 'What is this token?',
    why: 'By its issuer and `jti`, or the SHA-256 of an opaque one. A token itself is never sent here: decode it where it is.',
    route: '/v1/tokens',
    path: found('use-after-revocation', 2),
  },
  {
    title: 'What did it come of?',
    why: 'The same by the key that other answers give: here a token of a second hop, with all of its lineage.',
    route: '/v1/tokens/{id}',
    path: firstToken,
  },
  {
    title: 'What exactly was said?',
    why: 'One entry of the ledger with what its hash is computed from. `bytes` is the event as it came, base64.',
    route: '/v1/entries/{index}',
    path: firstEntry,
  },
  {
    title: 'Who is that?',
    why: 'All names of one user, client, agent or resource, and which event ties them.',
    route: '/v1/entities/{id}',
    path: nadia,
  },
  {
    title: 'What do people call it, and who answers for it?',
    why: 'The directory: names, owners, teams and tags of a CSV or JSON file, or a `PUT` an entry.',
    route: '/v1/directory',
    path: '/v1/directory',
  },
  {
    title: 'What is this?',
    why: 'Search by name, id, `jti`, digest or address; `see` says where to go on. What looks like a token is refused.',
    route: '/v1/search',
    path: found('stolen-agent-token', 1),
  },
  {
    title: 'Who should still have this?',
    why: 'The access review of a resource or a user: every standing grant with its last use, as JSON or `format=csv`, streamed.',
    route: '/v1/reports/access-review',
    path: `/v1/reports/access-review?${resource('learning')}`,
  },
  {
    title: 'What did the rule hit?',
    why: 'The report on a rule: tokens that were live, what was done before the order and tried after it, and who confirmed it when.',
    route: '/v1/reports/incident',
    path: reportOfRule,
  },
  {
    title: 'What do we not see?',
    why: 'Of each source what came and what did not; the findings first.',
    route: '/v1/coverage',
    path: '/v1/coverage?limit=5',
  },
  {
    title: 'Is this source connected as it should be?',
    why: 'For the team that connects it: what arrived, what was refused, what to do next.',
    route: '/v1/sources/{id}/check',
    path: '/v1/sources/press/check',
  },
  {
    title: 'Which events were lost on their way?',
    why: 'Of the sources that number what they say.',
    route: '/v1/sequences',
    path: '/v1/sequences',
  },
  {
    title: 'What was refused?',
    why: 'Nothing, here: the seeding stops at the first refusal.',
    route: '/v1/quarantine',
    path: '/v1/quarantine',
  },
  // Says something: later answers would know of an entry more.
  {
    title: 'What did people say of this finding?',
    why: 'Who acknowledged, resolved or muted it, with the entry of the ledger that says so.',
    route: '/v1/findings/{id}/changes',
    path: changesOfFinding,
  },
];
