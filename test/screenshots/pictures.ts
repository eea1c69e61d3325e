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

/** Chooses what the pictures show from the organisation that is made up for the specs. */
export async function makePictures(): Promise<readonly Picture[]> {
  const { items: findings } = await askApi('GET', '/v1/findings?kind=bulk-export&limit=1');
  const finding = findings[0];
  const { items: agents } = await askApi('GET', '/v1/agents?limit=1');
  const agent = `/agents/${agents[0].agent.entity}`;
  const stop = `/stop?user=${encodeURIComponent(JSON.stringify(finding.stop.selector.user))}`;
  return [
    { name: 'home', path: '/', shows: text('calls in 24 hours') },
    { name: 'home-dark', path: '/', colours: 'dark', shows: text('calls in 24 hours') },
    { name: 'home-phone', path: '/', width: 390, shows: text('calls in 24 hours') },
    { name: 'finding', path: `/findings?finding=${finding.id}`, shows: heading('Next step') },
    { name: 'agent', path: agent, shows: heading('Timeline') },
    { name: 'stop', path: stop, shows: text('live tokens') },
  ];
}
