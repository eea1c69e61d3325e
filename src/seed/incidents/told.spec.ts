import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { APPS } from '../names.js';
import { createOrganisation } from '../organisation.js';
import { createScene } from './incident.js';
import { describeIncidents } from './index.js';
import { secondHop } from './second-hop.js';

const organisation = createOrganisation({ seed: 'rescind', domain: 'corp.example' });
const END = Date.UTC(2026, 10, 25) / 1000;

describe('the list of incidents in the README of seed', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| `([a-z-]+)` \| (.+?) \| `(\/v1\/.+?)` \|$/gm)].map(
    ([, name, happened, path]) => ({ name, happened, path }),
  );
  const incidents = describeIncidents(organisation, END);

  it('has each, as it is told', () => {
    expect(rows.map(({ name, happened }) => ({ name, happened }))).toEqual(
      incidents.map(({ name, happened }) => ({ name, happened })),
    );
  });

  // A page cannot name times that depend on the end of the history, and needs no limit.
  const timeless = (path: string): string => path.replaceAll(/[&?](?:from|as_of|since|limit)=[^&]*/g, '');
  it.each(rows)('$name: its question is one of the incident', ({ name, path }) => {
    expect(incidents.find((one) => one.name === name)!.answers.map((answer) => timeless(answer.path))).toContain(path);
  });
});

it('second-hop is told with the applications that its events are about, and with no other', () => {
  const parties = new Set<string>();
  secondHop.tell(createScene(organisation, END, 'second-hop', ({ party }) => parties.add(party)));
  const apps = APPS.map(([name]) => name).filter((name) => new RegExp(`\\b${name}\\b`).test(secondHop.happened));
  expect(apps.toSorted()).toEqual([...parties].filter((party) => party !== 'idp').toSorted());
});
