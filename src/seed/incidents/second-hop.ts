import { ask } from './ask.js';
import type { Incident } from './incident.js';

const USER = 'hana.ito';
const AGENT = 'contract-reader';

export const secondHop: Incident = {
  name: 'second-hop',
  happened: `4 days ago ${AGENT}, with which ${USER} reads the wiki, traded its token for one to monitoring and read there what ${USER} had never asked for.`,
  tell(scene) {
    const { at } = scene;
    scene.connection('connection.created', at(8, '10:30'), AGENT, 'wiki', 'wiki.read');
    scene.connection('connection.created', at(8, '10:31'), AGENT, 'monitoring', 'monitoring.read');
    const first = scene.token({
      at: at(4, '15:00'),
      user: USER,
      client: AGENT,
      app: 'wiki',
      scope: 'wiki.read',
      as: 'first',
    });
    scene.call(first, { at: at(4, '15:02'), route: 'GET /pages', from: '192.0.2.21', records: 5 });
    const second = scene.token({
      at: at(4, '15:10'),
      user: USER,
      client: AGENT,
      app: 'monitoring',
      scope: 'monitoring.read',
      as: 'second',
      parent: first,
    });
    scene.call(second, { at: at(4, '15:11'), route: 'GET /alerts', from: '192.0.2.21', records: 300 });
    scene.call(second, { at: at(4, '15:12'), route: 'GET /series', from: '192.0.2.21', records: 300 });
  },
  answers: (scene) => [
    {
      question: `Where did ${USER}'s grant lead?`,
      path: `/v1/access?${ask.user(scene, USER)}`,
      answer: {
        items: [
          {
            route: 'GET /series',
            resource: { uri: scene.organisation.app('monitoring').resource },
            client: { client_id: ask.local(scene, AGENT, 'monitoring') },
          },
          { route: 'GET /alerts', resource: { uri: scene.organisation.app('monitoring').resource } },
          {
            route: 'GET /pages',
            resource: { uri: scene.organisation.app('wiki').resource },
            client: { client_id: ask.local(scene, AGENT, 'wiki') },
          },
        ],
      },
    },
    {
      question: 'What came of the first ID-JAG?',
      path: `/v1/blast-radius?id_jag_iss=${scene.organisation.idp.issuer}&id_jag_jti=second-hop-first`,
      answer: { start: { kind: 'id_jag' }, usage: { uses: 3, allowed: 3, records: 605, resources: { count: 2 } } },
    },
    {
      question: 'What did the second token come of?',
      path: `/v1/tokens?iss=${scene.organisation.app('monitoring').issuer}&jti=second-hop-second`,
      answer: {
        user: { sub: USER },
        lineage: {
          tokens: [{ facts: { jti: 'second-hop-first' } }],
          id_jags: [{ facts: { jti: 'second-hop-second' } }, { facts: { jti: 'second-hop-first' } }],
          missing: [],
          broken: false,
        },
      },
    },
  ],
};
