import { ask } from './ask.js';
import type { Incident } from './incident.js';

const USER = 'goran.novak';
const CLIENT = 'archive';

export const dormantConnection: Incident = {
  name: 'dormant-connection',
  happened: `${CLIENT} was approved for the vault 8 days ago and never used it, until somebody read every secret with it yesterday at 03:12.`,
  tell(scene) {
    const { at } = scene;
    scene.connection('connection.created', at(8, '10:20'), CLIENT, 'vault', 'vault.read vault.write vault.admin');
    const token = scene.token({
      at: at(1, '03:10'),
      user: USER,
      client: CLIENT,
      app: 'vault',
      scope: 'vault.read',
      as: 'token',
    });
    scene.call(token, { at: at(1, '03:12'), route: 'GET /secrets', from: '203.0.113.80', records: 640 });
  },
  answers: (scene) => [
    {
      question: 'Since when is it used?',
      path: `/v1/connections?${ask.client(scene, CLIENT)}`,
      answer: {
        items: [
          {
            state: 'created',
            first_used: scene.time(1, '03:12'),
            last_used: scene.time(1, '03:12'),
            used_scopes: ['vault.read'],
            unused_scopes: ['vault.admin', 'vault.write'],
            allowed: 1,
          },
        ],
      },
    },
    {
      question: 'Two days ago: approved, and used by nobody?',
      path: `/v1/connections?${ask.client(scene, CLIENT)}&as_of=${scene.time(2, '12:00')}`,
      answer: {
        items: [
          {
            state: 'created',
            users: 0,
            accesses: 0,
            first_used: null,
            last_used: null,
            unused_scopes: ['vault.admin', 'vault.read', 'vault.write'],
          },
        ],
      },
    },
    {
      question: 'What is new since two days ago?',
      path: `/v1/changes?since=${scene.time(2, '12:00')}&kind=scopes-used&${ask.client(scene, CLIENT)}`,
      answer: { items: [{ kind: 'scopes-used', scopes: [{ scope: 'vault.read' }] }] },
    },
    {
      question: 'Who was it, and from where?',
      path: `/v1/access?${ask.client(scene, CLIENT)}`,
      answer: { items: [{ user: { sub: USER }, client_address: '203.0.113.80', records: 640, route: 'GET /secrets' }] },
    },
  ],
};
