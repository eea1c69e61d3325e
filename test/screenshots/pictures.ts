import type { Page } from 'playwright-core';
import { askApi, type OpenOptions } from '../console/open-console.js';

/** A picture of the console for those who read about it. */
export interface Picture extends Pick<OpenOptions, 'path' | 'width' | 'colours'> {
  /** Name of the file, without `.png`. */
  readonly name: string;
  /** Waits until the page shows what the picture is about. */
  readonly shows: (page: Page) => Promise<unknown>;
}

const text = (wanted: string | RegExp) => (page: Page) => page.getByText(wanted).first().waitFor();
const heading = (name: string | RegExp) => (page: Page) => page.getByRole('heading', { name }).first().waitFor();
const drawn = (page: Page) => page.locator('.react-flow__node').first().waitFor();
const charted = (page: Page) => page.locator('main canvas').first().waitFor();
const json = (value: unknown): string => encodeURIComponent(JSON.stringify(value));

/** Chooses what the pictures show from the organisation that is made up for the specs. */
export async function makePictures(): Promise<readonly Picture[]> {
  const { items: findings } = await askApi('GET', '/v1/findings?kind=bulk-export&limit=1');
  const { id: finding, stop } = findings[0];
  const { items: agents } = await askApi('GET', '/v1/agents?limit=1');
  const reads = `/explore?measures=${json(['records'])}&by=${json(['client', 'resource'])}&from=7d`;
  return [
    { name: 'home', path: '/', shows: text('calls in 24 hours') },
    { name: 'home-dark', path: '/', colours: 'dark', shows: text('calls in 24 hours') },
    { name: 'home-phone', path: '/', width: 390, shows: text('calls in 24 hours') },
    { name: 'finding', path: `/findings?finding=${finding}`, shows: heading('Next step') },
    { name: 'agent', path: `/agents/${agents[0].agent.entity}`, shows: heading('Timeline') },
    { name: 'compared', path: '/?against=3d', shows: heading('Home') },
    { name: 'stop', path: `/stop?user=${json(stop.selector.user)}`, shows: text('live tokens') },
    { name: 'map', path: '/map', shows: charted },
    { name: 'map-dark', path: '/map?at=1d', colours: 'dark', shows: charted },
    { name: 'map-graph', path: '/map?show=graph', shows: drawn },
    { name: 'explore', path: reads, shows: charted },
    { name: 'ledger', path: '/ledger', shows: heading('Growth') },
  ];
}
