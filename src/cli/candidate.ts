import type { Option } from 'commander';

/** A word that can stand at the end of a command line, and what it means. */
export interface Candidate {
  readonly word: string;
  readonly meaning: string;
}

/** Lists the values of the option before the word that is being typed; undefined if there stands none that takes a value. */
export function valuesAfter(options: readonly Option[], words: readonly string[]): readonly Candidate[] | undefined {
  const last = words.at(-1);
  const option = options.find(({ long, short }) => last !== undefined && (long === last || short === last));
  if (option === undefined || !option.required) return undefined;
  return (option.argChoices ?? []).map((word) => ({ word, meaning: '' }));
}

export const optionCandidates = (options: readonly Option[]): readonly Candidate[] =>
  options.flatMap(({ long, short, description }) => {
    const word = long ?? short;
    return word === undefined ? [] : [{ word, meaning: description }];
  });
