import { readFileSync } from 'node:fs';

export interface Example {
  /** Path and query. */
  readonly asked: string;
  readonly answer: unknown;
}

/**
 * Reads an example answer of each question, by its path in OpenAPI, from a seeded organisation. `npm run questions`
 * writes the file.
 */
export const readExamples = (): Readonly<Record<string, Example>> =>
  JSON.parse(readFileSync(new URL('./examples.json', import.meta.url), 'utf8')) as Readonly<Record<string, Example>>;
