import { ask } from './ask.js';
import type { Incident } from './incident.js';

const USER = 'elif.moreau';
const AGENT = 'doc-search';

export const scopesThatGrew: Incident = {
  name: 'scopes-that-grew',
  happened: `${AGENT} was approved to read files 8 days ago; 6 days ago to write them, 4 days ago to export them. It has used the first and the last.`,
  tell(scene) {
    const { at } = scene;
    scene.connection('connection.created', at(8, '10:00'), AGENT, 'files', 'files.read');
    scene.connection('connection.updated', at(6, '10:00'), AGENT, 'files', 'files.read files.write');
    scene.connection('connection.updated', at(4, '10:00'), AGENT, 'files', 'files.read files.write files.export');
    const first = scene.token({
      at: at(7, '11:00'),
      user: USER,
      client: AGENT,
      app: 'files',
      scope: 'files.read',
      as: 'first',
    });
    scene.call(first, { at: at(7, '11:05'), route: 'GET /documents', from: '192.0.2.19', records: 12 });
    const second = scene.token({
      at: at(2, '11:00'),
      user: USER,
      client: AGENT,
      app: 'files',
      scope: 'files.read files.export',
      as: 'second',
    });
    scene.call(second, { at: at(2, '11:05'), route: 'GET /export', from: '192.0.2.19', records: 900 });
  },
  answers: (scene) => [
    {
      question: 'What may the agent do, and what of it did it do?',
      path: `/v1/connections?${ask.client(scene, AGENT)}`,
      answer: {
        items: [
          {
            state: 'created',
            idp_client: { client_id: AGENT },
            granted_scopes: ['files.export', 'files.read', 'files.write'],
            used_scopes: ['files.export', 'files.read'],
            unused_scopes: ['files.write'],
            users: 1,
            allowed: 2,
          },
        ],
      },
    },
    {
      question: 'What could it do a week ago?',
      path: `/v1/connections?${ask.client(scene, AGENT)}&as_of=${scene.time(7, '18:00')}`,
      answer: {
        items: [
          { granted_scopes: ['files.read'], used_scopes: ['files.read'], unused_scopes: [], users: 1, allowed: 1 },
        ],
      },
    },
    {
      question: 'What has changed since five days ago?',
      path: `/v1/changes?since=${scene.time(5, '18:00')}&kind=connection-changed&${ask.client(scene, AGENT)}`,
      answer: {
        items: [
          {
            kind: 'connection-changed',
            before: 'created',
            after: 'created',
            scopes_added: ['files.export'],
            scopes_removed: [],
          },
        ],
      },
    },
    {
      question: 'And since nine days ago, when it was not there?',
      path: `/v1/changes?since=${scene.time(9, '18:00')}&kind=connection-changed&${ask.client(scene, AGENT)}`,
      oneItem: {
        kind: 'connection-changed',
        before: 'created',
        after: 'created',
        scopes_added: ['files.write'],
        scopes_removed: [],
      },
    },
    {
      question: 'And five days ago?',
      path: `/v1/connections?${ask.client(scene, AGENT)}&as_of=${scene.time(5, '18:00')}`,
      answer: {
        items: [
          {
            granted_scopes: ['files.read', 'files.write'],
            used_scopes: ['files.read'],
            unused_scopes: ['files.write'],
          },
        ],
      },
    },
  ],
};
