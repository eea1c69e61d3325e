import { ask } from './ask.js';
import type { Incident } from './incident.js';

const USER = 'nadia.rossi';
const AGENT = 'invoice-reader';
const USUAL = '192.0.2.17';
const THIEF = '203.0.113.66';

export const stolenAgentToken: Incident = {
  name: 'stolen-agent-token',
  happened: `3 days ago the token with which ${AGENT} reads invoices for ${USER} was used from ${THIEF}, while the agent itself went on from ${USUAL}.`,
  tell(scene) {
    const { at } = scene;
    scene.connection(
      'connection.created',
      at(8, '09:00'),
      AGENT,
      'contracts',
      'contracts.read contracts.write contracts.export',
    );
    const token = scene.token({
      at: at(3, '10:00'),
      user: USER,
      client: AGENT,
      app: 'contracts',
      scope: 'contracts.read contracts.export',
      as: 'token',
    });
    scene.call(token, { at: at(3, '10:01'), route: 'GET /contracts', from: USUAL, records: 40 });
    scene.call(token, { at: at(3, '10:06'), route: 'GET /contracts/{id}', from: USUAL });
    scene.call(token, { at: at(3, '10:20'), route: 'GET /contracts', from: THIEF, records: 40 });
    scene.call(token, { at: at(3, '10:21'), route: 'GET /export', from: THIEF, records: 1_800, bytes: 5_400_000 });
    scene.call(token, { at: at(3, '10:23'), route: 'GET /contracts/{id}', from: USUAL });
    scene.call(token, { at: at(3, '10:24'), route: 'DELETE /contracts/{id}', from: THIEF, denied: 403 });
  },
  answers: (scene) => [
    {
      question: `From where was ${USER}'s access used, and for what?`,
      path: `/v1/access?${ask.user(scene, USER)}`,
      answer: {
        items: [
          {
            at: scene.time(3, '10:24'),
            client_address: THIEF,
            route: 'DELETE /contracts/{id}',
            operation: 'delete',
            outcome: 'denied',
            status: 403,
          },
          {
            at: scene.time(3, '10:23'),
            client_address: USUAL,
            route: 'GET /contracts/{id}',
            operation: 'read',
            outcome: 'allowed',
            status: 200,
          },
          {
            at: scene.time(3, '10:21'),
            client_address: THIEF,
            route: 'GET /export',
            operation: 'export',
            outcome: 'allowed',
            records: 1_800,
            bytes: 5_400_000,
          },
          {
            at: scene.time(3, '10:20'),
            client_address: THIEF,
            route: 'GET /contracts',
            operation: 'read',
            outcome: 'allowed',
            records: 40,
          },
          {
            at: scene.time(3, '10:06'),
            client_address: USUAL,
            route: 'GET /contracts/{id}',
            outcome: 'allowed',
            agent: { id: 'agent-invoice-reader' },
          },
          {
            at: scene.time(3, '10:01'),
            client_address: USUAL,
            route: 'GET /contracts',
            outcome: 'allowed',
            user: { sub: USER },
          },
        ],
      },
    },
    {
      question: 'Is the address known at all?',
      path: `/v1/search?q=${THIEF}`,
      answer: { items: [{ kind: 'address', match: 'exact', name: THIEF }], at_least: false },
    },
    {
      question: 'What came from that address?',
      path: `/v1/access?${ask.agent(scene, AGENT)}&client_address=${THIEF}`,
      answer: {
        items: [{ outcome: 'denied' }, { operation: 'export', records: 1_800 }, { operation: 'read', records: 40 }],
      },
    },
    {
      question: 'How far does the agent reach, what did it take, and what would stop it?',
      path: `/v1/blast-radius?${ask.agent(scene, AGENT)}`,
      answer: {
        start: { kind: 'agent' },
        reachable: { users: { count: 1, top: [{ item: { sub: USER } }] }, resources: { count: 1 } },
        grants: { count: 1 },
        tokens: { live: 0, stopped: 0 },
        usage: {
          uses: 6,
          allowed: 5,
          denied: 1,
          records: 1_882,
          first: scene.time(3, '10:01'),
          last: scene.time(3, '10:24'),
        },
        rules: [
          {
            order: {
              effect: 'block',
              selector: { agent: { iss: scene.organisation.idp.issuer, id: 'agent-invoice-reader' } },
            },
          },
        ],
      },
    },
    {
      question: 'And while the thief was at work?',
      path: `/v1/blast-radius?${ask.agent(scene, AGENT)}&as_of=${scene.time(3, '10:50')}`,
      answer: {
        tokens: {
          live: 1,
          newest: [
            { user: { sub: USER }, issued_at: scene.time(3, '10:00:01'), expires_at: scene.time(3, '11:00:01') },
          ],
        },
      },
    },
    {
      question: 'Had it been used so the day before?',
      path: `/v1/access?${ask.agent(scene, AGENT)}&as_of=${scene.time(4, '12:00')}`,
      answer: { items: [] },
    },
  ],
};
